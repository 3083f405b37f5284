//! The words that say who is asked first.

use crate::{Place, word::words};

words! {
    /// Which places may answer, and which is asked first.
    pub enum Strategy {
        /// Local endpoints, then cloud ones.
        LocalFirst = "local_first",
        /// Cloud endpoints, then local ones.
        CloudFirst = "cloud_first",
        /// Local endpoints and no others, even when all of them fail.
        LocalOnly = "local_only",
        /// Cloud endpoints and no others, even when all of them fail.
        CloudOnly = "cloud_only",
    }
}

impl Strategy {
    /// The places that may answer, first choice first.
    #[must_use]
    pub const fn places(self) -> &'static [Place] {
        match self {
            Self::LocalFirst => &[Place::Local, Place::Cloud],
            Self::CloudFirst => &[Place::Cloud, Place::Local],
            Self::LocalOnly => &[Place::Local],
            Self::CloudOnly => &[Place::Cloud],
        }
    }

    /// Whether an endpoint in this place may answer.
    #[must_use]
    pub fn allows(self, place: Place) -> bool {
        self.places().contains(&place)
    }
}

words! {
    /// How endpoints of one place share the work.
    pub enum Balance {
        /// In the configured order: the first that can.
        Ordered = "ordered",
    }
}

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
        /// All endpoints, whatever their place, in turns.
        RoundRobin = "round_robin",
        /// All endpoints, whatever their place, by chance and weight.
        Weighted = "weighted",
        /// All endpoints, whatever their place, the fastest of late first.
        LeastLatency = "least_latency",
        /// All endpoints, whatever their place, the cheapest first.
        Cheapest = "cheapest",
        /// All endpoints, whatever their place, each conversation with the same one.
        Affinity = "affinity",
    }
}

const EITHER: &[Place] = &[Place::Local, Place::Cloud];

impl Strategy {
    /// The places that may answer, first choice first; those that stand together share the work.
    #[must_use]
    pub const fn tiers(self) -> &'static [&'static [Place]] {
        match self {
            Self::LocalFirst => &[&[Place::Local], &[Place::Cloud]],
            Self::CloudFirst => &[&[Place::Cloud], &[Place::Local]],
            Self::LocalOnly => &[&[Place::Local]],
            Self::CloudOnly => &[&[Place::Cloud]],
            Self::RoundRobin | Self::Weighted | Self::LeastLatency | Self::Cheapest | Self::Affinity => {
                &[EITHER]
            }
        }
    }

    /// How the endpoints of one tier share the work, where the strategy itself says so.
    #[must_use]
    pub const fn balance(self) -> Option<Balance> {
        match self {
            Self::LocalFirst | Self::CloudFirst | Self::LocalOnly | Self::CloudOnly => None,
            Self::RoundRobin => Some(Balance::RoundRobin),
            Self::Weighted => Some(Balance::Weighted),
            Self::LeastLatency => Some(Balance::LeastLatency),
            Self::Cheapest => Some(Balance::Cheapest),
            Self::Affinity => Some(Balance::Affinity),
        }
    }

    /// Whether an endpoint in this place may answer.
    #[must_use]
    pub fn allows(self, place: Place) -> bool {
        self.tiers().iter().any(|tier| tier.contains(&place))
    }
}

words! {
    /// How endpoints of one place share the work.
    pub enum Balance {
        /// In the configured order: the first that can.
        Ordered = "ordered",
        /// In turns: whoever was asked longest ago.
        RoundRobin = "round_robin",
        /// By chance, each as often as its weight says; a weight of zero is for when nobody else can.
        Weighted = "weighted",
        /// Of two by chance, the one whose first token comes sooner, with what it has in work.
        LeastLatency = "least_latency",
        /// Whoever costs least for this prompt; what has no price costs nothing.
        Cheapest = "cheapest",
        /// Each conversation with the same endpoint as long as that one is there and has not too much in work, so that a
        /// server finds what it computed for the conversation before. Weights count.
        Affinity = "affinity",
    }
}

//! Groups that are only spoken to: a group's own robot, and what came of a notice to it.

use std::{fmt, time::Duration};

use bytes::Bytes;
use chat::Timestamp;
use transport::{NetError, OutRequest, OutResponse};

use crate::{ConnectOptions, KeyError, Keys};

/// A group's own robot, bound to its keys, without I/O. It hears nothing.
pub trait Channel: Send + Sync {
    /// Renders a notice, written in Markdown, and splits it where it is too long for one message. The same words always
    /// give the same messages; blank words give none. A notice mentions nobody, whatever it says.
    fn notices(&self, markdown: &str) -> Vec<Notice>;

    /// The call that sends one message. Where the platform has idempotency keys, it drops a second message under the same
    /// `id`.
    fn request(&self, notice: &Notice, now: Timestamp, id: &str) -> OutRequest;

    /// What came of a send.
    fn outcome(&self, answer: Result<OutResponse, NetError>) -> Delivery;

    /// How long to wait between two messages of one notice, so that the platform takes them.
    fn interval(&self) -> Duration {
        Duration::ZERO
    }
}

/// One message of a notice, in the platform's own form, small enough for it.
#[derive(Clone, PartialEq, Eq)]
pub struct Notice(pub Bytes);

/// Shows the size, not the words.
impl fmt::Debug for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notice").field("bytes", &self.0.len()).finish()
    }
}

/// What came of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The platform has it.
    Accepted,
    /// The platform will not take it.
    Refused {
        /// The platform's code, with its own message where it sends one.
        code: String,
        /// What an operator can do, where that is known.
        help: Option<&'static str>,
    },
    /// The platform did not take it; it may a while later.
    Retry {
        /// How long to wait first.
        after: Duration,
        /// Why, where the call did not reach the platform.
        error: Option<NetError>,
    },
    /// Nobody knows whether the platform has it: the answer was lost or made no sense.
    Unknown,
}

/// Binds a channel to its keys; all that is wrong with them is told at once.
pub type ConnectChannel = fn(&Keys, &ConnectOptions) -> Result<Box<dyn Channel>, Vec<KeyError>>;

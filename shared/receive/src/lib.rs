//! What a webhook gets: verified, parsed, queued, answered.
//!
//! A [`Receiver`] stands behind `/webhook/{platform}/{bot}`. It does nothing slow: no model, no history, no call to
//! the platform. A message is durable in the queue before the platform hears 200; when it cannot be queued the answer
//! is 503 and the platform delivers the event again.
//!
//! | what came | answer |
//! |---|---|
//! | unknown platform or bot | 404 |
//! | body over [`BODY_MAX`] | 413 |
//! | not verified, for whatever cause | 401, empty |
//! | no event at all, and nothing shows whose it is | 400, empty |
//! | verified, and of a shape that is not known: what can be read of it counts | 200; what could not be read is noted by kind |
//! | understood, and safe in the queue or needing nothing | 200 with what the platform wants to hear |
//! | queue down | 503, empty |
//!
//! # Layout
//!
//! - [`receiver`]: the way of a webhook ([`Receiver`])
//! - [`unknown`]: which webhooks for bots that are not configured are told to operators ([`UnknownBots`])
//! - `signal`: what a message signals to a worker past the queue
//! - [`queued`]: [`QueuedMessage`], the message on its way to a worker, sealed
//!
//! # Example
//!
//! ```no_run
//! # async fn example(receiver: receive::Receiver, request: platform::RawRequest) {
//! let answer = receiver.receive("feishu", "helpdesk", request).await;
//! assert_eq!(answer.status, 200);
//! # }
//! ```

pub mod queued;
pub mod receiver;
mod signal;
pub mod unknown;

pub use queued::{QueuedMessage, UnreadableMessage};
pub use receiver::{BODY_MAX, Receiver};
pub use unknown::UnknownBots;

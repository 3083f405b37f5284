//! One user message and its answer, from claim to delivered.
//!
//! A [`Worker`] takes a queued message and carries it through: claim the turn, recall the conversation, ask the route,
//! keep the answer, send it, record it. Everything it touches is a port ([`Ports`]), so the same worker runs on Lambda,
//! in standalone and in a test.
//!
//! The order is the promise:
//!
//! 1. **Claim.** Of all deliveries of an event, one worker has the turn at a time; every later write carries its fence.
//! 2. **Keep, then send.** The reply is stored before its first byte is sent. A crash never asks the model twice, and
//!    a retry sends the same bytes under the same key.
//! 3. **Mark, send, record.** Before a segment is sent its number is marked, and after it the count is recorded. A
//!    worker that finds a mark without a record sends again only where the platform drops duplicates.
//!
//! # Layout
//!
//! - [`worker`]: the one function that takes a turn from claim to its end ([`Worker`])
//! - [`give_up`]: what becomes of a message whose tries are used up
//! - [`kept`]: the reply that is kept for a turn, and the rounds of a turn that is brought back
//! - [`ports`]: everything it touches ([`Ports`]), and its limits ([`Policy`])
//! - [`handled`]: how a run ends ([`Handled`])
//! - [`alongside`]: what comes alongside the words of a message
//! - [`compose`]: what to say: a command's words, a model's answer, or an apology
//! - `cut_off`: answers that the turn's time cut off
//! - [`stop`]: whether the person still wants the answer
//! - [`merge`]: short messages in a row become one turn
//! - [`recall`]: the conversation as a prompt, within limits
//! - [`models`]: which model people chose
//! - [`spending`]: what a turn may cost, and what it did cost
//! - [`deliver`]: segments to the platform, each at most once where that can be had
//! - [`attempts`]: attempts at an answer as operators read them
//! - [`access`]: access tokens and the bot's identity, shared by all instances
//! - [`board`]: which endpoints are to be left alone, shared by all instances ([`SharedBoard`])
//! - [`content`]: the stored form of a question with its reply
//! - [`words`]: what the bot itself says, in Chinese and English
//!
//! # Example
//!
//! ```no_run
//! use std::time::Duration;
//!
//! # async fn example(ports: turn::Ports, body: String) {
//! let worker = turn::Worker::new(ports);
//! match worker.answer(&body, Duration::from_secs(120)).await {
//!     turn::Handled::Done => { /* take it off the queue */ }
//!     turn::Handled::Again { after } => { /* hand it out again, not before `after` */ }
//! }
//! # }
//! ```

pub mod access;
pub mod alongside;
pub mod attempts;
pub mod board;
pub mod compose;
pub mod content;
mod cut_off;
pub mod deliver;
pub mod give_up;
pub mod handled;
pub mod kept;
pub mod merge;
pub mod models;
pub mod ports;
pub mod recall;
pub mod spending;
pub mod stop;
pub mod words;
pub mod worker;

pub use board::SharedBoard;
pub use handled::{GivenUp, Handled};
pub use ports::{Policy, Ports};
pub use worker::Worker;

//! What operators see: structured logs, and the steps of each message as notes.
//!
//! Code says what happened as a [`Note`]; an [`Observer`] decides what becomes of it. [`LogObserver`] writes it to
//! the log, and the playground of standalone shows it beside the conversation. A note holds names, counts and times,
//! never a secret and never anybody's words: its fields have no room for them.
//!
//! # Layout
//!
//! - [`note`]: [`Note`], [`Step`], [`Observer`]
//! - [`log`]: how the log is set up, and how notes get there ([`LogObserver`]); [`filter`]: which events are logged
//! - `format`: events as lines, ECS-shaped JSON for collectors and plain ones for a terminal; `escape`: values as they may
//!   stand in a line
//!
//! # Example
//!
//! ```
//! use chat::Timestamp;
//! use telemetry::{LogObserver, Note, Observer, Step};
//!
//! let note = Note { turn: None, at: Timestamp::from_millis(0), step: Step::Claimed { fence: 1 } };
//! LogObserver.note(&note);
//! ```

pub mod escape;
pub mod filter;
mod format;
pub mod log;
pub mod note;

pub use escape::readable;
pub use filter::{Filter, FilterError};
pub use log::LogObserver;
pub use note::{AnsweredBy, Asker, Note, Observer, Step, Used};

//! What the fuzz targets do: one module for each parser and renderer, with one function from bytes to a [`Reach`].
//!
//! The targets themselves (`fuzz/targets/`) are one line each, need a nightly compiler, and run for as long as somebody
//! lets them: `cargo xtask fuzz`. What they found worth keeping lies in `fuzz/corpus/`, and an ordinary test of this
//! crate runs every file of it, so that nothing found once comes back.
//!
//! A body panics when something that must always hold does not. It also says how far its input came, because a target
//! whose inputs are all turned away at the door tests the door only; the same test wants a file that came all the way.
//!
//! # Layout
//!
//! - [`feishu_webhook`], [`dingtalk_webhook`]: verification and parsing, raw and under a valid signature
//! - [`platform_answers`]: what platforms answer to calls, and addresses read back from storage
//! - [`feishu_render`], [`dingtalk_render`]: limits hold and no words are lost
//! - [`envelope`], [`queued_message`], [`stored_exchange`]: what is opened with a key
//! - [`settings`](mod@settings), [`routing_decode`]: configuration, and what model servers answer
//! - `words`, `fixed`: what may be lost of a text, and the keys and moments that all bodies share
//!
//! # Example
//!
//! ```
//! use fuzzing::{Reach, TARGETS};
//!
//! let (_, run) = TARGETS.iter().find(|(name, _)| *name == "feishu_render").ok_or("no such target")?;
//! assert_eq!(run(b"\x00# Hello"), Reach::Inside);
//! assert_eq!(run(b"\x00 \n "), Reach::Door);
//! # Ok::<(), &str>(())
//! ```
#![expect(clippy::expect_used, clippy::panic, reason = "a panic is how a fuzz target reports")]

pub mod dingtalk_render;
pub mod dingtalk_webhook;
pub mod envelope;
pub mod feishu_render;
pub mod feishu_webhook;
mod fixed;
pub mod platform_answers;
pub mod queued_message;
pub mod routing_decode;
pub mod settings;
pub mod stored_exchange;
mod words;

/// How far an input came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// It was turned away.
    Door,
    /// It was understood.
    Inside,
}

impl Reach {
    fn inside(understood: bool) -> Self {
        if understood { Self::Inside } else { Self::Door }
    }
}

/// A target's body.
pub type Body = fn(&[u8]) -> Reach;

/// Every target by the name of its file and of its folder in the corpus.
pub const TARGETS: [(&str, Body); 10] = [
    ("dingtalk_render", dingtalk_render::run),
    ("dingtalk_webhook", dingtalk_webhook::run),
    ("envelope", envelope::run),
    ("feishu_render", feishu_render::run),
    ("feishu_webhook", feishu_webhook::run),
    ("platform_answers", platform_answers::run),
    ("queued_message", queued_message::run),
    ("routing_decode", routing_decode::run),
    ("settings", settings::run),
    ("stored_exchange", stored_exchange::run),
];

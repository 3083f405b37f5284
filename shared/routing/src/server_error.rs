//! A failed call with what the server said about it: the status, its own message, and the figures of an overflow.

use crate::Failure;

mod message;

pub use message::{ServerMessage, Unredacted};

/// The figures that an error names when the prompt does not fit into the model's context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Overflow {
    /// The model's context window, in tokens.
    pub window: Option<u32>,
    /// What the server counted in the prompt, in tokens. Where it names only the sum of prompt and requested answer, it is
    /// that sum.
    pub prompt: Option<u32>,
}

/// A failed call, with what the server said about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{failure}")]
pub struct ServerError {
    /// What it means for routing.
    pub failure: Failure,
    /// The HTTP status of the response. For an error inside a successful response, the status that the error itself
    /// names; absent when it names none, or when no response came.
    pub status: Option<u16>,
    /// The server's own message, which may quote the prompt.
    pub message: Option<Unredacted>,
    /// The figures of [`Failure::ContextTooLong`], as far as the error names them.
    pub overflow: Overflow,
}

impl From<Failure> for ServerError {
    fn from(failure: Failure) -> Self {
        Self { failure, status: None, message: None, overflow: Overflow::default() }
    }
}

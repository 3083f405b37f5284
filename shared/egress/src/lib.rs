//! The only crate that opens outgoing connections: one HTTP client, with limits.

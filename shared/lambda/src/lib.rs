//! AWS Lambda around the shared crates: webhooks in, queue records in, clients built once.
//!
//! With `store-dynamodb`, the only crate that knows AWS. A function's `main` is a dozen lines: it names the platforms
//! that it serves and calls [`serve_webhook`] or [`run_worker`].
//!
//! # What a cold start pays for
//!
//! Measured choices, in the order of what they save:
//!
//! - **one HTTP client**, on ring with bundled roots, shared by the SDK, the platforms and the model endpoints
//!   ([`http_client`]); the SDK's own client with its crypto and the system's certificates costs some 70 ms more;
//! - **no `aws-config`**: on Lambda the region and the credentials stand in the environment, and a chain that looks for
//!   them elsewhere is code to map and time to spend;
//! - **secrets in INIT**: they are fetched before the first poll, while the function has a whole processor.
//!
//! # Layout
//!
//! - [`start`]: settings, clients and keys, once per process
//! - [`webhook`]: API Gateway's event to a [`platform::RawRequest`] and back
//! - [`worker`]: queue records to turns, with partial batch failures that respect the groups
//! - [`operator`]: what operators do to a deployment from their own machine
//! - [`secrets`]: Secrets Manager as [`settings::Secrets`]
//! - [`sign`]: model calls in the name of the function's role
//! - [`http_client`]: the shared client as the SDK wants it
//!
//! # Example
//!
//! ```no_run
//! # const KIND: platform::Kind = platform::Kind { name: "example", connect: |_, _| Err(vec![]), channel: None };
//! fn main() -> anyhow::Result<()> {
//!     lambda::serve_webhook("example", KIND)
//! }
//! ```

pub mod http_client;
pub mod operator;
pub mod secrets;
pub mod sign;
pub mod start;
pub mod webhook;
pub mod worker;

pub use webhook::serve_webhook;
pub use worker::run_worker;

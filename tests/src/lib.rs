//! The test bench: real processes, and the components that `cargo xtask test` starts for them.
//!
//! # Layout
//!
//! - [`component`]: what the bench has, and what was left out on purpose
//! - [`process`]: a child process that ends with its test
//! - [`standalone`]: a running `magpie`
//! - [`function`]: a built `bootstrap` under the Lambda Runtime Interface Emulator
//! - [`runtime`]: a built `bootstrap` on a Runtime API of ours, to be killed
//! - [`gateway`]: what API Gateway makes of a webhook
//! - [`gate`]: a gate before a server
//! - [`cloud`]: tables, queues and secrets in the emulators
//! - [`meter`]: what DynamoDB says that calls consumed
//! - [`platforms`]: the simulated platforms and model servers, on real ports
//! - [`chaos`]: a `magpie`, or the built functions, under load and killed at random moments
//!
//! # Example
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use magpie_tests::{component::Component, standalone::Magpie};
//!
//! let Some(binary) = Component::Magpie.find() else { return Ok(()) };
//! let magpie = Magpie::start(&binary, "[bots.demo]\nplatform = \"feishu\"\nkeys = \"demo\"\n").await?;
//! println!("listens on {}", magpie.url);
//! # Ok(())
//! # }
//! ```

pub mod chaos;
pub mod cloud;
pub mod component;
pub mod function;
pub mod gate;
pub mod gateway;
pub mod meter;
pub mod platforms;
pub mod process;
pub mod runtime;
pub mod standalone;

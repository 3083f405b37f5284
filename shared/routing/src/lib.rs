//! Which model endpoint answers, and what happens when it does not.
//!
//! A [`Router`] holds the endpoints and a [`Strategy`]. [`Router::ask`] asks them one after the other, in one loop and
//! within one time budget, until one answers; every attempt is recorded with how it ended. What an endpoint speaks is
//! a matter of pure codecs, and the calls themselves go through a [`transport::Transport`], so all of this runs
//! without a network in tests.
//!
//! # Layout
//!
//! - [`endpoint`]: model servers, and the strategy that chooses among them ([`Endpoint`], [`Strategy`])
//! - [`prompt`]: what a model is asked ([`Prompt`])
//! - [`answer`]: what asking gave ([`Answer`], [`NoAnswer`], [`Attempt`])
//! - [`failure`]: why an attempt failed, and what follows from it ([`Failure`])
//! - [`protocol`]: the codecs, one module for each wire format, no I/O
//! - [`estimate`]: counting tokens without a tokenizer ([`estimate_tokens`])
//! - [`router`]: the loop and its budget ([`Router`])
//! - `plan`: which endpoints, in which order
//! - `attempt`: one call of one endpoint
//!
//! # Example
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use routing::{Endpoint, Line, Prompt, Role, Router, Strategy, Timeouts};
//! # use transport::{Limits, NetError, OutRequest, OutResponse, Transport};
//! # struct NoNetwork;
//! # #[async_trait::async_trait]
//! # impl Transport for NoNetwork {
//! #     async fn call(&self, _: OutRequest, _: Limits) -> Result<OutResponse, NetError> {
//! #         Err(NetError::Unreachable)
//! #     }
//! # }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let transport = Arc::new(NoNetwork);
//! let router = Router::new(
//!     vec![Endpoint::echo()],
//!     Strategy::LocalFirst,
//!     Timeouts { total_per_attempt: Duration::from_secs(60) },
//!     transport,
//!     Arc::new(host::SystemClock),
//! )?;
//! let prompt = Prompt { system: None, lines: vec![Line { role: Role::User, text: "hello".into() }] };
//! let answer = router.ask(&prompt, Duration::from_secs(90)).await?;
//! assert_eq!(answer.text, "echo: hello");
//! assert_eq!(answer.attempts.len(), 1);
//! # Ok(())
//! # }
//! ```

pub mod answer;
mod attempt;
pub mod endpoint;
pub mod estimate;
pub mod failure;
mod plan;
pub mod prompt;
pub mod protocol;
pub mod router;

pub use answer::{Answer, Attempt, AttemptOutcome, NoAnswer, NoAnswerReason, Usage};
pub use endpoint::{Endpoint, Place, Protocol, Strategy, UnknownWord};
pub use estimate::estimate_tokens;
pub use failure::Failure;
pub use prompt::{Line, Prompt, Role};
pub use router::{Router, RoutingError, Timeouts};

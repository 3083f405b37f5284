//! Which model endpoint answers, and what happens when it does not.
//!
//! A [`Router`] holds the endpoints and a [`Route`]. [`Router::ask`] asks them one after the other, in one loop and within
//! one budget of time and one of calls, until one answers; every attempt is recorded with how it ended and what it used.
//! Answers are read as they come, so that a server that is silent is told from one that is slow. What an endpoint speaks
//! is a matter of pure codecs, and the calls themselves go through a [`transport::Transport`], so all of this runs without
//! a network in tests.
//!
//! # Layout
//!
//! - [`endpoint`]: model servers ([`Endpoint`]); [`price`]: what their tokens cost
//! - [`route`]: the policy that picks among them ([`Route`]) and its limits in time ([`Clocks`]); [`strategy`] and
//!   [`rule`] are its words
//! - [`ask`]: one question, from whom, and who hears the answer ([`Ask`]); [`prompt`]: what a model is asked
//! - [`router`]: endpoints, a route and what they need ([`Router`])
//! - [`live`]: the router in service, which can be replaced ([`LiveRouter`])
//! - [`plan`]: which endpoints may be asked, and in which order
//! - [`health`]: how the endpoints fare, and what instances tell each other of it ([`Board`])
//! - `run`: the loop, with one budget of time and one of calls; `attempt` is one call under its clocks, `hedge` a second
//!   one beside it, `absent` who is waited for, `speech` what of an answer may be shown
//! - [`protocol`]: the codecs, one module for each wire format, no I/O; [`signer`]: calls in the name of a role
//! - [`answer`]: what asking gave ([`Answer`], [`NoAnswer`], [`Attempt`]); [`failure`]: why an attempt failed;
//!   [`server_error`]: what the server said about it
//! - [`meter`]: what an answer costs while it comes ([`Meter`])
//! - `window`: how long a prompt a model can take, and what of a conversation is left out of it
//!   ([`Learned`]); `shrink` is that of one question
//! - [`estimate`]: counting tokens without a tokenizer ([`estimate_tokens`])
//! - `word`: enums that are words in configuration
//!
//! # Example
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use routing::{Ask, Clocks, Context, Endpoint, Ports, Prompt, Route, Router};
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
//! let ports = Ports {
//!     transport,
//!     clock: Arc::new(host::SystemClock),
//!     pause: Arc::new(host::SystemPause),
//!     entropy: Arc::new(host::SystemEntropy),
//!     board: None,
//! };
//! let router = Router::new(vec![Endpoint::echo()], Route::default(), Clocks::default(), ports)?;
//! let (prompt, context) = (Prompt::question("hello"), Context::default());
//! let answer = router.ask(&Ask::whole(&prompt, &context, Duration::from_secs(90))).await?;
//! assert_eq!(answer.text, "echo: hello");
//! assert_eq!(answer.attempts.len(), 1);
//! # Ok(())
//! # }
//! ```

mod absent;
pub mod answer;
pub mod ask;
mod attempt;
pub mod endpoint;
pub mod estimate;
pub mod failure;
pub mod health;
mod hedge;
pub mod live;
pub mod meter;
pub mod plan;
pub mod price;
pub mod prompt;
pub mod protocol;
pub mod route;
pub mod router;
pub mod rule;
mod run;
pub mod server_error;
mod shrink;
pub mod signer;
mod speech;
pub mod strategy;
mod window;
pub mod word;

pub use answer::{Answer, Attempt, AttemptOutcome, NoAnswer, NoAnswerReason, Usage};
pub use ask::{Ask, Context, Listener, Nobody};
pub use endpoint::{Endpoint, Place, Streaming};
pub use estimate::estimate_tokens;
pub use failure::Failure;
pub use health::{Board, Failing, Gate, Opening, Sign};
pub use live::LiveRouter;
pub use meter::{Count, Meter};
pub use plan::{LeftOut, Plan};
pub use price::{Micros, Price};
pub use prompt::{Line, Picture, Prompt, Role, Sampling};
pub use protocol::{Finish, Protocol, Template};
pub use route::{Clocks, Hedge, Route};
pub use router::{Ports, Router, RoutingError};
pub use rule::{Pattern, Rule, Then, When};
pub use server_error::{Overflow, ServerError, ServerMessage};
pub use signer::Signer;
pub use strategy::{Balance, Strategy};
pub use window::Learned;
pub use word::UnknownWord;

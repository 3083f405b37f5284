//! Configuration and secrets, loaded once, all mistakes reported together.
//!
//! [`load()`] reads `magpie.toml` and the environment into [`Settings`], whose types cannot be wrong; or it says all that
//! is wrong at once ([`Mistakes`]): each key, what was found there and what would be right. The configuration holds no
//! secret, only references to them ([`KeySource`]). What they name is fetched through [`Secrets`], which on Lambda is
//! Secrets Manager and elsewhere the environment and files. [`Bots`] keeps the bots bound to their keys, and follows
//! when those rotate.
//!
//! Nothing else in Magpie reads the environment.
//!
//! # Layout
//!
//! - [`model`]: what is configured ([`Settings`])
//! - [`load`](mod@load): which file, and the whole way from text to [`Settings`]
//! - [`environment`]: environment variables as a parameter ([`Environment`]); `overrides` is what they may configure
//! - [`mistakes`]: what is wrong with the configuration
//! - [`key_source`]: references to secrets
//! - [`secrets`]: fetching what they name ([`Secrets`], [`LocalSecrets`])
//! - [`channels`]: where notifications go
//! - [`bots`]: the bots in service ([`Bots`])
//! - `check`: what is wrong with the secrets of a whole configuration ([`check_secrets`])
//! - [`fetch`]: the keys of model servers and of the vault, and the gateway's tokens
//! - [`schema`]: every key that the file may hold
//! - [`placeholder`]: values that an example left to be filled in; [`file_text`]: the text of a file
//! - `listen`: where to listen; `syntax`: what is wrong with the text of the file
//! - `reader`: walking a TOML table; `address`: what may be called; `money`: what may be spent; `words`: lists of words
//! - `entries` (bots, channels), `endpoints`, `routes` (routing), `rules`, `network` and `sections` (the rest): the tables of the file
//! - `names`: what is named in one place and must be there in another; `together`: what only the whole shows to be wrong
//!
//! # Example
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! let text = "
//!     [bots.helpdesk]
//!     platform = \"feishu\"
//!     keys = \"secret:magpie/helpdesk\"
//!
//!     [endpoints.office]
//!     place = \"local\"
//!     url = \"http://localhost:8000/v1/chat/completions\"
//!     model = \"qwen3-32b\"
//! ";
//! let env = BTreeMap::from([("FALLBACK_STRATEGY".to_owned(), "local_only".to_owned())]);
//! let settings = settings::parse(text, None, &env, &["dingtalk", "feishu"])?;
//! assert_eq!(settings.bots[0].keys.to_string(), "secret:magpie/helpdesk");
//! assert_eq!(settings.routing.route.strategy, routing::Strategy::LocalOnly);
//!
//! let mistakes = settings::parse("[bots.helpdesk]\nplatfrom = \"feishu\"", None, &env, &["feishu"]).unwrap_err();
//! assert_eq!(mistakes.0.len(), 3); // no `platform`, no `keys`, and what is a `platfrom`?
//! # Ok::<(), settings::Mistakes>(())
//! ```

mod address;
pub mod bots;
pub mod channels;
mod check;
mod endpoints;
mod entries;
pub mod environment;
pub mod fetch;
pub mod file_text;
pub mod key_source;
mod listen;
pub mod load;
pub mod mistakes;
pub mod model;
mod money;
mod names;
mod network;
mod overrides;
pub mod placeholder;
mod reader;
mod routes;
mod rules;
pub mod schema;
pub mod secrets;
mod sections;
mod syntax;
mod together;
mod words;

pub use bots::{Bot, Bots};
pub use channels::{check_channels, connect_channel};
pub use check::check_secrets;
pub use environment::{Environment, Layered, ProcessEnvironment};
pub use fetch::{GatewayToken, endpoints, gateway_tokens, operator_token, vault_keys};
pub use key_source::KeySource;
pub use listen::listen_address;
pub use load::{Draft, draft, load, parse};
pub use mistakes::{Mistake, Mistakes};
pub use model::{
    AuthoritySource, BotSettings, BudgetSettings, ChannelSettings, EndpointSettings, GatewaySettings,
    LogFormat, MemorySettings, MergeSettings, NetworkSettings, ProxySource, RoutingSettings, Settings,
    StandaloneSettings, TokenSettings, WhenSpent,
};
pub use secrets::{LocalSecrets, SecretError, SecretVersions, Secrets};

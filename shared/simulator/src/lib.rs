//! A faithful pretend Feishu, DingTalk and model server, for tests, benchmarks and the playground.
//!
//! It plays the platforms' side: it signs and encrypts what it pushes, hands out tokens that end, checks what is sent
//! to it as strictly as the documents say, refuses in the documented words, and shows what people would see. It shares
//! no code with the crates it is meant to check: signatures and ciphers are made here from the primitives.
//!
//! Time and chance are parameters. Waiting faults use the runtime's timer, which a test can pause.
//!
//! # Layout
//!
//! - [`apps`], [`say`]: what is configured and what people do
//! - [`record`]: what is remembered of it ([`Sent`], [`Call`])
//! - [`faults`]: what can go wrong on purpose
//! - `feishu`, `dingtalk`: each with its API, its pushes and the forms of its messages
//! - [`model`]: an OpenAI-compatible model server, also on its own
//! - [`serve`](mod@serve): a router on a free port
//! - `core`, `answer`, `bounded`, `crypto`: the state, the way a call takes, memory that stops growing, signatures
//!
//! # Example
//!
//! ```
//! # struct Fixed;
//! # impl chat::Clock for Fixed {
//! #     fn now(&self) -> chat::Timestamp { chat::Timestamp::from_millis(1_700_000_000_000) }
//! # }
//! # impl chat::Entropy for Fixed {
//! #     fn fill(&self, bytes: &mut [u8]) { bytes.fill(7) }
//! # }
//! # let (clock, entropy) = (std::sync::Arc::new(Fixed), std::sync::Arc::new(Fixed));
//! use simulator::{Fault, FeishuApp, Say, Simulator, Target};
//!
//! let simulator = Simulator::new(clock, entropy);
//! simulator.add_feishu(FeishuApp {
//!     app_id: "cli_a".into(),
//!     app_secret: "secret".into(),
//!     verification_token: "token".into(),
//!     encrypt_key: Some("key".into()),
//!     name: "Magpie".into(),
//! });
//! simulator.script(Target::FeishuSend, [Fault::AcceptThenLose]);
//! let webhook = simulator.feishu_message("cli_a", &Say::direct("ann", "hello"));
//! assert!(webhook.is_some_and(|webhook| webhook.body.starts_with(b"{\"encrypt\":")));
//! assert!(simulator.sent().is_empty(), "nobody has answered yet");
//! ```

mod answer;
pub mod apps;
mod bounded;
mod core;
mod crypto;
mod dingtalk;
pub mod faults;
mod feishu;
pub mod model;
pub mod record;
pub mod say;
pub mod serve;

use std::sync::Arc;

use axum::Router;
use chat::{Clock, Entropy};
use serde_json::Value;
use tokio::sync::broadcast;
use url::Url;

pub use apps::{DingTalkApp, FeishuApp};
pub use faults::{Fault, Target};
pub use model::Model;
pub use record::{Call, Sent};
pub use say::{ChatPlace, Say, SayForm, Webhook};
pub use serve::{Served, serve};

use crate::core::Core;

/// The pretend platforms and model server. Clones share everything.
#[derive(Clone)]
pub struct Simulator {
    core: Arc<Core>,
}

impl Simulator {
    /// An empty one: no apps, nothing said.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { core: Arc::new(Core::new(clock, entropy)) }
    }

    /// All APIs: Feishu under `/feishu/open-apis`, DingTalk under `/dingtalk/v1.0` and `/dingtalk/robot`, the model
    /// server under `/model/v1`. So the base URLs to configure are `…/feishu`, `…/dingtalk` and `…/model`.
    pub fn router(&self) -> Router {
        Router::new()
            .nest("/feishu", core::router(&self.core, feishu::routes()))
            .nest("/dingtalk", core::router(&self.core, dingtalk::routes()))
            .nest("/model", self.model_router())
    }

    /// The model server alone, under `/v1`.
    pub fn model_router(&self) -> Router {
        core::router(&self.core, model::routes())
    }

    /// Registers a Feishu app, or replaces the one with the same `app_id`.
    pub fn add_feishu(&self, app: FeishuApp) {
        feishu::push::add(&mut self.core.world(), app);
    }

    /// Registers a DingTalk app, or replaces the one with the same `client_id`.
    pub fn add_dingtalk(&self, app: DingTalkApp) {
        dingtalk::push::add(&mut self.core.world(), app);
    }

    /// Registers a custom group robot, or replaces the one with the same access token.
    pub fn add_custom_robot(&self, access_token: &str, secret: &str) {
        dingtalk::custom::add(&mut self.core.world(), access_token, secret);
    }

    /// Registers a custom bot of a Feishu group, or replaces the one with the same id. With a keyword, it takes only
    /// messages that have it.
    pub fn add_feishu_custom_bot(&self, id: &str, secret: &str, keyword: Option<&str>) {
        feishu::custom::add(&mut self.core.world(), id, secret, keyword);
    }

    /// The `im.message.receive_v1` that this saying causes: encrypted and signed when the app has an Encrypt Key.
    /// `None` for an unknown app.
    #[must_use]
    pub fn feishu_message(&self, app_id: &str, say: &Say) -> Option<Webhook> {
        feishu::push::message(&mut self.core.world(), app_id, say)
    }

    /// The `url_verification` that the console sends: encrypted when the app has an Encrypt Key, and never signed,
    /// as it may arrive. `None` for an unknown app.
    #[must_use]
    pub fn feishu_challenge(&self, app_id: &str, challenge: &str) -> Option<Webhook> {
        feishu::push::challenge(&self.core.world(), app_id, challenge)
    }

    /// The robot message that this saying causes. `base` is where this simulator's `/dingtalk` is reached; the session
    /// webhook is `{base}/robot/sendBySession?session=…`. `None` for an unknown app, and for what DingTalk never
    /// pushes: what a bot said, and voice and files in a group.
    #[must_use]
    pub fn dingtalk_message(&self, client_id: &str, say: &Say, base: &Url) -> Option<Webhook> {
        dingtalk::push::message(&mut self.core.world(), client_id, say, base)
    }

    /// An encrypted event push with this JSON, `{"EventType":"check_url"}` for instance. `None` for an unknown app and
    /// for one without token and AES key.
    #[must_use]
    pub fn dingtalk_push(&self, client_id: &str, event_json: &str) -> Option<Webhook> {
        dingtalk::push::event(&self.core.world(), client_id, event_json)
    }

    /// What the answer to an event push says, normally `success`. `None` when DingTalk would not accept it: fields
    /// missing, wrong signature, wrong cipher, another owner.
    #[must_use]
    pub fn dingtalk_push_answer(&self, client_id: &str, answer_json: &str) -> Option<String> {
        dingtalk::push::answer(&self.core.world(), client_id, answer_json)
    }

    /// What people can see, oldest first: the latest few thousand.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        self.core.world().state.sent.iter().cloned().collect()
    }

    /// What people see from now on.
    #[must_use]
    pub fn watch(&self) -> broadcast::Receiver<Sent> {
        self.core.watch()
    }

    /// The next calls of the target meet these faults, one each, after those scripted before; then all is normal.
    pub fn script(&self, target: Target, faults: impl IntoIterator<Item = Fault>) {
        self.core.world().state.scripts.entry(target).or_default().extend(faults);
    }

    /// Every API call received, oldest first: the latest few thousand.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.core.world().state.calls.iter().cloned().collect()
    }

    /// The JSON bodies that the model server received, oldest first: the latest thousand.
    #[must_use]
    pub fn model_requests(&self) -> Vec<Value> {
        self.core.world().state.model_requests.iter().cloned().collect()
    }

    /// Ends every access token now: the next use is refused and the next request for one gets a new one.
    pub fn expire_tokens(&self) {
        let mut world = self.core.world();
        world.state.feishu.expire_tokens();
        world.state.dingtalk.expire_tokens();
    }
}

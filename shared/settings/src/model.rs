//! What the configuration says, as types that cannot be wrong.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use chat::{BotId, PlatformId};
use routing::{Clocks, Micros, Place, Price, Protocol, Route, Streaming, Template};
use url::Url;

use crate::KeySource;

/// All that is configured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// The bots, in the file's order.
    pub bots: Vec<BotSettings>,
    /// Where notifications go.
    pub channels: Vec<ChannelSettings>,
    /// The model servers, in the file's order; empty when none is configured.
    pub endpoints: Vec<EndpointSettings>,
    /// How an endpoint is chosen, and how long it may take.
    pub routing: RoutingSettings,
    /// What may be spent on models.
    pub budgets: BudgetSettings,
    /// What a conversation remembers.
    pub memory: MemorySettings,
    /// Where the keys are that seal what people write.
    pub vault: Option<KeySource>,
    /// Who may ask through the gateway.
    pub gateway: GatewaySettings,
    /// The way out of the company's network.
    pub network: NetworkSettings,
    /// What only standalone needs.
    pub standalone: StandaloneSettings,
    /// The file that was read, if there was one.
    pub source: Option<PathBuf>,
}

/// One app on a platform: `[bots.NAME]`.
#[derive(Debug, Clone, PartialEq)]
pub struct BotSettings {
    /// The chat product.
    pub platform: PlatformId,
    /// The name, as in `/webhook/{platform}/{bot}`.
    pub bot: BotId,
    /// Where its keys are.
    pub keys: KeySource,
    /// The platform's API, when not at its usual address. `https`, or `http` to this machine.
    pub base_url: Option<Url>,
    /// What the model is told about itself before the conversation.
    pub persona: Option<String>,
    /// How short messages in a row become one turn, if they do.
    pub merge: Option<MergeSettings>,
    /// The models, or endpoints, that people may choose among with `/model`. Empty when they may not choose.
    pub models: Vec<String>,
}

/// How short messages in a row become one turn: `merge` and its companions in `[bots.NAME]`. In direct chats only; in a
/// group others speak in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MergeSettings {
    /// How long to wait for another message after each.
    pub within: Duration,
    /// How many messages one turn may hold.
    pub most: u32,
}

impl Default for MergeSettings {
    fn default() -> Self {
        Self { within: Duration::from_millis(1_500), most: 8 }
    }
}

/// Where notifications go: `[channels.NAME]`, a group's own robot (keys: for DingTalk `access_token` and `secret`, for
/// Feishu `webhook` and `secret`).
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelSettings {
    /// The name.
    pub name: String,
    /// The chat product.
    pub platform: PlatformId,
    /// Where its keys are.
    pub keys: KeySource,
    /// The platform's API, when not at its usual address. `https`, or `http` to this machine.
    pub base_url: Option<Url>,
}

/// One model server: `[endpoints.NAME]`.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointSettings {
    /// The name.
    pub name: String,
    /// The company's own machine or somebody else's.
    pub place: Place,
    /// The whole URL to call. `http` is allowed everywhere: a model server inside a private network often has no more.
    pub url: Url,
    /// What it speaks; read from the URL's path where the configuration does not say.
    pub protocol: Protocol,
    /// The model to ask for. Empty only for an endpoint from the environment whose `…_MODEL` is not set: a server of
    /// one model takes that.
    pub model: String,
    /// Where its key is, when it wants one.
    pub key: Option<KeySource>,
    /// The longest answer to ask for, in tokens; the server's own limit when absent.
    pub max_tokens: Option<u32>,
    /// How a conversation becomes one text, for the older completions protocol.
    pub template: Template,
    /// How many tokens prompt and answer may be together; unknown when absent.
    pub window: Option<u32>,
    /// Its share beside others of its place, where the balance goes by weight.
    pub weight: u32,
    /// How many questions it is asked at the same time, by each process; any number when absent.
    pub concurrency: Option<u32>,
    /// Whether it understands pictures.
    pub vision: bool,
    /// When it is asked to stream.
    pub streaming: Streaming,
    /// Opening marks of its reasoning, beside those that are known.
    pub reasoning_tags: Vec<String>,
    /// What a million tokens cost; nothing when absent.
    pub price: Option<Price>,
}

impl EndpointSettings {
    /// An endpoint with nothing but what it must have.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        place: Place,
        url: Url,
        protocol: Protocol,
        model: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            place,
            url,
            protocol,
            model: model.into(),
            key: None,
            max_tokens: None,
            template: Template::Transcript,
            window: None,
            weight: 1,
            concurrency: None,
            vision: false,
            streaming: Streaming::Always,
            reasoning_tags: Vec::new(),
            price: None,
        }
    }
}

/// How an endpoint is chosen, and how long it may take: `[routing]`.
#[derive(Debug, Clone, PartialEq)]
pub struct RoutingSettings {
    /// The policy that picks endpoints.
    pub route: Route,
    /// How long each part of an attempt may take.
    pub clocks: Clocks,
    /// How long a connection may take to open.
    pub connect_timeout: Duration,
    /// How long all attempts together may take.
    pub turn_timeout: Duration,
}

impl Default for RoutingSettings {
    fn default() -> Self {
        Self {
            route: Route::default(),
            clocks: Clocks::default(),
            connect_timeout: Duration::from_secs(3),
            // A model that reasons for a minute and a half and then answers for a minute is done by then.
            turn_timeout: Duration::from_secs(240),
        }
    }
}

/// What may be spent on models in a calendar month (UTC): `[budgets]`. No limit where nothing is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BudgetSettings {
    /// By everybody together.
    pub month: Option<Micros>,
    /// By each bot.
    pub bot_month: Option<Micros>,
    /// By each person.
    pub user_month: Option<Micros>,
    /// What follows when one of them is spent.
    pub when_spent: WhenSpent,
}

/// What follows when a budget is spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhenSpent {
    /// `downgrade`: only endpoints are asked that cost no more than is left, in the end those that cost nothing.
    #[default]
    Downgrade,
    /// `stop`: nobody is asked, and the person is told.
    Stop,
}

/// What a conversation remembers: `[memory]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemorySettings {
    /// How many earlier turns a model is shown.
    pub turns: usize,
    /// How many tokens of them, by estimate.
    pub tokens: u32,
    /// After how many days a message is deleted.
    pub days: u32,
}

impl Default for MemorySettings {
    fn default() -> Self {
        Self { turns: 20, tokens: 4000, days: 90 }
    }
}

/// Who may ask through the gateway of standalone: `[gateway]`. Without a token there is no gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GatewaySettings {
    /// The programs that may ask.
    pub tokens: Vec<TokenSettings>,
}

/// One program that may ask through the gateway, and where its token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSettings {
    /// The program's name in rules, logs and accounts.
    pub program: String,
    /// Where its token is.
    pub token: KeySource,
}

/// The program whose token stands under `gateway.token`.
pub(crate) const ONLY_PROGRAM: &str = "gateway";

impl TokenSettings {
    /// The key under which the token stands.
    pub(crate) fn key(&self) -> String {
        if self.program == ONLY_PROGRAM {
            "gateway.token".to_owned()
        } else {
            format!("gateway.tokens.{}", self.program)
        }
    }
}

/// The way out of the company's network: `[network]`, and the variables `SSL_CERT_FILE` and `SSL_CERT_DIR`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkSettings {
    /// Where the certificate authorities are that are trusted beside the bundled ones.
    pub authorities: Vec<AuthoritySource>,
    /// The proxy for platforms and cloud endpoints. Local endpoints are always called directly.
    pub proxy: Option<ProxySource>,
    /// Hosts, domains and networks that are called directly all the same, as they are written.
    pub no_proxy: Vec<String>,
}

/// A file of certificate authorities, or a folder of such files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthoritySource {
    /// The key or the variable that names it.
    pub key: &'static str,
    /// Where it is.
    pub path: PathBuf,
    /// Whether it is a folder.
    pub folder: bool,
}

/// Where the proxy's address is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxySource {
    /// Here, without user and password.
    Address(String),
    /// In a secret, which may hold a user and a password in the address.
    Secret(KeySource),
}

/// What only standalone needs: `[standalone]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandaloneSettings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The folder of the embedded store and queue, seen from the working directory.
    pub data: PathBuf,
    /// Whether to serve the page on which the demo bots can be talked to. On by itself only when there are some.
    pub playground: bool,
    /// The most turns that are answered at the same time. Each takes some 50 KB of memory while it waits for a model.
    pub max_turns_in_flight: usize,
    /// How the log is written.
    pub log_format: LogFormat,
    /// Where the token is that an operator shows to see the details of `/healthz`; without one nobody sees them.
    pub operator_token: Option<KeySource>,
}

/// How standalone writes its log: `standalone.log_format`, or `MAGPIE_LOG_FORMAT` in the environment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// `text`: lines for a person.
    #[default]
    Text,
    /// `json`: one JSON object on each line, as the functions on Lambda write them.
    Json,
}

impl LogFormat {
    /// The accepted words.
    pub(crate) const WORDS: &'static str = "`text` or `json`";
}

impl std::str::FromStr for LogFormat {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(()),
        }
    }
}

impl Default for StandaloneSettings {
    fn default() -> Self {
        Self {
            // This machine only: what listens to the network is for an operator to say.
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 18789)),
            data: PathBuf::from("magpie-data"),
            playground: false,
            max_turns_in_flight: 1_000,
            log_format: LogFormat::default(),
            operator_token: None,
        }
    }
}

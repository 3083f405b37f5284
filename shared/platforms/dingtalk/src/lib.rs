//! All that Magpie knows of DingTalk: what to believe, what was said, how to answer.
//!
//! A DingTalk app robot calls one webhook with two kinds of call, told apart by where their signature stands: robot
//! messages (signed in two headers) and event pushes (signed in the query, encrypted). Answers go to the address that
//! a message brings with it while that is good, about 90 minutes, and then through the API with an access token.
//!
//! What a robot message's signature is worth: it covers the time and nothing else. Whoever sees one signed header can
//! write messages in anybody's name for an hour. TLS keeps the header from being seen; besides that, a message for
//! another robot is refused, a message that was seen is not answered twice, and answers are posted only to hosts that
//! are DingTalk's own.
//!
//! # Layout
//!
//! - `keys`: a bot's keys, checked at start
//! - `hosts`: where DingTalk is, and which reply addresses are DingTalk's
//! - `verify`: the two signatures
//! - [`push`]: the envelope of event push and its answer ([`PushKeys`])
//! - `wire`, `parse`: DingTalk's JSON, and messages made of it; `content` and `mention` are its parts
//! - `address`: where an answer goes, and which way
//! - `render`, `size`: DingTalk's Markdown, cut to size
//! - `send`, `token`: calls and what came of them
//! - [`custom_robot`]: notices into a group
//!
//! # Example
//!
//! ```
//! use platform::{ConnectOptions, KeyRing, Keys};
//!
//! let keys = Keys::from_json(r#"{"client_id": "ding1", "client_secret": "s", "robot_code": "ding1"}"#).unwrap();
//! let bot = (dingtalk::KIND.connect)(&KeyRing::new(keys, None), &ConnectOptions::default()).unwrap();
//! assert_eq!(bot.id().as_str(), "dingtalk");
//! assert_eq!(bot.token_request().url.as_str(), "https://api.dingtalk.com/v1.0/oauth2/accessToken");
//! ```

use std::sync::Arc;

use chat::{PlatformId, Reply, ReplyTo, Segment, SendKey, Timestamp, UserId};
use platform::{
    AccessToken, ConnectOptions, FreshToken, Heard, KeyError, KeyRing, Kind, Moment, Platform, RawEvent,
    RawRequest, Rejection, SendGuarantee, SendOutcome, TokenError, UnknownAddress, Verified,
};
use transport::{NetError, OutRequest, OutResponse};

use crate::{
    address::{Address, Way},
    hosts::Hosts,
    keys::BotKeys,
};

mod address;
mod content;
pub mod custom_robot;
mod hosts;
mod keys;
mod mention;
mod parse;
pub mod push;
mod render;
mod send;
mod size;
mod token;
mod verify;
mod wire;

pub use custom_robot::CustomRobot;
pub use push::PushKeys;

/// DingTalk, as binaries list it. Keys: `client_id`, `client_secret`, `robot_code`; for event push also `token` and
/// `aes_key`.
pub const KIND: Kind = Kind { name: "dingtalk", connect, channel: Some(custom_robot::channel) };

/// DingTalk bound to one bot's keys.
struct DingTalk {
    id: PlatformId,
    /// The versions in force, the current one first.
    keys: Vec<BotKeys>,
    /// What is sent with: the current version again, so that there always is one.
    current: BotKeys,
    hosts: Hosts,
}

fn connect(ring: &KeyRing, options: &ConnectOptions) -> Result<Arc<dyn Platform>, Vec<KeyError>> {
    let mut errors = Vec::new();
    let mut keys = Vec::new();
    for version in ring.accepted() {
        match BotKeys::parse(version) {
            Ok(version) => keys.push(version),
            Err(wrong) => errors.extend(wrong),
        }
    }
    let id = PlatformId::parse(KIND.name)
        .map_err(|_| vec![KeyError::Form { field: "platform", wanted: "a lower-case name" }]);
    match (BotKeys::parse(ring.current()), errors.is_empty()) {
        (Ok(current), true) => Ok(Arc::new(DingTalk { id: id?, keys, current, hosts: Hosts::new(options) })),
        _ => Err(errors),
    }
}

impl Platform for DingTalk {
    fn id(&self) -> &PlatformId {
        &self.id
    }

    fn verify(&self, request: &RawRequest, now: Timestamp) -> Result<Verified<RawEvent>, Rejection> {
        verify::verify(request, &self.keys, now)
    }

    fn parse(&self, event: Verified<RawEvent>, moment: &Moment) -> Result<Heard, Rejection> {
        let RawEvent { way, json } = event.into_inner();
        match way {
            wire::PUSH => parse::push(&json, &self.keys, moment),
            wire::ROBOT => Ok(parse::robot(&json, &self.id, &self.hosts, moment)),
            _ => Err(Rejection::Malformed("an event of another platform")),
        }
    }

    fn render(&self, reply: &Reply, _to: &ReplyTo) -> Vec<Segment> {
        render::dress(&reply.markdown).iter().map(render::Dressed::to_segment).collect()
    }

    fn plain(&self, segment: &Segment) -> Option<Segment> {
        send::plain(segment)
    }

    /// Neither the session webhook nor the API takes a key: a message sent twice shows twice.
    fn guarantee(&self, _to: &ReplyTo, _now: Timestamp) -> SendGuarantee {
        SendGuarantee::Unkeyed
    }

    /// No token while the session webhook is good, and none to an address that cannot be reached at all.
    fn needs_token(&self, to: &ReplyTo, now: Timestamp) -> bool {
        Address::read(to)
            .is_ok_and(|to| matches!(to.way(&self.hosts, now), Ok(Way::Person(_) | Way::Group(_))))
    }

    fn send(
        &self,
        to: &ReplyTo,
        segment: &Segment,
        _key: &SendKey,
        token: Option<&AccessToken>,
        now: Timestamp,
    ) -> Result<OutRequest, UnknownAddress> {
        send::request(&self.hosts, &self.current.robot_code, to, segment, token, now)
    }

    fn outcome(&self, to: &ReplyTo, answer: Result<OutResponse, NetError>) -> SendOutcome {
        send::outcome(to, answer)
    }

    fn token_request(&self) -> OutRequest {
        token::request(&self.hosts, &self.current)
    }

    fn token_answer(&self, answer: &OutResponse) -> Result<FreshToken, TokenError> {
        token::read(answer)
    }

    /// Not needed: DingTalk says with each message whether it mentions the robot.
    fn identity_request(&self, _token: &AccessToken) -> Option<OutRequest> {
        None
    }

    fn identity_answer(&self, _answer: &OutResponse) -> Result<UserId, TokenError> {
        Err(TokenError::Unavailable("DingTalk has no such call".to_owned()))
    }
}

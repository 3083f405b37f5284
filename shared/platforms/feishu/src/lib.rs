//! All that Magpie knows of Feishu and of Lark, its international twin: what to believe, what was said, how to say
//! something back.
//!
//! [`KIND`] is the whole public face. It binds a bot's keys and gives a [`platform::Platform`]; nothing here opens a
//! connection, reads a clock or keeps state.
//!
//! # Keys
//!
//! | field | | what it is |
//! |---|---|---|
//! | `app_id` | required | names the app, `cli_…` |
//! | `app_secret` | required | fetches access tokens |
//! | `verification_token` | required | comes inside every event; compared always |
//! | `encrypt_key` | optional, advised | turns on encryption and signatures; from then on nothing unencrypted is believed |
//!
//! # What is believed
//!
//! With an `encrypt_key`, the signature is checked over the raw body before a byte of it is read, then the body is
//! decrypted and the token compared. One thing may come unsigned, because the console sends it so: an encrypted
//! `url_verification` with the right token. Without an `encrypt_key` there is only the token, which is why one is
//! advised.
//!
//! **The age of the signed timestamp is not checked.** Feishu delivers an event again for up to 7.1 hours and does not
//! document whether a redelivery is signed anew, so a window short enough to matter could lose messages. A replay is
//! harmless instead: a message is known by its `message_id` and answered once.
//!
//! # Layout
//!
//! - `keys`: the app's keys, and what the platform is bound to
//! - `wire`: what Feishu sends, borrowed from the bytes it came in; `json` reads it and what we kept
//! - `verify`: signature, decryption, token
//! - `parse`: envelopes, and what a message says; `mention` and `content` and `post` are its parts
//! - `render`: a reply as texts and cards; `tame` takes out what a model may not do
//! - `custom_bot`: notices into a group
//! - `send`: the calls, and what came of them; `token` for access tokens and the bot's own id
//!
//! # Example
//!
//! ```
//! use bytes::Bytes;
//! use chat::{BotId, Timestamp};
//! use http::HeaderMap;
//! use platform::{ConnectOptions, Event, KeyRing, Keys, Moment, RawRequest};
//!
//! let keys = Keys::from_json(r#"{"app_id": "cli_1", "app_secret": "s", "verification_token": "vtok"}"#)?;
//! let feishu = (feishu::KIND.connect)(&KeyRing::new(keys, None), &ConnectOptions::default()).unwrap();
//!
//! let body = Bytes::from_static(br#"{"challenge":"c-1","token":"vtok","type":"url_verification"}"#);
//! let request = RawRequest { headers: HeaderMap::new(), query: Vec::new(), body };
//! let now = Timestamp::from_millis(1_700_000_000_000);
//!
//! let verified = feishu.verify(&request, now)?;
//! let heard = feishu.parse(verified, &Moment { bot: BotId::parse("helpdesk")?, now, nonce: [0; 16] })?;
//! assert!(matches!(heard.event, Event::Handshake));
//! assert_eq!(heard.answer.body, r#"{"challenge":"c-1"}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod content;
mod custom_bot;
mod json;
mod keys;
mod mention;
mod parse;
mod post;
mod render;
mod send;
mod tame;
mod token;
mod verify;
mod wire;

use std::sync::Arc;

use chat::{PlatformId, Reply, ReplyTo, Segment, SendKey, Timestamp, UserId};
use platform::{
    AccessToken, ConnectOptions, FreshToken, Heard, KeyError, KeyRing, Kind, Moment, Platform, RawEvent,
    RawRequest, Rejection, SendGuarantee, SendOutcome, TokenError, UnknownAddress, Verified,
};
use transport::{NetError, OutRequest, OutResponse};

/// The platform's name, as in `/webhook/feishu/{bot}`. Lark goes by the same name with another base URL.
const NAME: &str = "feishu";

/// Feishu and Lark. [`ConnectOptions::base_url`] is `https://open.feishu.cn` unless given; for Lark it is
/// `https://open.larksuite.com`. A path in it is kept and goes before `/open-apis/`.
pub const KIND: Kind = Kind { name: NAME, connect, channel: Some(custom_bot::connect) };

fn connect(ring: &KeyRing, options: &ConnectOptions) -> Result<Arc<dyn Platform>, Vec<KeyError>> {
    let bound = keys::bind(ring, options)?;
    Ok(Arc::new(Feishu { bound }))
}

/// Feishu bound to one app's keys.
struct Feishu {
    bound: keys::Bound,
}

impl Platform for Feishu {
    fn id(&self) -> &PlatformId {
        &self.bound.id
    }

    fn verify(&self, request: &RawRequest, _now: Timestamp) -> Result<Verified<RawEvent>, Rejection> {
        verify::verify(request, &self.bound.checks)
    }

    fn parse(&self, event: Verified<RawEvent>, moment: &Moment) -> Result<Heard, Rejection> {
        Ok(parse::parse(&event.into_inner(), &self.bound.id, moment))
    }

    fn render(&self, reply: &Reply, _to: &ReplyTo) -> Vec<Segment> {
        render::render(&reply.markdown)
    }

    fn plain(&self, segment: &Segment) -> Option<Segment> {
        send::plain(segment)
    }

    fn guarantee(&self, _to: &ReplyTo, _now: Timestamp) -> SendGuarantee {
        SendGuarantee::Keyed { window: send::KEY_WINDOW }
    }

    fn needs_token(&self, _to: &ReplyTo, _now: Timestamp) -> bool {
        true
    }

    fn send(
        &self,
        to: &ReplyTo,
        segment: &Segment,
        key: &SendKey,
        token: Option<&AccessToken>,
        _now: Timestamp,
    ) -> Result<OutRequest, UnknownAddress> {
        send::request(&self.bound.api, to, segment, key, token)
    }

    fn outcome(&self, to: &ReplyTo, answer: Result<OutResponse, NetError>) -> SendOutcome {
        send::outcome(to, answer)
    }

    fn token_request(&self) -> OutRequest {
        token::request(&self.bound.api, &self.bound.app)
    }

    fn token_answer(&self, answer: &OutResponse) -> Result<FreshToken, TokenError> {
        token::answer(answer)
    }

    fn identity_request(&self, token: &AccessToken) -> Option<OutRequest> {
        Some(token::identity_request(&self.bound.api, token))
    }

    fn identity_answer(&self, answer: &OutResponse) -> Result<UserId, TokenError> {
        token::identity(answer)
    }
}

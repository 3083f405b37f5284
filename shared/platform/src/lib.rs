//! What every chat platform speaks: the [`Platform`] trait and the values that go through it.
//!
//! A [`Platform`] is one chat product bound to one bot's keys. It does no I/O: it says what to believe
//! ([`Platform::verify`]), what was said ([`Platform::parse`]), and how to say something back ([`Platform::render`],
//! [`Platform::send`], [`Platform::outcome`]). Whoever holds one carries out the calls. So a platform can be fuzzed,
//! benchmarked and simulated without a network, and the same code serves a Lambda function and a laptop.
//!
//! # Layout
//!
//! - [`request`]: a webhook as it arrives ([`RawRequest`]) and as it is answered ([`HookAnswer`])
//! - [`channel`]: groups that are only spoken to ([`Channel`])
//! - [`event`]: what verification and parsing yield ([`RawEvent`], [`Heard`], [`Event`]) and what they refuse
//! - [`keys`]: a bot's keys ([`Keys`], [`KeyRing`]) and how a platform is made of them ([`Kind`])
//! - [`lenient`]: JSON whose fields may be of unexpected types
//! - [`refusal`]: why a platform refuses a message, and what it says about that
//! - [`send`]: calls to the platform and what came of them
//!
//! # Example
//!
//! ```
//! use platform::{KeyRing, Keys};
//!
//! let keys = Keys::from_json(r#"{"app_id": "cli_1", "app_secret": "s"}"#)?;
//! let ring = KeyRing::new(keys, None);
//! assert!(ring.current().require("app_id").is_ok());
//! assert!(ring.current().require("encrypt_key").is_err());
//! # Ok::<(), platform::KeyError>(())
//! ```

pub mod channel;
pub mod event;
pub mod keys;
pub mod lenient;
pub mod refusal;
pub mod request;
pub mod send;

use chat::{PlatformId, Reply, ReplyTo, Segment, SendKey, Timestamp, UserId};
use transport::{NetError, OutRequest, OutResponse};
pub use webhook::Verified;

pub use channel::{Channel, ConnectChannel, Delivery, Notice};
pub use event::{Event, Heard, Moment, RawEvent, Rejection};
pub use keys::{Connect, ConnectOptions, KeyError, KeyRing, Keys, Kind};
pub use refusal::{PlatformMessage, Refusal, RefusalKind};
pub use request::{HookAnswer, RawRequest};
pub use send::{AccessToken, FreshToken, SendGuarantee, SendOutcome, TokenError, UnknownAddress};

/// A chat product bound to one bot's keys, without I/O: what to believe, what was said, how to say something back.
pub trait Platform: Send + Sync {
    /// The platform's name, as in `/webhook/{platform}/{bot}`.
    fn id(&self) -> &PlatformId;

    /// Decides whether a webhook comes from the platform: over its raw bytes, before anything in them is believed.
    /// While keys rotate, every key of the ring is tried.
    ///
    /// # Errors
    ///
    /// [`Rejection::Unverified`] for anything that could be forged, [`Rejection::Malformed`] for what is not even JSON.
    fn verify(&self, request: &RawRequest, now: Timestamp) -> Result<Verified<RawEvent>, Rejection>;

    /// Reads a verified event: what was said, and what the platform wants to hear at once. An event of a new shape is no
    /// error: what can be read of it counts, and [`Heard::unknown`] says what could not.
    ///
    /// # Errors
    ///
    /// [`Rejection::Malformed`] for an event that another platform verified.
    fn parse(&self, event: Verified<RawEvent>, moment: &Moment) -> Result<Heard, Rejection>;

    /// Dresses and splits a reply. The same reply always gives the same segments, so that a send can be repeated.
    fn render(&self, reply: &Reply, to: &ReplyTo) -> Vec<Segment>;

    /// The content of a segment in the platform's plainest form, for when it refuses the form; nothing when the segment is
    /// in it already.
    fn plain(&self, segment: &Segment) -> Option<Segment>;

    /// What a repeated send to this address does.
    fn guarantee(&self, to: &ReplyTo, now: Timestamp) -> SendGuarantee;

    /// Whether a send to this address carries an access token.
    fn needs_token(&self, to: &ReplyTo, now: Timestamp) -> bool;

    /// The call that sends one segment.
    ///
    /// # Errors
    ///
    /// [`UnknownAddress`] when `to` was not written by this platform.
    fn send(
        &self,
        to: &ReplyTo,
        segment: &Segment,
        key: &SendKey,
        token: Option<&AccessToken>,
        now: Timestamp,
    ) -> Result<OutRequest, UnknownAddress>;

    /// What came of a send. `HTTP 200` is not success on either platform: the body decides.
    fn outcome(&self, to: &ReplyTo, answer: Result<OutResponse, NetError>) -> SendOutcome;

    /// The call that fetches an access token.
    fn token_request(&self) -> OutRequest;

    /// Reads the answer to [`Platform::token_request`].
    ///
    /// # Errors
    ///
    /// Says whether the platform refused the keys or could not answer.
    fn token_answer(&self, answer: &OutResponse) -> Result<FreshToken, TokenError>;

    /// The call that tells the bot its own id on the platform, where mentions can only be resolved with it.
    fn identity_request(&self, token: &AccessToken) -> Option<OutRequest>;

    /// Reads the answer to [`Platform::identity_request`].
    ///
    /// # Errors
    ///
    /// Says whether the platform refused or could not answer.
    fn identity_answer(&self, answer: &OutResponse) -> Result<UserId, TokenError>;
}

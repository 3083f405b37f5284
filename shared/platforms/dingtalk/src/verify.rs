//! What to believe: the two ways by which DingTalk calls one webhook.

use std::time::Duration;

use chat::Timestamp;
use platform::{
    RawEvent, RawRequest, Rejection, Verified,
    lenient::{Object, repaired},
};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use webhook::{ReplayWindow, mac};

use crate::{
    keys::BotKeys,
    wire::{PUSH, Pushed, ROBOT, Text},
};

/// How far a robot message's timestamp may be from now, to either side: DingTalk says that one "more than 1 hour" off
/// is to be refused and signs nothing narrower. The edge itself counts as outside. Within this hour whoever saw one
/// signed header can send it again, which the deduplication by `msgId` makes harmless for the same message.
const WINDOW: ReplayWindow = ReplayWindow::new(Duration::from_secs(3600));

/// Decides over a webhook. One address gets robot messages and event pushes; a push is signed in its query.
pub(crate) fn verify(
    request: &RawRequest,
    keys: &[BotKeys],
    now: Timestamp,
) -> Result<Verified<RawEvent>, Rejection> {
    match PushQuery::of(request) {
        Some(query) => push(request, &query, keys),
        None => robot(request, keys, now),
    }
}

/// The field of a robot message that says for which robot it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Addressed<'a> {
    #[serde(borrow)]
    robot_code: Option<Text<'a>>,
}

/// A robot message: an HMAC over its timestamp, and over nothing else.
///
/// Since the body is not signed, a `robotCode` in it that is another robot's is refused: that catches a header pair
/// replayed across two bots of one app. It stops nobody who writes the right code. What remains is TLS on the way
/// here, deduplication, and that nothing in the body is trusted further than a message's words: see
/// `sessionWebhook` in [`crate::hosts`].
fn robot(request: &RawRequest, keys: &[BotKeys], now: Timestamp) -> Result<Verified<RawEvent>, Rejection> {
    let timestamp = request.header("timestamp").ok_or(Rejection::Unverified("no `timestamp` header"))?;
    let sign = request.header("sign").ok_or(Rejection::Unverified("no `sign` header"))?;
    let signed = ReplayWindow::parse_millis(timestamp)
        .map_err(|_| Rejection::Unverified("`timestamp` is no number of milliseconds"))?;
    WINDOW.check(signed, now).map_err(|_| Rejection::Unverified("`timestamp` is an hour or more away"))?;
    let (proof, bot) = keys
        .iter()
        .find_map(|bot| {
            let secret = bot.client_secret.expose_secret();
            let message = format!("{timestamp}\n{secret}");
            let proof = mac::check_hmac_sha256_base64(secret.as_bytes(), message.as_bytes(), sign).ok()?;
            Some((proof, bot))
        })
        .ok_or(Rejection::Unverified("`sign` does not match"))?;
    match names_another(&request.body, &bot.robot_code) {
        Some(false) => {}
        Some(true) => return Err(Rejection::Unverified("`robotCode` is another robot's")),
        None => return Err(Rejection::Malformed("the body is no JSON object")),
    }
    Ok(Verified::new(proof, RawEvent { way: ROBOT, json: request.body.to_vec() }))
}

/// Whether a body names another robot, if it is a JSON object. The signature does not cover it, so what is none has nothing to
/// show that it is DingTalk's.
fn names_another(body: &[u8], robot_code: &str) -> Option<bool> {
    let read = |json: &[u8]| {
        let Object(addressed) = serde_json::from_slice::<Object<Addressed<'_>>>(json).ok()?;
        Some(addressed?.robot_code.is_some_and(|code| code.as_str() != robot_code))
    };
    read(body).or_else(|| read(repaired(body)?.as_bytes()))
}

/// What signs an event push. Older senders spell two of the names differently.
struct PushQuery<'a> {
    signature: &'a str,
    timestamp: &'a str,
    nonce: &'a str,
}

impl<'a> PushQuery<'a> {
    fn of(request: &'a RawRequest) -> Option<Self> {
        Some(Self {
            signature: request.query("msg_signature").or_else(|| request.query("signature"))?,
            timestamp: request.query("timestamp").or_else(|| request.query("timeStamp"))?,
            nonce: request.query("nonce")?,
        })
    }
}

/// The body of an event push.
#[derive(Deserialize)]
struct Envelope {
    encrypt: String,
}

/// An event push: a signature over the envelope, then the envelope.
///
/// Finding `encrypt` in the JSON is the one reading that comes before the check, because the signature is over that
/// text; only then is anything decrypted. DingTalk documents no window for the timestamp and sends it in seconds or
/// milliseconds, so none is kept: a push that is sent again gets the same answer and changes nothing.
fn push(
    request: &RawRequest,
    query: &PushQuery<'_>,
    keys: &[BotKeys],
) -> Result<Verified<RawEvent>, Rejection> {
    if keys.iter().all(|bot| bot.push.is_none()) {
        return Err(Rejection::Unverified("event push is not configured"));
    }
    let Envelope { encrypt } = serde_json::from_slice(&request.body)
        .map_err(|_| Rejection::Unverified("the body of an event push has no `encrypt`"))?;
    let (proof, key, push) = keys
        .iter()
        .enumerate()
        .find_map(|(key, bot)| {
            let push = bot.push.as_ref()?;
            let proof = push.check(query.timestamp, query.nonce, &encrypt, query.signature).ok()?;
            Some((proof, key, push))
        })
        .ok_or(Rejection::Unverified("`msg_signature` does not match"))?;
    let plain = push.open(&encrypt).map_err(|_| Rejection::Unverified("`encrypt` cannot be opened"))?;
    // Text of another encoding is repaired: it is DingTalk's and wants its answer.
    let event = String::from_utf8_lossy(&plain).into_owned();
    Ok(Verified::new(proof, RawEvent { way: PUSH, json: Pushed { key, event }.to_json() }))
}

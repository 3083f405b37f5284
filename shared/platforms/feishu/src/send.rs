//! The call that answers a message, and what came of it.

use std::time::Duration;

use chat::{EventId, ReplyTo, Segment, SendKey};
use http::{HeaderMap, StatusCode, header};
use platform::{
    AccessToken, Refusal, RefusalKind, SendOutcome, UnknownAddress,
    lenient::{Object, Text, filled},
};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use transport::{NetError, OutRequest, OutResponse};

use crate::{
    json::{self, NotThat},
    keys::Api,
    render,
};

/// How long Feishu drops a second send under the same `uuid`: "at most one message within one hour", for send and for
/// reply. Later than that, the same key shows the message twice.
pub(crate) const KEY_WINDOW: Duration = Duration::from_hours(1);

/// How long to wait when Feishu says to slow down and not for how long. Its limits count by the second.
const USUAL_PAUSE: Duration = Duration::from_secs(1);

/// The longest wait that Feishu may ask for. Its limits reset within a minute; more is a mistake that would hold up a
/// conversation.
const LONGEST_PAUSE_SECONDS: u64 = 60;

/// Where an answer goes: beside which message, and whether inside its thread.
#[derive(Serialize, Deserialize)]
pub(crate) struct Address {
    v: u8,
    message_id: String,
    in_thread: bool,
}

impl Address {
    const VERSION: u8 = 1;

    pub(crate) fn new(message_id: &str, in_thread: bool) -> Self {
        Self { v: Self::VERSION, message_id: message_id.to_owned(), in_thread }
    }

    pub(crate) fn seal(&self) -> ReplyTo {
        // A number, a text and a flag cannot fail to become JSON.
        ReplyTo(serde_json::to_string(self).unwrap_or_default())
    }

    fn open(to: &ReplyTo) -> Result<Self, UnknownAddress> {
        let address: Self = json::answer(to.0.as_bytes()).ok_or(UnknownAddress)?;
        // Dots alone would climb out of the path instead of naming a message in it.
        let names_a_message = EventId::parse(address.message_id.as_str()).is_ok()
            && !address.message_id.bytes().all(|byte| byte == b'.');
        if address.v == Self::VERSION && names_a_message { Ok(address) } else { Err(UnknownAddress) }
    }
}

/// What a [`Segment`] holds: the part of the body that does not depend on where it goes.
#[derive(Serialize, Deserialize)]
pub(crate) struct Payload {
    pub(crate) msg_type: String,
    /// JSON inside of JSON.
    pub(crate) content: String,
}

impl Payload {
    pub(crate) fn seal(&self) -> Segment {
        // Two texts cannot fail to become JSON.
        Segment(serde_json::to_string(self).unwrap_or_default())
    }
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    payload: &'a Payload,
    uuid: &'a str,
    reply_in_thread: bool,
}

/// `POST /open-apis/im/v1/messages/{message_id}/reply`
pub(crate) fn request(
    api: &Api,
    to: &ReplyTo,
    segment: &Segment,
    key: &SendKey,
    token: Option<&AccessToken>,
) -> Result<OutRequest, UnknownAddress> {
    let address = Address::open(to)?;
    let payload: Payload = json::answer(segment.0.as_bytes()).ok_or(UnknownAddress)?;
    let body = Body { payload: &payload, uuid: key.as_str(), reply_in_thread: address.in_thread };
    let body = serde_json::to_vec(&body).map_err(|_| UnknownAddress)?;
    let request =
        OutRequest::post_json(api.url(&["im", "v1", "messages", &address.message_id, "reply"]), body);
    Ok(match token {
        Some(token) => bearer(request, token),
        None => request,
    })
}

/// The call with the access token in its `Authorization`.
pub(crate) fn bearer(request: OutRequest, token: &AccessToken) -> OutRequest {
    request.with_secret_header(header::AUTHORIZATION, &format!("Bearer {}", token.0.expose_secret()))
}

#[derive(Deserialize)]
struct Answer<'a> {
    code: i64,
    #[serde(borrow)]
    msg: Option<Text<'a>>,
    #[serde(borrow, default)]
    data: Object<Data<'a>>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    message_id: Option<Text<'a>>,
}

/// What came of a send to `to`. The code in the body decides, whatever the status: Feishu refuses with `200` as well.
pub(crate) fn outcome(to: &ReplyTo, answer: Result<OutResponse, NetError>) -> SendOutcome {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) if error.may_have_arrived() => return SendOutcome::Unknown,
        Err(_) => return SendOutcome::Retry { after: USUAL_PAUSE },
    };
    let repaired;
    let read: Result<Answer<'_>, NotThat> = match json::object(&answer.body) {
        Ok(read) => Ok(read),
        Err(NotThat) => {
            repaired = platform::lenient::repaired(&answer.body).unwrap_or_default();
            json::object(repaired.as_bytes())
        }
    };
    let Ok(read) = read else { return unreadable(&answer) };
    match read.code {
        0 => {
            let id = read.data.0.and_then(|data| data.message_id);
            SendOutcome::Accepted(filled(id.as_ref()).map(str::to_owned))
        }
        // The tenant token is not valid any more; the others are the same fault of other kinds of token.
        99_991_663 | 99_991_664 | 99_991_665 | 99_991_668 | 99_991_671 | 99_991_677 => {
            SendOutcome::TokenExpired
        }
        // Too many calls of the app.
        99_991_400 => SendOutcome::Retry { after: pause(&answer.headers) },
        // Too many messages to a person or a chat; message service, chat and internal limits; still being sent.
        230_020 | 11_232 | 11_233 | 11_247 | 230_049 => SendOutcome::Retry { after: pause(&answer.headers) },
        _ if answer.status == StatusCode::TOO_MANY_REQUESTS => {
            SendOutcome::Retry { after: pause(&answer.headers) }
        }
        // A code that says nothing known under a status that says "our fault": it may have been sent. Asking again
        // under the same key is harmless.
        code if answer.status.is_server_error() && !is_final(code) => SendOutcome::Unknown,
        // The group has no threads, or not this one: the place beside the question is left.
        NO_THREAD if in_thread(to) => beside(to),
        code => {
            let message = read.msg.as_ref().map(Text::as_str).unwrap_or_default();
            SendOutcome::Refused(Refusal::new(kind(code), code.to_string(), message))
        }
    }
}

/// The group does not support replies in threads.
const NO_THREAD: i64 = 230_071;

/// What may be done about a refusal with this code.
const fn kind(code: i64) -> RefusalKind {
    match code {
        // Failed to create card content (11310: too many tables, and many more, in its words); card too long, of an
        // unsupported form, or of fields that are not right. A text passes where its card does not.
        230_099
        | 230_025
        | 230_054
        | 230_055
        | 230_001
        | 11_246
        | 11_310
        | 11_311
        | 9_499
        | 99_992_402
        | 200_000..=200_999
        | 300_300..=300_399 => RefusalKind::Form,
        // Sensitive content; a data-loss audit.
        230_022 | 230_028 => RefusalKind::Content,
        // The question was withdrawn or deleted, by its author or with its thread; the group was dissolved.
        230_011 | 231_003 | 230_110 | 230_019 | 232_009 => RefusalKind::Gone,
        _ => RefusalKind::Other,
    }
}

fn in_thread(to: &ReplyTo) -> bool {
    Address::open(to).is_ok_and(|address| address.in_thread)
}

/// The same question, answered beside it.
fn beside(to: &ReplyTo) -> SendOutcome {
    match Address::open(to) {
        Ok(address) => SendOutcome::Moved(Address { in_thread: false, ..address }.seal()),
        Err(UnknownAddress) => SendOutcome::Refused(Refusal::new(RefusalKind::Other, "no address", "")),
    }
}

/// The words of a card as a text; nothing for what is a text.
pub(crate) fn plain(segment: &Segment) -> Option<Segment> {
    let payload: Payload = json::answer(segment.0.as_bytes())?;
    let card: Value = serde_json::from_str(&payload.content).ok()?;
    let elements = card.pointer("/body/elements")?.as_array()?.iter();
    let words: Vec<_> = elements.filter_map(|element| element.get("content")?.as_str()).collect();
    (!words.is_empty()).then(|| render::text(&words.join("\n\n")).seal())
}

/// Whether Feishu documents the code as one that trying again does not change: its messaging codes and those for
/// missing rights and bad fields.
const fn is_final(code: i64) -> bool {
    matches!(
        code,
        230_001..=230_019
            | 230_022..=230_038
            | 230_050..=230_110
            | 231_003
            | 232_009
            | 11_310
            | 11_311
            | 200_000..=200_999
            | 9_499
            | 11_246
            | 99_991_401
            | 99_991_661
            | 99_991_662
            | 99_991_672
            | 99_991_673
            | 99_992_402
    )
}

/// An answer that is not Feishu's: a gateway's, or one cut short.
fn unreadable(answer: &OutResponse) -> SendOutcome {
    match answer.status {
        StatusCode::TOO_MANY_REQUESTS => SendOutcome::Retry { after: pause(&answer.headers) },
        // The call was turned away before it came to the message service.
        status
            if status.is_redirection()
                || (status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT) =>
        {
            let code = format!("HTTP {}", status.as_u16());
            SendOutcome::Refused(Refusal::new(RefusalKind::Other, code, ""))
        }
        _ => SendOutcome::Unknown,
    }
}

/// How long Feishu asks to wait: whole seconds in `x-ogw-ratelimit-reset`.
pub(crate) fn pause(headers: &HeaderMap) -> Duration {
    let seconds =
        headers.get("x-ogw-ratelimit-reset").and_then(|value| value.to_str().ok()?.trim().parse().ok());
    seconds.map_or(USUAL_PAUSE, |seconds: u64| Duration::from_secs(seconds.clamp(1, LONGEST_PAUSE_SECONDS)))
}

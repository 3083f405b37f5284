//! Sending, and what came of it.

use std::time::Duration;

use chat::{ReplyTo, Segment, Timestamp};
use http::HeaderName;
use platform::{AccessToken, Refusal, RefusalKind, SendOutcome, UnknownAddress, lenient::Text};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{Value, json};
use transport::{NetError, OutRequest, OutResponse};

use crate::{
    address::{Address, Way},
    hosts::Hosts,
    render::{Dressed, Form},
    wire::Loose,
};

/// The header that carries the access token.
const TOKEN: HeaderName = HeaderName::from_static("x-acs-dingtalk-access-token");

/// How long to wait when DingTalk is busy or counts calls per second: its limits last one second.
const BUSY: Duration = Duration::from_secs(1);

/// How long to wait when DingTalk counts messages per minute.
const TOO_MANY: Duration = Duration::from_secs(60);

/// How long to wait when DingTalk's gateway turns our whole address away and does not say for how long.
const BLOCKED: Duration = Duration::from_secs(5);

/// The longest wait that is believed when the gateway names one: it blocks for five minutes.
const BLOCKED_MAX: Duration = Duration::from_secs(300);

/// The call that sends one segment. A segment that is not ours is an [`UnknownAddress`] too: there is nothing to send
/// to anybody.
pub(crate) fn request(
    hosts: &Hosts,
    robot_code: &str,
    to: &ReplyTo,
    segment: &Segment,
    token: Option<&AccessToken>,
    now: Timestamp,
) -> Result<OutRequest, UnknownAddress> {
    let address = Address::read(to)?;
    let words = Dressed::read(segment).ok_or(UnknownAddress)?;
    let (path, receiver) = match address.way(hosts, now)? {
        Way::Webhook(url) => return Ok(OutRequest::post_json(url, webhook_body(&words).to_string())),
        Way::Person(staff) => ("/v1.0/robot/oToMessages/batchSend", ("userIds", json!([staff]))),
        Way::Group(chat) => ("/v1.0/robot/groupMessages/send", ("openConversationId", json!(chat))),
    };
    let mut body = api_body(&words, robot_code);
    body[receiver.0] = receiver.1;
    let request = OutRequest::post_json(hosts.api(path), body.to_string());
    // Without a token the call goes out all the same, and the answer is the one for an expired token.
    Ok(match token {
        Some(token) => request.with_secret_header(TOKEN, token.0.expose_secret()),
        None => request,
    })
}

/// A message as session webhooks and custom robots take it.
pub(crate) fn webhook_body(words: &Dressed) -> Value {
    match words.form {
        Form::Text => json!({"msgtype": "text", "text": {"content": words.text}}),
        Form::Markdown => {
            json!({"msgtype": "markdown", "markdown": {"title": words.title, "text": words.text}})
        }
    }
}

/// A message as the API takes it, without its receiver.
fn api_body(words: &Dressed, robot_code: &str) -> Value {
    let (key, param) = match words.form {
        Form::Text => ("sampleText", json!({"content": words.text})),
        Form::Markdown => ("sampleMarkdown", json!({"title": words.title, "text": words.text})),
    };
    json!({"robotCode": robot_code, "msgKey": key, "msgParam": param.to_string()})
}

/// What any of DingTalk's answers may hold. Which fields there are tells who answered: the older API and webhooks
/// (`errcode`), the v1.0 API (`code` or `processQueryKey`), or the gateway before both (`status`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    errcode: Option<Loose>,
    #[serde(borrow, default)]
    errmsg: Text<'a>,
    code: Option<Loose>,
    #[serde(borrow, default)]
    message: Text<'a>,
    #[serde(default)]
    accessdenieddetail: Value,
    process_query_key: Option<String>,
    invalid_staff_id_list: Option<Vec<String>>,
    flow_controlled_staff_id_list: Option<Vec<String>>,
    status: Option<Loose>,
    wait: Option<Loose>,
}

/// What came of a send to `to`.
pub(crate) fn outcome(to: &ReplyTo, answer: Result<OutResponse, NetError>) -> SendOutcome {
    let address = Address::read(to).ok();
    judge(
        answer,
        TOO_MANY,
        |answer| match &answer.errcode {
            Some(_) if session_is_over(answer) => address.clone().and_then(Address::without_webhook),
            _ => None,
        },
        |person| address.as_ref().is_some_and(|address| address.is_staff(person)),
    )
}

/// What came of a send through a custom robot, which has no other address to fall back on.
pub(crate) fn custom_robot_outcome(answer: Result<OutResponse, NetError>, too_many: Duration) -> SendOutcome {
    judge(answer, too_many, |_| None, |_| false)
}

/// DingTalk does not document the code for a session webhook that has ended, only that its text speaks of the
/// session. To take another refusal for it costs one call of the API, which says so again.
fn session_is_over(answer: &Answer<'_>) -> bool {
    answer.errmsg.as_str().to_lowercase().contains("session")
}

fn judge(
    answer: Result<OutResponse, NetError>,
    too_many: Duration,
    elsewhere: impl Fn(&Answer<'_>) -> Option<Address>,
    is_receiver: impl Fn(&str) -> bool,
) -> SendOutcome {
    let response = match answer {
        Ok(response) => response,
        Err(error) if error.may_have_arrived() => return SendOutcome::Unknown,
        Err(_) => return SendOutcome::Retry { after: BUSY },
    };
    let status = response.status;
    match serde_json::from_slice::<Answer<'_>>(&response.body) {
        Ok(answer) if number(answer.status.as_ref()) == Some(1111) => {
            SendOutcome::Retry { after: wait(answer.wait.as_ref()) }
        }
        _ if status.is_server_error() => SendOutcome::Unknown,
        Ok(answer) => match &answer.errcode {
            Some(code) => by_errcode(code, answer.errmsg.as_str(), too_many, elsewhere(&answer)),
            None if status.is_success() => by_lists(&answer, is_receiver),
            None => by_code(status, &answer.code.as_ref().map(Loose::text).unwrap_or_default(), &answer),
        },
        // The gateway's page for people instead of an answer: nothing got through it.
        Err(_) if status.is_client_error() => SendOutcome::Retry { after: BLOCKED },
        Err(_) => SendOutcome::Unknown,
    }
}

/// Webhooks and the older API answer `200` whatever happened.
fn by_errcode(code: &Loose, message: &str, too_many: Duration, elsewhere: Option<Address>) -> SendOutcome {
    match (code.number(), elsewhere) {
        (Some(0), _) => SendOutcome::Accepted(None),
        // Busy; over the app's or everybody's calls per second.
        (Some(-1 | 90002 | 90018), _) => SendOutcome::Retry { after: BUSY },
        // Too many messages: the one in the documents, the other in people's logs.
        (Some(410_100 | 130_101), _) => SendOutcome::Retry { after: too_many },
        (_, Some(address)) => SendOutcome::Moved(address.to_reply()),
        (Some(88 | 40014 | 42001), None) => SendOutcome::TokenExpired,
        (number, None) => refused(kind_of_number(number), &code.text(), message),
    }
}

fn refused(kind: RefusalKind, code: &str, message: &str) -> SendOutcome {
    SendOutcome::Refused(Refusal::new(kind, shown(code), message))
}

/// What may be done about a refusal of the older API and of webhooks.
const fn kind_of_number(code: Option<i64>) -> RefusalKind {
    match code {
        // The JSON, or the type of message, is not taken.
        Some(40_035 | 400_105) => RefusalKind::Form,
        // Unsafe link, text, picture, content.
        Some(430_101..=430_104) => RefusalKind::Content,
        // The group is dissolved.
        Some(400_013) => RefusalKind::Gone,
        _ => RefusalKind::Other,
    }
}

/// What may be done about a refusal of the v1.0 API.
fn kind_of_text(code: &str) -> RefusalKind {
    match code {
        "invalidParameter.msgKey.invalid" | "invalidParameter.msgParam.invalid" => RefusalKind::Form,
        _ if ["contain.unsafe", "contain.notAllowed", "param.contentUnsafe"]
            .iter()
            .any(|known| code.starts_with(known)) =>
        {
            RefusalKind::Content
        }
        "group.disbanded" => RefusalKind::Gone,
        _ => RefusalKind::Other,
    }
}

/// A `200` of the v1.0 API means that the call was understood; whether the person gets the message is in its lists.
fn by_lists(answer: &Answer<'_>, is_receiver: impl Fn(&str) -> bool) -> SendOutcome {
    let names = |list: &Option<Vec<String>>| list.iter().flatten().any(|person| is_receiver(person));
    if names(&answer.invalid_staff_id_list) {
        refused(RefusalKind::Other, "invalidStaffId", "")
    } else if names(&answer.flow_controlled_staff_id_list) {
        SendOutcome::Retry { after: BUSY }
    } else {
        match &answer.process_query_key {
            Some(key) if !key.is_empty() => SendOutcome::Accepted(Some(key.clone())),
            _ => SendOutcome::Unknown,
        }
    }
}

fn by_code(status: http::StatusCode, code: &str, answer: &Answer<'_>) -> SendOutcome {
    match code {
        "InvalidAuthentication" | "40014" | "42001" | "88" => SendOutcome::TokenExpired,
        "send.too.fast" | "send.byToken.tooFast" => SendOutcome::Retry { after: TOO_MANY },
        // A scope that is missing is a 403 as well, and waiting does not mend it.
        _ if code.contains("QpsLimit") || status == http::StatusCode::TOO_MANY_REQUESTS => {
            SendOutcome::Retry { after: BUSY }
        }
        _ if status.is_client_error() => {
            let code = if code.is_empty() { status.as_str() } else { code };
            refused(kind_of_text(code), code, &said(answer.message.as_str(), &answer.accessdenieddetail))
        }
        _ => SendOutcome::Unknown,
    }
}

/// What DingTalk says in words, with the scopes that it names beside them.
pub(crate) fn said(message: &str, denied: &Value) -> String {
    let scopes = denied.get("requiredScopes").and_then(Value::as_array).into_iter().flatten();
    let scopes: Vec<String> = scopes.filter_map(Value::as_str).map(shown).collect();
    if scopes.is_empty() {
        message.to_owned()
    } else {
        format!("{message} requiredScopes: {}", scopes.join(" "))
    }
}

/// The same words as plain text; nothing for what is plain text.
pub(crate) fn plain(segment: &Segment) -> Option<Segment> {
    let words = Dressed::read(segment).filter(|words| words.form == Form::Markdown)?;
    Some(Dressed { form: Form::Text, title: String::new(), ..words }.to_segment())
}

fn number(value: Option<&Loose>) -> Option<i64> {
    value.and_then(Loose::number)
}

fn wait(seconds: Option<&Loose>) -> Duration {
    let seconds = number(seconds).and_then(|seconds| u64::try_from(seconds).ok());
    seconds.map_or(BLOCKED, Duration::from_secs).clamp(BUSY, BLOCKED_MAX)
}

/// A code as it may be logged: DingTalk's are short and plain, and nothing else gets through.
pub(crate) fn shown(code: &str) -> String {
    code.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')).take(80).collect()
}

#[cfg(test)]
mod tests;

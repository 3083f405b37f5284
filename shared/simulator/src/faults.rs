//! What can go wrong on purpose, and in what words each API says it.

use std::time::Duration;

use http::StatusCode;
use serde::Serialize;
use serde_json::json;

use crate::answer::Answer;

/// Which API a fault or a call belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Feishu's `tenant_access_token`.
    FeishuToken,
    /// Feishu's messages: reply, send, edit, update, recall.
    FeishuSend,
    /// Feishu's `bot/v3/info`.
    FeishuInfo,
    /// DingTalk's `accessToken`.
    DingTalkToken,
    /// DingTalk's `sendBySession`.
    DingTalkSessionWebhook,
    /// DingTalk's `batchSend` and `groupMessages/send`.
    DingTalkSend,
    /// DingTalk's custom robots.
    DingTalkCustomRobot,
    /// The model server's completions. Its list of models is recorded under this too, and never takes a fault.
    Model,
}

/// What happens to one call instead of the normal course of things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This HTTP status and a page that is no JSON, as a gateway in front would answer.
    Status(u16),
    /// This error code, in the words and with the HTTP status of the API. DingTalk's v1.0 errors are texts: the old
    /// numbers 88, 40014, 42001 (token), 90002, 90018 (Qps), 90020 (monthly quota), 40089 (secret), 410100 and
    /// 130101 (too fast) and -1 (busy) become the text of the same meaning.
    Code(i64),
    /// Too many calls. Feishu and the model server say how many seconds to wait; DingTalk does not.
    RateLimited {
        /// Seconds to wait.
        reset_seconds: u64,
    },
    /// The normal answer after this time. A caller that gives up earlier is not served at all.
    Hang(Duration),
    /// Nothing is done and the connection closes without an answer.
    Reset,
    /// The call is carried out and the connection closes without an answer.
    AcceptThenLose,
    /// Nothing is done. A model answers with empty text, a platform with 200 and an empty body.
    Empty,
    /// Nothing is done, and the answer is 200 and a page that is no JSON.
    Garbage,
    /// A model answers with this text; a platform does nothing and answers 200 with it as the body.
    Answer(String),
    /// The call is carried out and the connection closes in the middle of the answer.
    Cut,
    /// The call is carried out and the answer stands still for this time in its middle.
    Stall(Duration),
    /// Nothing is done, and the answer is an event stream of these data, with this time before each.
    Paced {
        /// What each event holds.
        events: Vec<String>,
        /// The time before each event.
        every: Duration,
    },
    /// Nothing is done, and the answer is this status and body, for errors and streams in words of your own.
    Raw {
        /// The HTTP status.
        status: u16,
        /// The body; one that begins with `data:` goes out as an event stream, any other as JSON.
        body: String,
    },
}

/// What to answer in place of the normal course; `None` when the call is to be carried out.
pub(crate) fn instead(target: Target, fault: &Fault) -> Option<Answer> {
    match fault {
        Fault::Status(status) => Some(Answer::page(*status)),
        Fault::Code(code) => Some(refusal(target, *code)),
        Fault::RateLimited { reset_seconds } => Some(too_many(target, *reset_seconds)),
        Fault::Reset => Some(Answer::lost()),
        Fault::Garbage => Some(Answer::page(200)),
        Fault::Empty if target != Target::Model => Some(Answer::text(StatusCode::OK, String::new())),
        Fault::Answer(body) if target != Target::Model => Some(Answer::text(StatusCode::OK, body.clone())),
        Fault::Paced { events, every } => Some(Answer::events(events.iter().cloned()).paced(*every)),
        Fault::Raw { status, body } => Some(Answer::text(status_of(*status), body.clone())),
        Fault::Hang(_)
        | Fault::AcceptThenLose
        | Fault::Cut
        | Fault::Stall(_)
        | Fault::Empty
        | Fault::Answer(_) => None,
    }
}

/// A status, or 500 for a number that is none.
pub(crate) fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn refusal(target: Target, code: i64) -> Answer {
    match target {
        Target::FeishuToken | Target::FeishuSend | Target::FeishuInfo => {
            crate::feishu::error(code, "scripted error")
        }
        Target::DingTalkToken | Target::DingTalkSend => {
            let (status, text) = dingtalk_text(code);
            crate::dingtalk::error(status, &text, "scripted error")
        }
        Target::DingTalkSessionWebhook | Target::DingTalkCustomRobot => {
            crate::dingtalk::errcode(code, "scripted error")
        }
        Target::Model => {
            let status = u16::try_from(code).ok().filter(|status| (400..600).contains(status)).unwrap_or(400);
            crate::model::error(status_of(status), "scripted_error", &json!(code), "scripted error")
        }
    }
}

fn too_many(target: Target, seconds: u64) -> Answer {
    match target {
        Target::FeishuToken | Target::FeishuSend | Target::FeishuInfo => {
            crate::feishu::error(99_991_400, "request trigger frequency limit")
                .header("x-ogw-ratelimit-limit", "50")
                .header("x-ogw-ratelimit-reset", &seconds.to_string())
        }
        Target::DingTalkToken | Target::DingTalkSend => refusal(target, 90_018),
        Target::DingTalkSessionWebhook | Target::DingTalkCustomRobot => {
            crate::dingtalk::errcode(410_100, "send too fast")
        }
        Target::Model => crate::model::error(
            StatusCode::TOO_MANY_REQUESTS,
            "requests",
            &json!("rate_limit_exceeded"),
            "Rate limit reached",
        )
        .header("retry-after", &seconds.to_string()),
    }
}

/// DingTalk's v1.0 word for one of the old numbers, and its HTTP status.
fn dingtalk_text(code: i64) -> (StatusCode, String) {
    let (status, text) = match code {
        88 | 40_014 | 42_001 => (StatusCode::BAD_REQUEST, "InvalidAuthentication"),
        40_089 => (StatusCode::BAD_REQUEST, "invalidClientIdOrSecret"),
        90_002 => (StatusCode::FORBIDDEN, "Forbidden.AccessDenied.QpsLimitForApi"),
        90_018 => (StatusCode::FORBIDDEN, "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"),
        90_020 => (StatusCode::FORBIDDEN, "Forbidden.AccessDenied.ApiCountLimitForOrg"),
        130_101 | 410_100 => (StatusCode::BAD_REQUEST, "send.too.fast"),
        -1 => (StatusCode::INTERNAL_SERVER_ERROR, "system.error"),
        other => return (StatusCode::BAD_REQUEST, other.to_string()),
    };
    (status, text.to_owned())
}

//! Custom bots of groups: a one-way channel into one group, for notices.
//!
//! A custom bot is an address with an id that a group's member makes. It hears nothing; what it sends is signed with its
//! secret when the group's settings ask for that. Feishu takes 5 messages a second and 100 a minute from each, of 20 KB
//! at most. There are no idempotency keys.
//!
//! ```
//! use chat::Timestamp;
//! use platform::{ConnectOptions, Keys};
//!
//! let keys = r#"{"webhook": "https://open.feishu.cn/open-apis/bot/v2/hook/ID", "secret": "demo"}"#;
//! let connect = feishu::KIND.channel.unwrap();
//! let bot = connect(&Keys::from_json(keys)?, &ConnectOptions::default()).unwrap();
//! let request = bot.request(&bot.notices("Disk full")[0], Timestamp::from_millis(100_000), "");
//! let body: serde_json::Value = serde_json::from_slice(&request.body)?;
//! assert_eq!(body["sign"], "jquNHnVOwmDRfw+vqTIrY5dooJAgi5EcRtLsQE4wfXg=");
//! assert_eq!(body["content"]["text"], "Disk full");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::time::Duration;

use chat::Timestamp;
use http::StatusCode;
use platform::{Channel, ConnectOptions, Delivery, KeyError, Keys, Notice, Refusal, RefusalKind};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use transport::{NetError, OutRequest, OutResponse};
use url::Url;
use webhook::mac;

use crate::{json as read, render, send};

/// The largest request, in bytes, with room for timestamp and signature. Feishu refuses more than 20 KB (9499).
const BODY_MAX: usize = 19_000;

/// Five messages a second, and a little less.
const INTERVAL: Duration = Duration::from_millis(250);

/// What a webhook address must look like.
const ADDRESS: &str = "the whole webhook address that the group's settings show, \
     https://open.feishu.cn/open-apis/bot/v2/hook/… (Lark: open.larksuite.com)";

/// A custom bot, bound to its keys.
pub(crate) struct CustomBot {
    address: Url,
    secret: Option<SecretString>,
}

/// Takes `webhook`, and `secret` where the bot signs. A base URL replaces the address's own beginning.
pub(crate) fn connect(keys: &Keys, options: &ConnectOptions) -> Result<Box<dyn Channel>, Vec<KeyError>> {
    let text = keys.require("webhook").map_err(|error| vec![error])?;
    let wrong = || vec![KeyError::Form { field: "webhook", wanted: ADDRESS }];
    let id = id_of(text.expose_secret().trim()).ok_or_else(wrong)?;
    let mut address = match &options.base_url {
        Some(base) => base.clone(),
        None => text.expose_secret().trim().parse().map_err(|_| wrong())?,
    };
    if options.base_url.is_none() {
        address.set_path("");
        address.set_query(None);
    }
    address.path_segments_mut().map_err(|()| wrong())?.pop_if_empty().extend([
        "open-apis",
        "bot",
        "v2",
        "hook",
        id.as_str(),
    ]);
    Ok(Box::new(CustomBot { address, secret: keys.optional("secret") }))
}

/// The id at the end of a webhook address; `None` for any other address. It is a secret: whoever knows it can send.
fn id_of(text: &str) -> Option<String> {
    let url: Url = text.parse().ok().filter(|url: &Url| url.scheme() == "https")?;
    let segments: Vec<_> = url.path_segments()?.collect();
    match segments[..] {
        ["open-apis", "bot", "v2", "hook", id] if !id.is_empty() => Some(id.to_owned()),
        _ => None,
    }
}

impl Channel for CustomBot {
    fn notices(&self, markdown: &str) -> Vec<Notice> {
        render::payloads(markdown, BODY_MAX)
            .into_iter()
            .map(|payload| {
                // What was written as JSON is read as JSON.
                let content = serde_json::from_str(&payload.content).unwrap_or(Value::Null);
                let field = if payload.msg_type == "interactive" { "card" } else { "content" };
                let body = json!({ "msg_type": payload.msg_type, field: content });
                Notice(body.to_string().into())
            })
            .collect()
    }

    fn request(&self, notice: &Notice, now: Timestamp, _id: &str) -> OutRequest {
        let mut body: Value = serde_json::from_slice(&notice.0).unwrap_or_default();
        if let Some(secret) = &self.secret {
            let timestamp = now.as_seconds().to_string();
            body["sign"] = sign(&timestamp, secret.expose_secret()).into();
            body["timestamp"] = timestamp.into();
        }
        OutRequest::post_json(self.address.clone(), body.to_string())
    }

    fn outcome(&self, answer: Result<OutResponse, NetError>) -> Delivery {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if error.may_have_arrived() => return Delivery::Unknown,
            Err(error) => return Delivery::Retry { after: Duration::from_secs(1), error: Some(error) },
        };
        let Some(said) = read::answer::<Said>(&answer.body) else { return unreadable(&answer) };
        match said.code.or(said.status_code) {
            Some(0) => Delivery::Accepted,
            Some(11_232) => Delivery::Retry { after: send::pause(&answer.headers), error: None },
            Some(code) => {
                // Feishu's own words say more than the code for some.
                let refusal = Refusal::new(RefusalKind::Other, code.to_string(), said.msg);
                Delivery::Refused { code: refusal.sanitised(&[]), help: help(code) }
            }
            None => unreadable(&answer),
        }
    }

    fn interval(&self) -> Duration {
        INTERVAL
    }
}

/// The older field names come beside the newer ones, and sometimes alone.
#[derive(Deserialize)]
struct Said {
    code: Option<i64>,
    #[serde(rename = "StatusCode")]
    status_code: Option<i64>,
    #[serde(default)]
    msg: String,
}

/// The signature of a send, in Base64: HMAC-SHA-256 over nothing, under the timestamp in seconds, a line feed and the
/// secret.
fn sign(timestamp: &str, secret: &str) -> String {
    mac::hmac_sha256_base64(format!("{timestamp}\n{secret}").as_bytes(), b"")
}

/// What an operator can do about a code.
const fn help(code: i64) -> Option<&'static str> {
    Some(match code {
        19_001 => {
            "the webhook address is not known: copy it from the group's settings again; it ends when the bot is removed"
        }
        19_021 => {
            "the signature does not match: compare `secret` with the group's settings, and check this machine's clock, \
             which may be off by an hour at most"
        }
        19_022 => "this machine's address is not in the bot's IP allow-list: add it in the group's settings",
        19_024 => {
            "none of the bot's keywords is in the text: put one in, or remove the keywords in the group's settings"
        }
        9_499 | 19_002 | 19_036 => {
            "Feishu could not read the message, or it is over 20 KB: please report this"
        }
        _ => return None,
    })
}

/// An answer that is not Feishu's: a proxy's, or one cut short.
fn unreadable(answer: &OutResponse) -> Delivery {
    match answer.status {
        StatusCode::TOO_MANY_REQUESTS => Delivery::Retry { after: send::pause(&answer.headers), error: None },
        status if status.is_client_error() || status.is_redirection() => Delivery::Refused {
            code: format!("HTTP {}", status.as_u16()),
            help: help(19_001).filter(|_| status == StatusCode::NOT_FOUND),
        },
        _ => Delivery::Unknown,
    }
}

#[cfg(test)]
mod tests;

//! Custom group robots: a one-way channel into one group, for notices.
//!
//! A custom robot is a URL with a token that a group's owner makes. It hears nothing; what it sends is signed with its
//! secret when the group's settings ask for that. DingTalk takes 20 messages a minute from each and then none for ten
//! minutes.
//!
//! ```
//! use chat::Timestamp;
//! use dingtalk::custom_robot::CustomRobot;
//! use platform::{ConnectOptions, Keys};
//!
//! let keys = Keys::from_json(r#"{"access_token": "TOKEN", "secret": "SEC0123456789abcdef0123456789abcdef"}"#).unwrap();
//! let robot = CustomRobot::connect(&keys, &ConnectOptions::default()).unwrap();
//! for notice in dingtalk::custom_robot::notices("**Disk** is nearly full") {
//!     let request = robot.request(&notice, Timestamp::from_millis(1_700_000_001_000), "notice-1");
//!     assert_eq!(
//!         request.url.as_str(),
//!         "https://oapi.dingtalk.com/robot/send?access_token=TOKEN&timestamp=1700000001000\
//!          &sign=gtpEPR2wWPcOsv104SbDofXCKlaFyjzYARehcTpvZNQ%3D"
//!     );
//! }
//! ```

use std::time::Duration;

use chat::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use platform::{Channel, ConnectOptions, Delivery, KeyError, Keys, SendOutcome};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use transport::{NetError, OutRequest, OutResponse};
use webhook::mac;

use crate::{
    hosts::Hosts,
    render::{Dressed, dress},
    send,
};

/// What stays as it is in the query. A bare `+` of the Base64 signature would arrive as a space, and the signature
/// with it would not match.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// For how long DingTalk blocks a robot that sent more than 20 messages in a minute.
const TOO_MANY: Duration = Duration::from_secs(600);

/// One message of a notice: dressed, and small enough for DingTalk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice(Dressed);

/// Dresses a notice, written in Markdown, and splits it where it is too long for one message. The same words always
/// give the same messages; blank words give none. The notice mentions nobody, whatever it says.
#[must_use]
pub fn notices(markdown: &str) -> Vec<Notice> {
    dress(markdown).into_iter().map(Notice).collect()
}

/// A custom robot, bound to its keys.
#[derive(Debug, Clone)]
pub struct CustomRobot {
    access_token: SecretString,
    secret: Option<SecretString>,
    hosts: Hosts,
}

impl CustomRobot {
    /// Takes `access_token`, and `secret` where the robot signs.
    ///
    /// # Errors
    ///
    /// All that is wrong with the keys at once. A secret that does not begin with `SEC` is none of DingTalk's.
    pub fn connect(keys: &Keys, options: &ConnectOptions) -> Result<Self, Vec<KeyError>> {
        let mut errors = Vec::new();
        let secret = keys.optional("secret");
        if secret.as_ref().is_some_and(|secret| !secret.expose_secret().starts_with("SEC")) {
            errors.push(KeyError::Form {
                field: "secret",
                wanted: "the signing secret, which begins with SEC",
            });
        }
        match keys.require("access_token") {
            Ok(access_token) if errors.is_empty() => {
                Ok(Self { access_token, secret, hosts: Hosts::new(options) })
            }
            Ok(_) => Err(errors),
            Err(error) => {
                errors.insert(0, error);
                Err(errors)
            }
        }
    }

    /// The call that sends one message. DingTalk drops a second one under the same `msg_uuid`; for how long it
    /// remembers is not documented. The signature is good for an hour around `now`.
    #[must_use]
    pub fn request(&self, notice: &Notice, now: Timestamp, msg_uuid: &str) -> OutRequest {
        self.request_of(send::webhook_body(&notice.0), now, msg_uuid)
    }

    fn request_of(&self, mut body: Value, now: Timestamp, msg_uuid: &str) -> OutRequest {
        let mut url = self.hosts.oapi("/robot/send");
        let mut query = format!("access_token={}", encoded(self.access_token.expose_secret()));
        if let Some(secret) = &self.secret {
            let timestamp = now.as_millis().to_string();
            let sign = sign(&timestamp, secret.expose_secret());
            query.push_str(&format!("&timestamp={timestamp}&sign={}", encoded(&sign)));
        }
        url.set_query(Some(&query));
        body["msgUuid"] = msg_uuid.into();
        OutRequest::post_json(url, body.to_string())
    }

    /// What came of a send. Refusals hold DingTalk's number: 310000 is the security check (keyword, signature, clock
    /// or address), 400013 a group that is no more.
    #[must_use]
    pub fn outcome(&self, answer: Result<OutResponse, NetError>) -> SendOutcome {
        send::custom_robot_outcome(answer, TOO_MANY)
    }
}

/// Binds a custom robot as a channel.
pub(crate) fn channel(keys: &Keys, options: &ConnectOptions) -> Result<Box<dyn Channel>, Vec<KeyError>> {
    Ok(Box::new(CustomRobot::connect(keys, options)?))
}

impl Channel for CustomRobot {
    fn notices(&self, markdown: &str) -> Vec<platform::Notice> {
        let body = |words: &Dressed| platform::Notice(send::webhook_body(words).to_string().into());
        dress(markdown).iter().map(body).collect()
    }

    fn request(&self, notice: &platform::Notice, now: Timestamp, id: &str) -> OutRequest {
        self.request_of(serde_json::from_slice(&notice.0).unwrap_or_default(), now, id)
    }

    fn outcome(&self, answer: Result<OutResponse, NetError>) -> Delivery {
        let error = answer.as_ref().err().copied();
        match Self::outcome(self, answer) {
            SendOutcome::Accepted(_) => Delivery::Accepted,
            SendOutcome::Refused(refusal) => {
                Delivery::Refused { code: refusal.sanitised(&[]), help: help(&refusal.code) }
            }
            SendOutcome::Retry { after } => Delivery::Retry { after, error },
            SendOutcome::TokenExpired | SendOutcome::Moved(_) | SendOutcome::Unknown => Delivery::Unknown,
        }
    }
}

/// What an operator can do about a code.
fn help(code: &str) -> Option<&'static str> {
    Some(match code {
        "310000" => {
            "the robot's security settings refuse it: compare `secret` with the group's settings, check this machine's \
             clock and address, and the robot's keywords"
        }
        "400013" => "the group is dissolved",
        "400101" | "400102" | "400106" => {
            "the robot is gone, stopped or not in the group: copy its address from the group's settings again"
        }
        "430101" | "430102" | "430103" | "430104" => "DingTalk's content check refused the text",
        _ => return None,
    })
}

/// The signature of a send, in Base64, before percent-encoding: HMAC-SHA-256 under the secret over the timestamp in
/// milliseconds, a line feed and the secret. The same as for robot messages, with another key.
#[must_use]
pub fn sign(timestamp: &str, secret: &str) -> String {
    mac::hmac_sha256_base64(secret.as_bytes(), format!("{timestamp}\n{secret}").as_bytes())
}

fn encoded(text: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(text, KEPT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn robot(json: &str) -> Result<CustomRobot, Vec<KeyError>> {
        CustomRobot::connect(&Keys::from_json(json).unwrap(), &ConnectOptions::default())
    }

    #[test]
    fn all_wrong_keys_are_told_at_once() {
        assert_eq!(robot(r#"{"secret": "hidden"}"#).unwrap_err().len(), 2);
        assert_eq!(robot(r#"{"access_token": "t", "secret": "hidden"}"#).unwrap_err().len(), 1);
        assert!(robot(r#"{"access_token": "t"}"#).is_ok());
    }

    #[test]
    fn a_robot_without_secret_sends_unsigned() {
        let robot = robot(r#"{"access_token": "a+b&c"}"#).unwrap();
        let request = robot.request(&notices("plain")[0], Timestamp::from_millis(1), "u1");
        assert_eq!(request.url.as_str(), "https://oapi.dingtalk.com/robot/send?access_token=a%2Bb%26c");
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        let expected = serde_json::json!({"msgtype": "text", "text": {"content": "plain"}, "msgUuid": "u1"});
        assert_eq!(body, expected, "and no `at`, so that nobody is mentioned");
    }

    #[test]
    fn a_robot_that_sent_too_much_waits_out_its_block() {
        let answer = |body: &'static str| {
            let response = OutResponse {
                status: http::StatusCode::OK,
                headers: http::HeaderMap::new(),
                body: body.into(),
            };
            robot(r#"{"access_token": "t"}"#).unwrap().outcome(Ok(response))
        };
        assert_eq!(answer(r#"{"errcode":0,"errmsg":"ok"}"#), SendOutcome::Accepted(None));
        assert_eq!(answer(r#"{"errcode":410100}"#), SendOutcome::Retry { after: TOO_MANY });
        assert_eq!(
            answer(r#"{"errcode":310000,"errmsg":"sign not match"}"#),
            SendOutcome::Refused(platform::Refusal::new(
                platform::RefusalKind::Other,
                "310000",
                "sign not match"
            ))
        );
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown =
            format!("{:?}", robot(r#"{"access_token": "hidden-1", "secret": "SEChidden-2"}"#).unwrap());
        assert!(!shown.contains("hidden"), "{shown}");
    }
}

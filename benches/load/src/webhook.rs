//! Feishu's webhooks, made in advance: encrypted and signed, each message and sender distinct.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use gateways::client::Address;
use http::{HeaderMap, HeaderValue, header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::net::SocketAddr;
use webhook::{EnvelopeKey, PadBlock, mac};

/// Where the bot's webhooks are received.
pub const PATH: &str = "/webhook/feishu/load";

/// The name of the environment variable in which servers find [`credentials`].
pub const CREDENTIALS_VARIABLE: &str = "LOAD_KEYS";

const APP_ID: &str = "cli_9f5343c580712544";
const VERIFICATION_TOKEN: &str = "v7kQmX2pLr9TzW4bNc8sYd1f";
const ENCRYPT_KEY: &str = "q3Jt8VnZ5xKc2RmP7wLd4HsB";
const NONCE: &str = "3f2a9c1b";

/// The bot's credentials, made up for these runs, as Magpie and the handlers of the SDKs read them.
#[must_use]
pub fn credentials() -> Value {
    json!({
        "app_id": APP_ID, "app_secret": "load", "verification_token": VERIFICATION_TOKEN,
        "encrypt_key": ENCRYPT_KEY,
    })
}

/// A webhook, ready to send.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Which question it carries.
    pub question: usize,
    signature: HeaderValue,
    /// The encrypted body.
    pub body: Bytes,
}

/// Makes webhooks for one server.
#[derive(Debug)]
pub struct Maker {
    key: EnvelopeKey,
    conversations: usize,
    /// In milliseconds since 1970, as Feishu dates what was said.
    now: u64,
}

impl Maker {
    /// For direct conversations with this many people, dated now (milliseconds since 1970).
    #[must_use]
    pub fn new(conversations: usize, now: u64) -> Self {
        Self {
            key: EnvelopeKey::new(Sha256::digest(ENCRYPT_KEY).into()),
            conversations: conversations.max(1),
            now,
        }
    }

    /// The webhook of a question. The conversations take turns.
    #[must_use]
    pub fn make(&self, question: usize) -> Webhook {
        let plain = self.event(question).into_bytes();
        // A platform draws it; here it only has to differ.
        let iv: [u8; 16] = (question as u128).to_be_bytes();
        let sealed = STANDARD.encode([&iv[..], &self.key.seal(iv, plain, PadBlock::Sixteen)].concat());
        let body = Bytes::from(json!({ "encrypt": sealed }).to_string());
        let signature = self.sign(ENCRYPT_KEY, &body);
        Webhook { question, signature, body }
    }

    /// The webhooks of the questions from 0 on.
    #[must_use]
    pub fn make_all(&self, count: usize) -> Vec<Webhook> {
        (0..count).map(|question| self.make(question)).collect()
    }

    /// Webhooks that a server must refuse, each with what is wrong with it.
    #[must_use]
    pub fn forge(&self, question: usize) -> Vec<(&'static str, Webhook)> {
        let genuine = self.make(question);
        let another = self.make(question + 1);
        let other_key = self.sign("another key", &genuine.body);
        vec![
            ("signed with another key", Webhook { signature: other_key, ..genuine.clone() }),
            ("the signature of another body", Webhook { signature: another.signature, ..genuine.clone() }),
            ("not signed", Webhook { signature: HeaderValue::from_static(""), ..genuine }),
        ]
    }

    /// How a server is asked with it.
    ///
    /// # Errors
    ///
    /// When the address cannot stand in a header.
    pub fn address(&self, socket: SocketAddr) -> anyhow::Result<Address> {
        let mut headers = HeaderMap::with_capacity(6);
        headers.insert(header::HOST, socket.to_string().parse()?);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json;charset=utf-8"));
        headers.insert("x-lark-request-timestamp", self.seconds().parse()?);
        headers.insert("x-lark-request-nonce", HeaderValue::from_static(NONCE));
        Ok(Address { socket, path: PATH.to_owned(), headers })
    }

    fn seconds(&self) -> String {
        (self.now / 1000).to_string()
    }

    fn sign(&self, key: &str, body: &[u8]) -> HeaderValue {
        let seconds = self.seconds();
        let parts = [seconds.as_bytes(), NONCE.as_bytes(), key.as_bytes(), body];
        // Hexadecimal digits are always a header's value.
        HeaderValue::from_str(&mac::sha256_hex(&parts)).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    fn event(&self, question: usize) -> String {
        let person = question % self.conversations;
        let said = self.now.to_string();
        let content = json!({ "text": text(question) }).to_string();
        json!({
            "schema": "2.0",
            "header": {"event_id": format!("{question:032x}"), "event_type": "im.message.receive_v1",
                "create_time": said, "token": VERIFICATION_TOKEN, "app_id": APP_ID, "tenant_key": "2ca1d211f64f6438"},
            "event": {
                "sender": {"sender_id": {"union_id": format!("on_{person:032x}"), "user_id": format!("{person:08x}"),
                    "open_id": format!("ou_{person:032x}")}, "sender_type": "user", "tenant_key": "2ca1d211f64f6438"},
                "message": {"message_id": message_id(question), "create_time": said, "update_time": said,
                    "chat_id": format!("oc_{person:032x}"), "chat_type": "p2p", "message_type": "text",
                    "content": content},
            },
        })
        .to_string()
    }
}

impl Webhook {
    /// The headers of one server, with this webhook's signature.
    #[must_use]
    pub fn to(&self, address: &Address) -> Address {
        let mut address = address.clone();
        address.headers.insert("x-lark-signature", self.signature.clone());
        address
    }
}

/// What is asked. [`question_in`] finds it again.
fn text(question: usize) -> String {
    format!("{MARK}{question:08} 请帮我总结一下上周的发布会议，列出三个要点 and the open questions")
}

/// Before a question's number, in its text and in that of its answer.
const MARK: &str = "load-";

/// The answer to a question.
#[must_use]
pub fn answer(question: usize) -> String {
    format!("{MARK}{question:08}")
}

/// The last question that a text names: what a model is asked comes after what is remembered.
#[must_use]
pub fn question_in(text: &[u8]) -> Option<usize> {
    let from = memchr::memmem::rfind(text, MARK.as_bytes())? + MARK.len();
    std::str::from_utf8(text.get(from..from + 8)?).ok()?.parse().ok()
}

/// The platform's id of a question's message.
fn message_id(question: usize) -> String {
    format!("om_{question:032x}")
}

/// The question whose message has this id.
#[must_use]
pub fn question_of(message_id: &str) -> Option<usize> {
    usize::from_str_radix(message_id.strip_prefix("om_")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use chat::{BotId, Timestamp};
    use platform::{ConnectOptions, Event, KeyRing, Keys, Moment, RawRequest, Rejection};

    use super::*;

    const NOW: u64 = 1_700_000_100_000;

    /// What Magpie makes of a webhook.
    fn read(maker: &Maker, webhook: &Webhook) -> Result<chat::Message, Rejection> {
        let keys = Keys::from_json(&credentials().to_string()).unwrap();
        let connect = feishu::KIND.connect;
        let platform = connect(&KeyRing::new(keys, None), &ConnectOptions::default()).unwrap();
        let address = maker.address(([127, 0, 0, 1], 1).into()).unwrap();
        let headers = webhook.to(&address).headers;
        let request = RawRequest { headers, query: Vec::new(), body: webhook.body.clone() };
        let now = Timestamp::from_millis(i64::try_from(NOW).unwrap());
        let moment = Moment { bot: BotId::parse("load").unwrap(), now, nonce: [0; 16] };
        let heard = platform.parse(platform.verify(&request, now)?, &moment)?;
        let Event::Message(message) = heard.event else { panic!("{heard:?}") };
        Ok(*message)
    }

    #[test]
    fn a_webhook_is_one_that_the_platform_could_send() {
        let maker = Maker::new(10, NOW);
        let first = read(&maker, &maker.make(3)).unwrap();
        let next = read(&maker, &maker.make(13)).unwrap();
        let other = read(&maker, &maker.make(4)).unwrap();
        assert_eq!(
            first.conversation, next.conversation,
            "the eleventh question is the first person's again"
        );
        assert_ne!(first.conversation, other.conversation);
        assert_ne!(first.event, next.event);
    }

    #[test]
    fn a_forged_webhook_is_refused() {
        let maker = Maker::new(10, NOW);
        let forged = maker.forge(3);
        assert_eq!(forged.len(), 3);
        for (why, webhook) in forged {
            assert!(matches!(read(&maker, &webhook), Err(Rejection::Unverified(_))), "{why}");
        }
    }

    #[test]
    fn a_question_is_found_in_what_it_leads_to() {
        assert_eq!(question_of(&message_id(345)), Some(345));
        assert_eq!(question_of("om_x"), None);
        let history = format!("{}, {}: {}", text(7), answer(7), text(12_345));
        assert_eq!(question_in(history.as_bytes()), Some(12_345));
        assert_eq!(question_in(answer(9).as_bytes()), Some(9));
        for no in ["", "load-", "load-12", "load-1234567x"] {
            assert_eq!(question_in(no.as_bytes()), None, "{no}");
        }
    }
}

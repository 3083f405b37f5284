//! What one encrypted, signed Feishu message of about 1 KB costs to receive: verify, decrypt, parse.

#![expect(clippy::expect_used, reason = "a benchmark that cannot build its event must not run")]

use std::{hint::black_box, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use chat::{BotId, Timestamp};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use http::{HeaderMap, HeaderValue};
use platform::{ConnectOptions, Event, Heard, KeyRing, Keys, Moment, Platform, RawRequest, Rejection};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use webhook::{EnvelopeKey, PadBlock, mac};

const TOKEN: &str = "v7kQmX2pLr9TzW4bNc8sYd1f";
const KEY: &str = "q3Jt8VnZ5xKc2RmP7wLd4HsB";
const NOW: Timestamp = Timestamp::from_millis(1_700_000_100_000);

/// A message in a group that mentions the bot and asks something, as Feishu writes it.
fn event() -> String {
    json!({
        "schema": "2.0",
        "header": {"event_id": "5e3702a84e847582be8db7fb73283c02", "event_type": "im.message.receive_v1",
            "create_time": "1700000100123", "token": TOKEN, "app_id": "cli_9f5343c580712544",
            "tenant_key": "2ca1d211f64f6438"},
        "event": {
            "sender": {"sender_id": {"union_id": "on_8ed6aa67826108097d9ee143816345aa",
                "user_id": "e33ggbyz", "open_id": "ou_84aad35d084aa403a838cf73ee18467a"},
                "sender_type": "user", "tenant_key": "736588c9260f175e"},
            "message": {"message_id": "om_5ce6d572455d361153b7cb51da133945", "create_time": "1700000099912",
                "update_time": "1700000099912", "chat_id": "oc_5ce6d572455d361153b7xx51da133945",
                "chat_type": "group", "message_type": "text",
                "content": "{\"text\":\"@_user_1 请帮我总结一下上周的发布会议，列出三个要点\\nand the open questions\"}",
                "mentions": [{"key": "@_user_1", "id": {"union_id": "on_8ed6aa67826108097d9ee143816345bb",
                    "user_id": "", "open_id": "ou_84aad35d084aa403a838cf73ee18467b"},
                    "name": "Magpie", "tenant_key": "736588c9260f175e"}]},
        },
    })
    .to_string()
}

fn request(plain: String) -> RawRequest {
    let iv = [9; 16];
    let envelope =
        EnvelopeKey::new(Sha256::digest(KEY).into()).seal(iv, plain.into_bytes(), PadBlock::Sixteen);
    let body = json!({ "encrypt": STANDARD.encode([&iv[..], &envelope].concat()) }).to_string();
    let (timestamp, nonce) = ("1700000100", "3f2a9c1b");
    let signature =
        mac::sha256_hex(&[timestamp.as_bytes(), nonce.as_bytes(), KEY.as_bytes(), body.as_bytes()]);
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("content-type", "application/json;charset=utf-8"),
        ("x-lark-request-timestamp", timestamp),
        ("x-lark-request-nonce", nonce),
        ("x-lark-signature", &signature),
    ] {
        headers.insert(name, HeaderValue::from_str(value).expect("plain text"));
    }
    RawRequest { headers, query: Vec::new(), body: Bytes::from(body) }
}

fn platform() -> Arc<dyn Platform> {
    let keys = json!({"app_id": "cli_1", "app_secret": "s", "verification_token": TOKEN, "encrypt_key": KEY});
    let keys = Keys::from_json(&keys.to_string()).expect("texts");
    (feishu::KIND.connect)(&KeyRing::new(keys, None), &ConnectOptions::default()).expect("whole keys")
}

fn hear(platform: &dyn Platform, request: &RawRequest, moment: &Moment) -> Result<Heard, Rejection> {
    platform.parse(platform.verify(request, moment.now)?, moment)
}

fn receive(criterion: &mut Criterion) {
    let (platform, request) = (platform(), request(event()));
    let moment = Moment { bot: BotId::parse("helpdesk").expect("a slug"), now: NOW, nonce: [0; 16] };
    let heard = hear(&*platform, &request, &moment).expect("understood");
    assert!(matches!(heard.event, Event::Message(_)), "the benchmark measures the long way");

    let mut group = criterion.benchmark_group("feishu");
    group.throughput(Throughput::Bytes(request.body.len() as u64));
    group.bench_function("verify + decrypt + parse", |bencher| {
        bencher.iter(|| hear(&*platform, black_box(&request), &moment));
    });
    group.bench_function("verify + decrypt", |bencher| {
        bencher.iter(|| platform.verify(black_box(&request), NOW));
    });
    group.finish();
}

criterion_group!(benches, receive);
criterion_main!(benches);

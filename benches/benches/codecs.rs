//! What reading one chunk of a model's answer costs, and writing a long prompt.
#![expect(clippy::expect_used, reason = "a benchmark that cannot build its own input has nothing to measure")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use http::{HeaderMap, HeaderValue, header};
use routing::{
    Endpoint, Place, Prompt, Protocol,
    protocol::{self, Decoder, Manner, Said},
};

/// One chunk as vLLM writes it.
const CHAT: &str = concat!(
    r#"data: {"id":"chatcmpl-7f3a9be2b1f84f6c9e2f","object":"chat.completion.chunk","created":1780000000,"#,
    r#""model":"qwen3-32b","choices":[{"index":0,"delta":{"content":" bridge"},"logprobs":null,"finish_reason":null}]}"#,
    "\n\n"
);

/// The same with a character that JSON escapes.
const ESCAPED: &str = concat!(
    r#"data: {"id":"chatcmpl-7f3a9be2b1f84f6c9e2f","object":"chat.completion.chunk","created":1780000000,"#,
    r#""model":"qwen3-32b","choices":[{"index":0,"delta":{"content":"\u9e4a\u6865\n"},"logprobs":null,"finish_reason":null}]}"#,
    "\n\n"
);

const TEXT: &str = concat!(
    r#"data: {"id":"cmpl-7f3a9be2b1f84f6c9e2f","object":"text_completion","created":1780000000,"model":"qwen-plus","#,
    r#""choices":[{"index":0,"text":" bridge","logprobs":null,"finish_reason":null,"stop_reason":null}],"usage":null}"#,
    "\n\n"
);

const DELTA: &str = concat!(
    "event: response.output_text.delta\n",
    r#"data: {"type":"response.output_text.delta","sequence_number":7,"item_id":"msg_67c9fdcf","output_index":0,"#,
    r#""content_index":0,"delta":" bridge","logprobs":[],"obfuscation":"xK3"}"#,
    "\n\n"
);

const BLOCK: &str = concat!(
    "event: content_block_delta\n",
    r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" bridge"}}"#,
    "\n\n"
);

const LINE: &str = concat!(
    r#"{"model":"qwen3:8b","created_at":"2026-11-22T08:00:00.123456789Z","#,
    r#""message":{"role":"assistant","content":" bridge"},"done":false}"#,
    "\n"
);

const CANDIDATE: &str = concat!(
    r#"data: {"candidates":[{"content":{"parts":[{"text":" bridge"}],"role":"model"},"index":0}],"#,
    r#""usageMetadata":{"promptTokenCount":12,"totalTokenCount":12},"modelVersion":"gemini-2.5-flash","responseId":"x1"}"#,
    "\r\n\r\n"
);

/// One message of Bedrock's stream, in its framing.
fn frame() -> Vec<u8> {
    let headers = [
        (":event-type", "contentBlockDelta"),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ];
    let header = |(name, value): (&str, &str)| {
        let (name_bytes, value_bytes) = (name.len().to_be_bytes(), value.len().to_be_bytes());
        [&name_bytes[7..], name.as_bytes(), &[7], &value_bytes[6..], value.as_bytes()].concat()
    };
    let headers: Vec<u8> = headers.into_iter().flat_map(header).collect();
    let payload = br#"{"contentBlockIndex":0,"delta":{"text":" bridge"},"p":"abcdefghij"}"#;
    let total = 16 + headers.len() + payload.len();
    let mut frame = [&total.to_be_bytes()[4..], &headers.len().to_be_bytes()[4..]].concat();
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame.extend_from_slice(&headers);
    frame.extend_from_slice(payload);
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame
}

fn decoder(protocol: Protocol) -> Box<dyn Decoder> {
    let url = "http://localhost:8000/".parse().expect("a constant URL");
    let endpoint = Endpoint::new("office", Place::Local, url, protocol, "qwen3-32b");
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    protocol::decoder(&endpoint, &Prompt::default(), &headers).expect("somebody is called")
}

fn chunk(c: &mut Criterion, name: &str, protocol: Protocol, chunk: impl AsRef<[u8]>) {
    let chunk = chunk.as_ref();
    let mut group = c.benchmark_group("decode one chunk");
    group.throughput(Throughput::Bytes(chunk.len() as u64));
    let (mut decoder, mut said) = (decoder(protocol), Vec::<Said>::new());
    // Before it is measured, which a filter may leave out.
    let read = decoder.push(chunk, &mut said);
    assert!(read.is_ok() && said.len() == 1, "{name}: {read:?}, {} said", said.len());
    group.bench_function(name, |b| {
        b.iter(|| {
            said.clear();
            decoder.push(black_box(chunk), &mut said)
        });
    });
    group.finish();
}

/// What the same chunk costs as a tree, without looking anything up in it: the reason for reading it typed.
fn tree(c: &mut Criterion) {
    let json = CHAT.trim().trim_start_matches("data: ");
    c.bench_function("parse one chunk into a tree", |b| {
        b.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(json.as_bytes())));
    });
}

/// Prompts of 40 KB as chat completions takes them, and what `serde_json` takes for their text alone: the reason for
/// writing texts in blocks.
fn prompts(c: &mut Criterion) {
    prompt(c, "a line break every 50 bytes", "the quick brown magpie jumps over the lazy bridge\n");
    prompt(c, "no line break", "the quick brown magpie jumps over the lazy bridge ");
}

fn prompt(c: &mut Criterion, name: &str, line: &str) {
    let text = line.repeat(800);
    let url = "http://localhost:8000/".parse().expect("a constant URL");
    let endpoint = Endpoint::new("office", Place::Local, url, Protocol::ChatCompletions, "qwen3-32b");
    let question = Prompt::question(text.as_str());
    let mut group = c.benchmark_group(format!("write 40 KB, {name}"));
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("chat_completions", |b| {
        b.iter(|| protocol::encode(&endpoint, black_box(&question), Manner::Streamed));
    });
    group.bench_function("serde_json, the text alone", |b| {
        b.iter(|| serde_json::to_vec(black_box(text.as_str())));
    });
    group.finish();
}

fn chunks(c: &mut Criterion) {
    tree(c);
    chunk(c, "chat_completions", Protocol::ChatCompletions, CHAT);
    chunk(c, "chat_completions, escaped", Protocol::ChatCompletions, ESCAPED);
    chunk(c, "completions", Protocol::Completions, TEXT);
    chunk(c, "responses", Protocol::Responses, DELTA);
    chunk(c, "messages", Protocol::Messages, BLOCK);
    chunk(c, "ollama", Protocol::Ollama, LINE);
    chunk(c, "gemini", Protocol::Gemini, CANDIDATE);
    chunk(c, "converse", Protocol::Converse, frame());
}

criterion_group!(benches, chunks, prompts);
criterion_main!(benches);

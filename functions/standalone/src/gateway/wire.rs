//! What goes back to a program, written straight into bytes: a chunk is a prefix that is made once, and its words.

use bytes::Bytes;
use routing::{Answer, Finish, Usage};
use serde::Serialize;

/// The end of an answer that is whole.
const DONE: &[u8] = b"data: [DONE]\n\n";

/// What all parts of one answer share.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    /// Its id.
    pub(crate) id: String,
    /// When it was asked, in seconds since the epoch.
    pub(crate) created: i64,
}

/// A whole answer.
pub(crate) fn whole(head: &Head, answer: &Answer) -> Bytes {
    let mut out = Vec::with_capacity(answer.text.len() + 512);
    out.push(b'{');
    common(&mut out, head, "chat.completion", &answer.model);
    out.extend_from_slice(br#""choices":[{"index":0,"message":{"role":"assistant","content":"#);
    json(&mut out, answer.text.as_str());
    out.extend_from_slice(br#"},"finish_reason":"#);
    json(&mut out, reason(answer.finish));
    out.extend_from_slice(br#"}],"usage":"#);
    usage(&mut out, answer.usage);
    out.push(b'}');
    out.into()
}

/// The chunks of one streamed answer.
#[derive(Default)]
pub(crate) struct Chunks {
    /// Each chunk up to its choices.
    prefix: Vec<u8>,
    /// What is written and not yet sent.
    out: Vec<u8>,
}

impl Chunks {
    /// The first chunk, in which the model of this name takes the role.
    pub(crate) fn begin(&mut self, head: &Head, model: &str) {
        self.prefix.clear();
        self.prefix.extend_from_slice(b"data: {");
        common(&mut self.prefix, head, "chat.completion.chunk", model);
        self.chunk(|out| {
            out.extend_from_slice(
                br#"[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]"#,
            );
        });
    }

    /// More words.
    pub(crate) fn words(&mut self, more: &str) {
        self.chunk(|out| {
            out.extend_from_slice(br#"[{"index":0,"delta":{"content":"#);
            json(out, more);
            out.extend_from_slice(br#"},"finish_reason":null}]"#);
        });
    }

    /// The end of an answer that is whole.
    pub(crate) fn end(&mut self, finish: Finish, used: Option<Usage>) {
        self.chunk(|out| {
            out.extend_from_slice(br#"[{"index":0,"delta":{},"finish_reason":"#);
            json(out, reason(finish));
            out.extend_from_slice(b"}]");
        });
        if let Some(used) = used {
            self.chunk(|out| {
                out.extend_from_slice(br#"[],"usage":"#);
                usage(out, used);
            });
        }
        self.out.extend_from_slice(DONE);
    }

    /// The end of an answer that broke off. Nothing says that it is whole.
    pub(crate) fn break_off(&mut self, error: &str) {
        self.out.extend_from_slice(b"data: ");
        self.out.extend_from_slice(error.as_bytes());
        self.out.extend_from_slice(b"\n\n");
    }

    /// How much is written and not yet sent, in bytes.
    pub(crate) const fn written(&self) -> usize {
        self.out.len()
    }

    /// What is written and not yet sent, if there is anything.
    pub(crate) fn take(&mut self) -> Option<Bytes> {
        (!self.out.is_empty()).then(|| std::mem::take(&mut self.out).into())
    }

    fn chunk(&mut self, choices: impl FnOnce(&mut Vec<u8>)) {
        self.out.reserve(self.prefix.len() + 128);
        self.out.extend_from_slice(&self.prefix);
        self.out.extend_from_slice(br#""choices":"#);
        choices(&mut self.out);
        self.out.extend_from_slice(b"}\n\n");
    }
}

/// What stands at the head of an answer and of each of its chunks.
fn common(out: &mut Vec<u8>, head: &Head, object: &str, model: &str) {
    out.extend_from_slice(br#""id":"#);
    json(out, head.id.as_str());
    out.extend_from_slice(br#","object":"#);
    json(out, object);
    out.extend_from_slice(br#","created":"#);
    json(out, &head.created);
    out.extend_from_slice(br#","model":"#);
    json(out, model);
    out.push(b',');
}

const fn reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Complete => "stop",
        // OpenAI has one word for an answer that stops at a limit, whichever it is.
        Finish::Length | Finish::TimedOut => "length",
    }
}

/// OpenAI's counts, and one key of ours that says whether they are an estimate.
#[derive(Serialize)]
struct Counts {
    prompt_tokens: u32,
    completion_tokens: u32,
    total_tokens: u32,
    estimated: bool,
}

fn usage(out: &mut Vec<u8>, used: Usage) {
    let Usage { prompt, completion, estimated } = used;
    let counts = Counts {
        prompt_tokens: prompt,
        completion_tokens: completion,
        total_tokens: prompt.saturating_add(completion),
        estimated,
    };
    json(out, &counts);
}

fn json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    // Neither texts nor numbers can fail to be written, nor can memory be.
    let _ = serde_json::to_writer(out, value);
}

#[cfg(test)]
mod tests;

//! Answers for measuring: made once, and sent without looking at more of the question than its model and its manner.

use std::{borrow::Cow, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde_json::json;

use super::{
    Body, events, json as json_response,
    script::{Script, Step},
};
use crate::answer;

/// The model that answers at once.
pub const NOW: &str = "router-now";

/// The model that streams a chunk each [`PACE`].
pub const PACED: &str = "router-paced";

/// The time between two chunks of [`PACED`].
pub const PACE: Duration = Duration::from_millis(5);

/// The answers.
#[derive(Debug)]
pub(super) struct Measured {
    whole: Bytes,
    now: Arc<[Step]>,
    paced: Arc<[Step]>,
}

/// What of a question matters here.
#[derive(Deserialize)]
struct Question<'a> {
    #[serde(borrow)]
    model: Cow<'a, str>,
    #[serde(default)]
    stream: bool,
}

impl Default for Measured {
    fn default() -> Self {
        let text = answer::numbers();
        let usage = json!({"prompt_tokens": 9, "completion_tokens": 20, "total_tokens": 29});
        Self {
            whole: Bytes::from(answer::completion(NOW, &text, &usage).to_string()),
            now: steps(NOW, &text, None).into(),
            paced: steps(PACED, &text, Some(PACE)).into(),
        }
    }
}

fn steps(model: &str, text: &str, pace: Option<Duration>) -> Vec<Step> {
    let mut steps = Vec::new();
    for word in text.split_inclusive(' ') {
        if let (Some(pace), false) = (pace, steps.is_empty()) {
            steps.push(Step::Wait(pace));
        }
        steps.push(Step::Send(answer::chunk(model, &json!({"content": word}), None).into()));
    }
    steps.push(Step::Send(answer::chunk(model, &json!({}), Some("stop")).into()));
    steps.push(Step::Send(Bytes::from_static(b"data: [DONE]\n\n")));
    steps
}

impl Measured {
    /// The answer, when the question is to one of these models.
    pub(super) fn answer(&self, question: &[u8]) -> Option<Response<Body>> {
        let question: Question<'_> = serde_json::from_slice(question).ok()?;
        let steps = match question.model.rsplit('/').next()? {
            NOW => &self.now,
            PACED => &self.paced,
            _ => return None,
        };
        Some(if question.stream {
            events(Script::new(Arc::clone(steps), None).boxed_unsync())
        } else {
            json_response(StatusCode::OK, self.whole.clone())
        })
    }
}

//! What a careful program makes of an answer's bytes.
//!
//! It skips an event that is no JSON, takes an error inside a stream for the error that it is, and believes an answer
//! that HTTP says is whole: whether it really is, is the judge's question.

use serde_json::Value;

use super::Heard;

/// An answer as a program understands it.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// It was presented as whole.
    Answer(Answer),
    /// It was presented as an error, or broke off.
    Error {
        /// The status, where the error came as one.
        status: Option<u16>,
        /// What was said.
        why: String,
    },
}

/// What was presented as a whole answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// The text.
    pub text: String,
    /// The model that it names.
    pub model: Option<String>,
    /// What it says it cost.
    pub usage: Option<Value>,
    /// Whether it says why it ended.
    pub finished: bool,
    /// Whether a stream ended with `[DONE]`.
    pub done: bool,
}

/// Reads what was heard.
#[must_use]
pub fn read(heard: &Heard, streamed: bool) -> Reading {
    if !heard.status.is_success() {
        let status = Some(heard.status.as_u16());
        return Reading::Error { status, why: String::from_utf8_lossy(&heard.body).into_owned() };
    }
    if let Some(why) = &heard.broken {
        return Reading::Error { status: None, why: format!("broke off: {why}") };
    }
    if streamed { stream(&heard.body) } else { whole(&heard.body) }
}

fn whole(body: &[u8]) -> Reading {
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else {
        return Reading::Error { status: Some(200), why: "not JSON".to_owned() };
    };
    if let Some(why) = error_in(&value) {
        return Reading::Error { status: Some(200), why };
    }
    let choice = &value["choices"][0];
    let Some(text) = choice["message"]["content"].as_str().map(str::to_owned) else {
        return Reading::Error { status: Some(200), why: "no choice in it".to_owned() };
    };
    Reading::Answer(Answer {
        text,
        model: value["model"].as_str().map(str::to_owned),
        finished: choice["finish_reason"].is_string(),
        usage: Some(value["usage"].take()).filter(Value::is_object),
        done: false,
    })
}

fn stream(body: &[u8]) -> Reading {
    let mut answer = Answer::default();
    for line in String::from_utf8_lossy(body).lines() {
        let Some(data) = line.strip_prefix("data:").map(str::trim) else { continue };
        if data == "[DONE]" {
            answer.done = true;
            break;
        }
        let Ok(mut value) = serde_json::from_str::<Value>(data) else { continue };
        if let Some(why) = error_in(&value) {
            return Reading::Error { status: None, why };
        }
        let choice = &value["choices"][0];
        answer.text.push_str(choice["delta"]["content"].as_str().unwrap_or_default());
        answer.finished |= choice["finish_reason"].is_string();
        if let Some(model) = value["model"].as_str().filter(|model| !model.is_empty()) {
            answer.model = Some(model.to_owned());
        }
        if value["usage"].is_object() {
            answer.usage = Some(value["usage"].take());
        }
    }
    Reading::Answer(answer)
}

fn error_in(value: &Value) -> Option<String> {
    value.get("error").filter(|error| !error.is_null()).map(Value::to_string)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http::StatusCode;

    use super::*;

    fn heard(status: u16, body: &str, broken: Option<&str>) -> Heard {
        Heard {
            status: StatusCode::from_u16(status).unwrap(),
            headers: http::HeaderMap::new(),
            first: Duration::ZERO,
            total: Duration::ZERO,
            body: Bytes::from(body.to_owned()),
            broken: broken.map(str::to_owned),
        }
    }

    fn text(reading: &Reading) -> &str {
        match reading {
            Reading::Answer(answer) => &answer.text,
            Reading::Error { why, .. } => why,
        }
    }

    const PART: &str = "data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"half\"}}]}\n\n";

    #[test]
    fn a_stream_is_read_with_its_flaws() {
        let end = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
        let garbled = format!("{PART}data: {{\"choices\": [\n\n{PART}{end}");
        let Reading::Answer(answer) = read(&heard(200, &garbled, None), true) else { panic!() };
        assert_eq!((answer.text.as_str(), answer.model.as_deref()), ("halfhalf", Some("m")));
        assert!(answer.finished && answer.done);
    }

    #[test]
    fn an_error_is_an_error_wherever_it_stands() {
        let inside = format!("{PART}data: {{\"error\":{{\"message\":\"gone\"}}}}\n\n");
        for (heard, streamed, why) in [
            (heard(200, &inside, None), true, "gone"),
            (heard(200, PART, Some("cut")), true, "broke off"),
            (heard(502, "bad gateway", None), true, "bad gateway"),
            (heard(200, "{\"error\":{\"message\":\"gone\"}}", None), false, "gone"),
            (heard(200, "{\"choices\":[", None), false, "not JSON"),
            (heard(200, "{}", None), false, "no choice"),
        ] {
            let reading = read(&heard, streamed);
            assert!(matches!(reading, Reading::Error { .. }), "{reading:?}");
            assert!(text(&reading).contains(why), "{reading:?}");
        }
    }

    #[test]
    fn what_ends_cleanly_is_believed() {
        assert_eq!(text(&read(&heard(200, PART, None), true)), "half");
    }
}

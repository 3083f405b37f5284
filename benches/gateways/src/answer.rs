//! What the pretend model says, and how it writes it.

use serde_json::{Value, json};

/// The whole right answer of every scenario: sixty words, so that a cut after forty is easy to see.
pub const ANSWER: &str = "When a model server falls silent the question does not go away, and somebody still looks \
at the screen. A bridge that knows another way walks it at once, says who answered, counts what was spent, and never \
shows half a sentence as though it were the whole. Trust is built in the minutes when something else has broken down.";

/// What the client asks in every scenario.
pub const QUESTION: &str = "In sixty words: why does a bridge earn trust only when what it leads to fails?";

/// What a short answer of the router benchmark says, a chunk for each of the twenty numbers.
#[must_use]
pub fn numbers() -> String {
    (1..=20).map(|number| format!("word{number} ")).collect()
}

/// The answer's pieces as a server streams them: each word with the space before it.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let starts_in_the_middle = text.starts_with(' ');
    let piece = |(index, word): (usize, &str)| {
        let space = if index > 0 || starts_in_the_middle { " " } else { "" };
        format!("{space}{word}")
    };
    text.split_whitespace().enumerate().map(piece).collect()
}

/// What a server counts for a question and an answer: about a token a word.
#[must_use]
pub fn usage(messages: &Value, answer: &str) -> Value {
    let content =
        |message: &Value| message["content"].as_str().unwrap_or_default().split_whitespace().count();
    let asked: usize = messages.as_array().into_iter().flatten().map(|message| content(message) + 4).sum();
    let answered = answer.split_whitespace().count();
    json!({"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered})
}

/// A whole completion.
#[must_use]
pub fn completion(model: &str, text: &str, usage: &Value) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": usage,
    })
}

/// One event of a stream: what is new, why it ends, what it cost.
#[must_use]
pub fn chunk(model: &str, delta: &Value, finish: Option<&str>) -> String {
    event(&json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": model,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }))
}

/// The event that carries the usage.
#[must_use]
pub fn usage_chunk(model: &str, usage: &Value) -> String {
    event(&json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": model,
        "choices": [], "usage": usage,
    }))
}

/// A server's error.
#[must_use]
pub fn error(message: &str, kind: &str, code: Option<&str>) -> Value {
    json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
}

fn event(value: &Value) -> String {
    format!("data: {value}\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_has_sixty_words_and_its_pieces_make_it_up() {
        let pieces = words(ANSWER);
        assert_eq!(pieces.len(), 60);
        assert_eq!(pieces.concat(), ANSWER);
        assert_eq!(words(" and so on").concat(), " and so on");
    }

    #[test]
    fn usage_counts_question_and_answer() {
        let messages = json!([{"role": "user", "content": "one two three"}]);
        assert_eq!(usage(&messages, "four five")["total_tokens"], 9);
    }
}

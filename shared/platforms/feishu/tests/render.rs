//! Replies as Feishu gets them: texts and cards, none too large.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[expect(dead_code, reason = "the other tests use the rest")]
mod support;

use chat::Segment;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{NOW, TOKEN, access, feishu, key, render, to};
use transport::OutRequest;

fn call(segment: &Segment) -> OutRequest {
    feishu(TOKEN, "").send(&to("om_m", false), segment, &key(), Some(&access()), NOW).unwrap()
}

/// The `content` of a segment, read a second time.
fn content(segment: &Segment) -> (String, Value) {
    let body: Value = serde_json::from_slice(&call(segment).body).unwrap();
    let content = serde_json::from_str(body["content"].as_str().unwrap()).unwrap();
    (body["msg_type"].as_str().unwrap().to_owned(), content)
}

fn card_words(segment: &Segment) -> String {
    let (msg_type, content) = content(segment);
    assert_eq!(msg_type, "interactive");
    content["body"]["elements"][0]["content"].as_str().unwrap().to_owned()
}

#[test]
fn markdown_becomes_a_card_and_plain_words_a_text() {
    let (msg_type, text) = content(&render("你好，\n世界")[0]);
    assert_eq!((msg_type.as_str(), text), ("text", json!({"text": "你好，\n世界"})));
    let (msg_type, card) = content(&render("**bold** <at id=all></at>")[0]);
    assert_eq!(msg_type, "interactive");
    let expected = json!({
        "schema": "2.0", "config": {"update_multi": true},
        "body": {"elements": [{"tag": "markdown", "content": "**bold** &lt;at id=all>&lt;/at>"}]},
    });
    assert_eq!(card, expected);
    assert!(render(" \n ").is_empty());
}

#[test]
fn no_body_exceeds_the_limit_and_the_limit_is_used() {
    for unit in [
        "字",
        "\"",
        "\\",
        "\n\n\"x\" ",
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n",
        "```\ncode\n",
        "\u{1}",
        "word ",
    ] {
        let segments = render(&format!("**x** {}", unit.repeat(60_000 / unit.len())));
        let sizes: Vec<_> = segments.iter().map(|segment| call(segment).body.len()).collect();
        assert!(sizes.iter().all(|size| *size <= 28_000), "{unit:?}: {sizes:?}");
        let full = sizes.iter().rev().skip(1).all(|size| *size > 25_000);
        assert!(full || unit.contains('|'), "{unit:?}: {sizes:?}");
    }
}

fn markdown() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "[a-z\"\\\\]{1,12}( [a-z字。]{1,12}){0,20}",
        Just("```rust".to_owned()),
        Just("~~~".to_owned()),
        Just("| a | b |\n|---|---|\n| c | d |".to_owned()),
        Just(String::new()),
        ".{0,40}",
        "[字\"]{3000,9000}",
    ];
    proptest::collection::vec(line, 0..60).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn every_segment_is_small_enough_and_mentions_nobody(markdown in markdown()) {
        let segments = render(&markdown);
        prop_assert_eq!(&segments, &render(&markdown), "the same reply always gives the same segments");
        for segment in &segments {
            let call = call(segment);
            prop_assert!(call.body.len() <= 28_000, "{}", call.body.len());
            let (_, content) = content(segment);
            prop_assert!(!content.to_string().to_lowercase().contains("<at "));
        }
    }

    /// Apart from fences and headings that are written again at a cut, all that shows is there, in order.
    #[test]
    fn no_word_is_lost(words in proptest::collection::vec("[a-z字]{1,30}", 1..2500), gaps in "[ \n]{64}") {
        let gaps: Vec<char> = gaps.chars().collect();
        let mut text = "**x** ".to_owned();
        for (at, word) in words.iter().enumerate() {
            text.push_str(word);
            text.push(gaps[at % gaps.len()]);
        }
        let shown: String = render(&text).iter().map(|segment| card_words(segment) + "\n").collect();
        prop_assert!(shown.split_whitespace().eq(text.split_whitespace()));
    }

    #[test]
    fn no_line_of_code_is_lost(lines in proptest::collection::vec("[a-z(){};\"]{0,60}", 1..1500)) {
        let text = format!("```rust\n{}\n```", lines.join("\n"));
        let mut shown = Vec::new();
        for segment in render(&text) {
            let words = card_words(&segment);
            let inside = words.strip_prefix("```rust\n").and_then(|words| words.strip_suffix("\n```"));
            prop_assert!(inside.is_some(), "each piece is closed code");
            shown.extend(inside.unwrap_or_default().lines().map(str::to_owned));
        }
        // Empty lines at a cut are white space.
        let filled = |lines: &[String]| lines.iter().filter(|line| !line.is_empty()).cloned().collect::<Vec<_>>();
        prop_assert_eq!(filled(&shown), filled(&lines));
    }
}

use super::*;

fn redacted(message: &str, sent: &[&str]) -> Option<String> {
    let message = Unredacted::new(message)?.redact(sent.iter().copied())?;
    Some(message.as_str().to_owned())
}

#[test]
fn what_was_sent_is_cut_out_of_what_a_server_says() {
    let question = "My password is tr0ub4dor&3, why does it not work?\nSecond line: 请把合同发给王经理。";
    for (message, kept) in [
        (
            "Input should be a valid string, input_value='My password is tr0ub4dor&3, why does it not work?', input_type=str",
            "Input should be a valid string, input_value='…?', input_type=str",
        ),
        (
            r"bad content: My password is tr0ub4dor\u00263, why does it not work?\nSecond line",
            "bad content: …",
        ),
        (
            "'tr0ub4dor&3, why does it not work?\\\\nSecond line: 请把合同发给王经理。' is not valid",
            "'…。' is not valid",
        ),
        ("bad text 请把合同发给王经理", "bad text …"),
        ("The model `qwen3:8b` does not exist", "The model `qwen3:8b` does not exist"),
        ("temperature must be non-negative", "temperature must be non-negative"),
    ] {
        assert_eq!(redacted(message, &[question]).as_deref(), Some(kept), "{message}");
    }
}

#[test]
fn short_texts_and_keys_are_cut_out_where_they_are_words() {
    let sent = ["hunter2", "好", "hi", "local-key-0123456789"];
    for (message, kept) in [
        ("unexpected input: hunter2!", Some("unexpected input: …!")),
        ("'hi' is too short, this is all", Some("'…' is too short, this is all")),
        ("Invalid key local-key-0123456789", Some("Invalid key …")),
        ("Invalid token: sk-proj-AbCd", Some("Invalid token: …")),
        ("hunter2", None),
        ("", None),
        (" \n—", None),
    ] {
        assert_eq!(redacted(message, &sent).as_deref(), kept, "{message}");
    }
}

#[test]
fn long_quotations_and_encoded_data_are_cut_out_whatever_was_sent() {
    let (long, data) = ("x y ".repeat(30), "QUJD".repeat(40));
    for message in [
        format!("wrong: \"{long}\""),
        format!("wrong: '{long}"),
        format!("wrong: “{long}”"),
        format!("wrong: data:image/png;base64,{data}"),
        "wrong: https://someone:word@host/path".to_owned(),
    ] {
        let kept = redacted(&message, &[]).unwrap();
        assert!(kept.starts_with("wrong: ") && kept.chars().count() < 12 && kept.contains(CUT), "{kept}");
    }
    let kept = "This model's limit isn't 'x'; the server's is";
    assert_eq!(redacted(kept, &[]).as_deref(), Some(kept));
}

#[test]
fn a_message_is_one_short_line_of_visible_characters() {
    let shown = redacted("a\r\n\tb\u{0}c\u{1b}[31m \u{202e}d\u{2066}e\u{feff}\u{2028}f", &[]).unwrap();
    assert_eq!(shown, "a b c [31m de f");
    let long = "模型 ".repeat(9000);
    let shown = redacted(&long, &[]).unwrap();
    assert_eq!((shown.chars().count(), shown.ends_with(CUT)), (MESSAGE_CHARS, true));
}

#[test]
fn what_is_unredacted_is_not_shown() {
    let shown = format!("{:?}", Unredacted::new("hidden words").unwrap());
    assert!(!shown.contains("hidden"), "{shown}");
}

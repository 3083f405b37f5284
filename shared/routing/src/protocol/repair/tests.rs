use super::*;

/// The text of each document, joined as the words of one answer.
fn joined(documents: &[&[u8]]) -> String {
    let mut halves = Halves::default();
    let mut said: Vec<Said> = Vec::new();
    for data in documents {
        let repaired = repaired(data).unwrap();
        let text: String = serde_json::from_slice(&repaired.json).unwrap();
        let from = said.len();
        said.push(Said::Words(text));
        halves.join(&mut said[from..]);
    }
    halves.rest(&mut said);
    let words = said.into_iter().map(|said| match said {
        Said::Words(words) => words,
        Said::Thought => String::new(),
    });
    words.collect()
}

#[test]
fn halves_that_meet_are_joined_and_others_are_replaced() {
    for (documents, text) in [
        (&[&br#""a \ud83d""#[..], br#""\ude42 b""#][..], "a 🙂 b"),
        (&[br#""\ud83d\ude42""#], "🙂"),
        (&[br#""\ud83d""#, br#""""#, br#""\ude42""#], "🙂"),
        (&[br#""\ud83d""#, br#"" \ude42""#], "\u{fffd} \u{fffd}"),
        (&[br#""\ud83d\ud83d""#, br#""\ude42""#], "\u{fffd}🙂"),
        (&[br#""\ude42\ud83d""#], "\u{fffd}\u{fffd}"),
        (&[br#""\ud83d""#, br#""\u9e4a""#], "\u{fffd}鹊"),
        (&[b"\"a \xe9\x9b\"", b"\"\x80 b\""], "a \u{96c0} b"),
        (&[b"\"\xf0\"", b"\"\x9f\x99\"", b"\"\x82\""], "🙂"),
        (&[b"\"\xf0\x9f\"", b"\"b\""], "\u{fffd}b"),
        (&[b"\"\xff\xfe\""], "\u{fffd}\u{fffd}"),
        (&[b"\"\xe9\"", br#""\ud83d""#, b"\"\x9b\x80\""], "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
        (&["\"\u{10f83d}\"".as_bytes()], "\u{fffd}"),
    ] {
        assert_eq!(joined(documents), text, "{documents:?}");
    }
}

#[test]
fn what_others_write_into_json_is_read() {
    for (data, json) in [
        ("{\"a\":\"b\tc\u{1}\"}", Some(r#"{"a":"b\tc\u0001"}"#)),
        (r#"{"a":"it\'s"}"#, Some(r#"{"a":"it's"}"#)),
        (r#"{"a":NaN,"b":-Infinity,"c":"NaN"}"#, Some(r#"{"a":null,"b":null,"c":"NaN"}"#)),
        (r#"{"a":1,"a":2}"#, Some(r#"{"a":2}"#)),
        (r#"{"a":"\\ud83d"}"#, Some(r#"{"a":"\\ud83d"}"#)),
        (r#"{"a":"\uzz"}"#, Some(r#"{"a":"zz"}"#)),
        (r#"{"a":"b"#, None),
        ("", None),
        ("words", None),
    ] {
        let json = json.map(|json| serde_json::from_str::<Value>(json).unwrap());
        let read = repaired(data.as_bytes()).map(|repaired| serde_json::from_slice(&repaired.json).unwrap());
        assert_eq!(read, json, "{data}");
    }
}

#[test]
fn valid_json_stays_as_it_is() {
    let value = serde_json::json!({ "a": ["鹊桥 🙂 \"\\/\n\u{0}\u{7f}", 1.5, -2, true, null], "b": {} });
    let data = serde_json::to_vec(&value).unwrap();
    assert_eq!(mended(&data), (data, false));
}

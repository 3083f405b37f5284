use super::*;

#[derive(Deserialize)]
struct All<'a> {
    #[serde(borrow, default)]
    text: Text<'a>,
    #[serde(default)]
    count: Count,
    #[serde(default)]
    truth: Truth,
    #[serde(default)]
    there: There,
    #[serde(default)]
    part: Part<Inner>,
    #[serde(default)]
    list: List<Inner>,
}

#[derive(Deserialize)]
struct Inner {}

const KINDS: [&str; 10] =
    ["null", "true", "7", "-7", "1.5", "\"words\"", "[]", "[{}, 1, {}]", "{}", "{\"a\": [1, {\"b\": null}]}"];

#[test]
fn what_is_of_another_kind_counts_as_absent() {
    for kind in KINDS {
        let fields = ["text", "count", "truth", "there", "part", "list"];
        let json = fields.map(|field| format!("\"{field}\": {kind}")).join(", ");
        let json = format!("{{{json}, \"unknown\": {kind}}}");
        let all: All<'_> = object(json.as_bytes()).unwrap();
        assert_eq!(all.text.words(), (kind == "\"words\"").then_some("words"), "{kind}");
        assert_eq!(all.count.0, (kind == "7").then_some(7), "{kind}");
        assert_eq!(all.truth.0, kind == "true", "{kind}");
        assert_eq!(all.there.0, ["\"words\"", KINDS[7], KINDS[9]].contains(&kind), "{kind}");
        assert_eq!(all.part.0.is_some(), kind.starts_with('{'), "{kind}");
        let length = if kind == "[]" { Some(0) } else { (kind == KINDS[7]).then_some(2) };
        assert_eq!(all.list.0.map(|list| list.len()), length, "{kind}");
    }
}

#[test]
fn texts_are_borrowed_where_nothing_is_escaped() {
    let all: All<'_> = object("{\"text\": \"鹊桥\"}".as_bytes()).unwrap();
    assert!(matches!(all.text.into_inner(), Some(Cow::Borrowed("鹊桥"))));
    let all: All<'_> = object(br#"{"text": "\u9e4a\n"}"#).unwrap();
    assert!(matches!(all.text.into_inner(), Some(Cow::Owned(text)) if text == "鹊\n"));
}

#[test]
fn only_an_object_is_one() {
    for json in ["", "null", "[]", "[{}]", "7", "{", "{} {}"] {
        assert!(object::<Inner>(json.as_bytes()).is_err(), "{json}");
    }
    assert!(object::<Inner>(b" {} \n").is_ok());
}

//! Reading platforms' JSON so that one field of an unexpected type does not cost the whole event.
//!
//! Platforms add forms without notice: a number where a text stood, `null`, an object in place of its text. What is not of
//! the expected type counts as missing. A text that JSON allows and Rust does not (half of an emoji as a lone surrogate,
//! bytes that are not UTF-8) is repaired with U+FFFD by [`repaired`], which costs a second reading and is therefore only for
//! what could not be read at first.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{
        Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};
use serde_json::Value;

/// A text that is borrowed where it holds no escapes. A number or a flag is read as its text, anything else as empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text<'a>(pub Cow<'a, str>);

impl Text<'_> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text of an optional field; a missing one and an empty one are the same.
#[must_use]
pub fn filled<'a>(text: Option<&'a Text<'_>>) -> Option<&'a str> {
    text.map(Text::as_str).filter(|text| !text.is_empty())
}

/// An object, or nothing where something else stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object<T>(pub Option<T>);

impl<T> Default for Object<T> {
    fn default() -> Self {
        Self(None)
    }
}

/// A list of objects. What is none of them is passed over, and what is no list is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// JSON inside of JSON: a text that holds JSON, or the JSON itself in its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Nested<'a>(pub Cow<'a, str>);

/// Implements the visits of every type that is none of the expected ones.
macro_rules! nothing_else {
    ($nothing:expr) => {
        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok($nothing)
        }
    };
    (scalars: $nothing:expr) => {
        nothing_else!($nothing);

        fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
            Ok($nothing)
        }

        fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
            Ok($nothing)
        }

        fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
            Ok($nothing)
        }

        fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
            Ok($nothing)
        }
    };
}

fn drain_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<(), A::Error> {
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

fn drain_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Text(Cow::Borrowed(if flag { "true" } else { "false" })))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }

    nothing_else!(Text::default());

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        drain_seq(seq).map(|()| Text::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        drain_map(map).map(|()| Text::default())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    nothing_else!(scalars: Object(None));

    fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Object(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        drain_seq(seq).map(|()| Object(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|object| Object(Some(object)))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ObjectVisitor(PhantomData))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    nothing_else!(scalars: List(Vec::new()));

    fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
        Ok(List(Vec::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Object(element)) = seq.next_element()? {
            list.extend(element);
        }
        Ok(List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        drain_map(map).map(|()| List(Vec::new()))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

struct NestedVisitor;

impl<'de> Visitor<'de> for NestedVisitor {
    type Value = Nested<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Nested(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Nested(Cow::Owned(text.to_owned())))
    }

    nothing_else!(scalars: Nested::default());

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        let value = Value::deserialize(SeqAccessDeserializer::new(seq))?;
        Ok(Nested(Cow::Owned(value.to_string())))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let value = Value::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Nested(Cow::Owned(value.to_string())))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Nested<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NestedVisitor)
    }
}

/// The same JSON without lone surrogates, bytes that are not UTF-8 and repeated keys (the last one counts). Nothing when
/// it is no JSON even so, or nests deeper than 128.
#[must_use]
pub fn repaired(json: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(json);
    let value: Value = serde_json::from_str(&without_lone_surrogates(&text)).ok()?;
    Some(value.to_string())
}

/// JSON text with `\ufffd` for every escaped surrogate that is not half of a pair.
#[must_use]
pub fn without_lone_surrogates(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let (instead, taken) = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => (escape.get(..12), 12),
            (Some(0xD800..=0xDFFF), _) => (Some("\\ufffd"), 6),
            // Any other escape with what it escapes, which may be a backslash.
            _ => {
                let taken = 1 + escape[1..].chars().next().map_or(0, char::len_utf8);
                (escape.get(..taken), taken)
            }
        };
        out.push_str(instead.unwrap_or_default());
        rest = escape.get(taken..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The UTF-16 unit that an escape at the beginning of `text` stands for.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Eq, Deserialize)]
    struct Wire<'a> {
        #[serde(borrow, default)]
        text: Text<'a>,
        #[serde(default)]
        object: Object<Inner>,
        #[serde(default)]
        list: List<Inner>,
        #[serde(borrow, default)]
        nested: Nested<'a>,
    }

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    struct Inner {
        n: u8,
    }

    #[test]
    fn what_is_not_of_its_type_is_missing() {
        for other in ["null", "[]", "[[1]]", "\"\"", "\"x\\n\"", "7", "-7", "1.5", "true", "{}"] {
            let json = format!(r#"{{"text":{other},"list":{other},"nested":{other},"object":null}}"#);
            let wire: Wire<'_> = serde_json::from_str(&json).unwrap();
            assert!(wire.object.0.is_none() && wire.list.0.is_empty(), "{json}");
        }
        for (json, text) in
            [("7", "7"), ("true", "true"), ("{\"a\":[1]}", ""), ("[{}]", ""), ("\"a\\n\"", "a\n")]
        {
            let json = format!("{{\"text\":{json}}}");
            assert_eq!(serde_json::from_str::<Wire<'_>>(&json).unwrap().text.as_str(), text);
        }
        let wire: Wire<'_> = serde_json::from_str(
            r#"{"object":{"n":1},"list":[{"n":2},7,null,[{"n":9}],{"n":3}],"nested":{"a":[]}}"#,
        )
        .unwrap();
        assert_eq!(wire.object, Object(Some(Inner { n: 1 })));
        assert_eq!(wire.list, List(vec![Inner { n: 2 }, Inner { n: 3 }]));
        assert_eq!(wire.nested.0, r#"{"a":[]}"#);
    }

    #[test]
    fn only_lone_surrogates_are_replaced() {
        for (json, repaired) in [
            (r#""\ud83d\ude42""#, r#""\ud83d\ude42""#),
            (r#""\ud83d""#, r#""\ufffd""#),
            (r#""\uDE42\ud83d\n""#, r#""\ufffd\ufffd\n""#),
            (r#""\ud83d\ud83d\ude42""#, r#""\ufffd\ud83d\ude42""#),
            (r#""\\ud83d""#, r#""\\ud83d""#),
            (r#""\\\ud83d""#, r#""\\\ufffd""#),
            (r#""\u00e4\ud83dx""#, r#""\u00e4\ufffdx""#),
            (r#""\u+12f \ud83""#, r#""\u+12f \ud83""#),
            ("\\", "\\"),
            ("\\中", "\\中"),
        ] {
            assert_eq!(without_lone_surrogates(json), repaired, "{json}");
        }
        assert_eq!(repaired(b"{\"a\":\"\xff\\ud83d\",\"a\":1}").as_deref(), Some(r#"{"a":1}"#));
        assert_eq!(repaired(b"{\"a\":\"\xff\\ud83d\"}").as_deref(), Some("{\"a\":\"\u{fffd}\u{fffd}\"}"));
        assert_eq!(repaired(b"{"), None);
        assert_eq!(repaired("[".repeat(100_000).as_bytes()), None);
    }
}

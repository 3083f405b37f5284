//! What a message says: the words and what came besides them.

use chat::{Attachment, AttachmentKind};
use platform::lenient::repaired;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    json,
    mention::{Mentions, Words},
    post,
    wire::{Text, filled},
};

/// How deep files are looked for.
const DEPTH: u8 = 8;

/// Words and attachments.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) words: Words,
    pub(crate) attachments: Vec<Attachment>,
    /// What is of a shape that is not known, by kind.
    pub(crate) unknown: Vec<&'static str>,
}

impl Content {
    fn of(words: Words, attachments: Vec<Attachment>) -> Self {
        Self { words, attachments, unknown: Vec::new() }
    }

    /// Something that we cannot read. The person is told so.
    fn unreadable(what: &'static str) -> Self {
        let attachment = Attachment { kind: AttachmentKind::Other, handle: String::new(), name: None };
        Self { unknown: vec![what], ..Self::of(Words::default(), vec![attachment]) }
    }
}

/// The fields of a text and of all files; which are there depends on the type.
#[derive(Default, Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    text: Option<Text<'a>>,
    #[serde(borrow)]
    image_key: Option<Text<'a>>,
    #[serde(borrow)]
    file_key: Option<Text<'a>>,
    #[serde(borrow)]
    file_name: Option<Text<'a>>,
}

/// Reads the content of a message of this type. A type that is not known is an attachment that we cannot read, and so is
/// content that is not of its type.
pub(crate) fn read(message_type: &str, content: &str, mentions: &Mentions) -> Content {
    match message_type {
        "text" => either(content, |json| text(json, mentions)).unwrap_or_else(|| plain(content, mentions)),
        "post" => either(content, |json| post::flatten(&serde_json::from_str(json).ok()?, mentions))
            .unwrap_or_else(|| Content::unreadable("a post of another form")),
        "image" => file(content, AttachmentKind::Picture),
        "audio" => file(content, AttachmentKind::Voice),
        "media" => file(content, AttachmentKind::Video),
        "file" => file(content, AttachmentKind::File),
        "" => untyped(content, mentions),
        _ => other(message_type, content),
    }
}

/// Reads JSON as it is, else as it is once repaired.
fn either<T>(json: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    read(json).or_else(|| read(&repaired(json.as_bytes())?))
}

fn fields(json: &str) -> Option<Fields<'_>> {
    json::object(json.as_bytes()).ok()
}

fn text(json: &str, mentions: &Mentions) -> Option<Content> {
    let fields = fields(json)?;
    let mut words = Words::default();
    mentions.resolve(fields.text.as_ref()?.as_str(), &mut words);
    let mut attachments = Vec::new();
    if json.contains("_key\"") {
        files(&serde_json::from_str(json).ok()?, &mut attachments);
    }
    Some(Content::of(words, attachments))
}

/// Content that should be JSON and holds words all the same is words; what looks like JSON is not shown to a model.
fn plain(content: &str, mentions: &Mentions) -> Content {
    if content.trim().is_empty() || content.trim_start().starts_with(['{', '[', '"']) {
        return Content::unreadable("a text of another form");
    }
    let mut words = Words::default();
    mentions.resolve(content, &mut words);
    Content { unknown: vec!["a text of another form"], ..Content::of(words, Vec::new()) }
}

/// A message that does not say its type: a text or a post, if it looks like one.
fn untyped(content: &str, mentions: &Mentions) -> Content {
    let read = either(content, |json| {
        text(json, mentions).or_else(|| post::flatten(&serde_json::from_str(json).ok()?, mentions))
    });
    let mut read = read.unwrap_or_else(|| Content::unreadable("a message of no type"));
    read.unknown = vec!["a message of no type"];
    read
}

fn file(content: &str, kind: AttachmentKind) -> Content {
    let attachment = either(content, |json| {
        let fields = fields(json)?;
        let key = if kind == AttachmentKind::Picture { &fields.image_key } else { &fields.file_key };
        let name = filled(fields.file_name.as_ref()).map(str::to_owned);
        Some(Attachment { kind, handle: filled(key.as_ref())?.to_owned(), name })
    });
    match attachment {
        Some(attachment) => Content::of(Words::default(), vec![attachment]),
        None => {
            let attachment = Attachment { kind, handle: String::new(), name: None };
            let unknown = vec!["a file without a key"];
            Content { unknown, ..Content::of(Words::default(), vec![attachment]) }
        }
    }
}

/// The types that Feishu documents and that hold nothing we could read.
const UNREAD: [&str; 14] = [
    "folder",
    "sticker",
    "interactive",
    "share_chat",
    "share_user",
    "system",
    "location",
    "video_chat",
    "todo",
    "vote",
    "share_calendar_event",
    "calendar",
    "general_calendar",
    "hongbao",
];

/// A sticker, a card, a location and the like. The content is not always JSON; a key is kept where there is one.
fn other(message_type: &str, content: &str) -> Content {
    let attachment = either(content, |json| {
        let fields = fields(json)?;
        let text = |field: Option<&Text<'_>>| filled(field).map(str::to_owned);
        let handle = text(fields.file_key.as_ref()).unwrap_or_default();
        Some(Attachment { kind: AttachmentKind::Other, handle, name: text(fields.file_name.as_ref()) })
    });
    let nothing = Attachment { kind: AttachmentKind::Other, handle: String::new(), name: None };
    let is_known = UNREAD.contains(&message_type) || message_type == "merge_forward";
    let unknown = if is_known { Vec::new() } else { vec!["a message of another type"] };
    Content { unknown, ..Content::of(Words::default(), vec![attachment.unwrap_or(nothing)]) }
}

/// Adds the files that stand anywhere in `value`, by their keys.
pub(crate) fn files(value: &Value, found: &mut Vec<Attachment>) {
    files_in(value, found, DEPTH);
}

fn files_in(value: &Value, found: &mut Vec<Attachment>, depth: u8) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let key = |name: &str| value.get(name).and_then(Value::as_str).filter(|key| !key.is_empty());
    let kind = key("file_key").map(|file| (AttachmentKind::File, file));
    if let Some((kind, handle)) = kind.or_else(|| Some((AttachmentKind::Picture, key("image_key")?))) {
        let name = key("file_name").or_else(|| key("name")).map(str::to_owned);
        found.push(Attachment { kind, handle: handle.to_owned(), name });
        return;
    }
    match value {
        Value::Array(list) => list.iter().for_each(|inner| files_in(inner, found, depth)),
        Value::Object(object) => object.values().for_each(|inner| files_in(inner, found, depth)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_become_attachments() {
        for (message_type, content, kind, handle, name) in [
            ("image", r#"{"image_key":"img_1"}"#, AttachmentKind::Picture, "img_1", None),
            (
                "file",
                r#"{"file_key":"file_1","file_name":"a.txt"}"#,
                AttachmentKind::File,
                "file_1",
                Some("a.txt"),
            ),
            ("audio", r#"{"file_key":"file_2","duration":2000}"#, AttachmentKind::Voice, "file_2", None),
            (
                "media",
                r#"{"file_key":"file_3","image_key":"img_3","file_name":"a.mp4","duration":1}"#,
                AttachmentKind::Video,
                "file_3",
                Some("a.mp4"),
            ),
            ("sticker", r#"{"file_key":"file_4"}"#, AttachmentKind::Other, "file_4", None),
            (
                "folder",
                r#"{"file_key":"file_5","file_name":"dir"}"#,
                AttachmentKind::Other,
                "file_5",
                Some("dir"),
            ),
            ("interactive", r#"{"title":"T","elements":[[]]}"#, AttachmentKind::Other, "", None),
            ("share_chat", r#"{"chat_id":"oc_1"}"#, AttachmentKind::Other, "", None),
            ("merge_forward", "Merged and Forwarded Message", AttachmentKind::Other, "", None),
            ("a type of tomorrow", "", AttachmentKind::Other, "", None),
            (
                "file",
                r#"{"file_key":"f","file_name":"half \ud83d.txt"}"#,
                AttachmentKind::File,
                "f",
                Some("half \u{fffd}.txt"),
            ),
            ("image", r#"{"file_key":"file_1"}"#, AttachmentKind::Picture, "", None),
            ("image", r#"{"image_key":7}"#, AttachmentKind::Picture, "7", None),
            ("file", "", AttachmentKind::File, "", None),
        ] {
            let name = name.map(str::to_owned);
            let attachments = vec![Attachment { kind, handle: handle.to_owned(), name }];
            let found = read(message_type, content, &Mentions::default());
            assert_eq!((found.words, found.attachments), (Words::default(), attachments), "{message_type}");
        }
    }

    #[test]
    fn words_are_read_whatever_their_form() {
        for (message_type, content, text) in [
            ("text", r#"{"text":"half \ud83d smile"}"#, "half \u{fffd} smile"),
            ("text", r#"{"text":"a","text":"b"}"#, "b"),
            ("text", r#"{"text":7}"#, "7"),
            ("text", "hi", "hi"),
            ("", r#"{"text":"hi"}"#, "hi"),
            ("", r#"{"content":[[{"tag":"text","text":"hi"}]]}"#, "hi"),
            (
                "post",
                r#"{"zh_cn":{"title":"\ud83d","content":[[{"tag":"text","text":"hi"}]]}}"#,
                "\u{fffd}\nhi",
            ),
        ] {
            let found = read(message_type, content, &Mentions::default());
            assert_eq!((found.words.text.as_str(), found.attachments), (text, Vec::new()), "{content}");
        }
        let found = read(
            "text",
            r#"{"text":"see","files":[{"file_key":"f","file_name":"n"}]}"#,
            &Mentions::default(),
        );
        let file = Attachment { kind: AttachmentKind::File, handle: "f".into(), name: Some("n".into()) };
        assert_eq!((found.words.text.as_str(), found.attachments), ("see", vec![file]));
    }

    #[test]
    fn content_that_is_not_of_its_type_cannot_be_read_and_is_told() {
        for (message_type, content) in [
            ("text", ""),
            ("text", r#"["hi"]"#),
            ("text", r#"{"words":"hi"}"#),
            ("text", "{\"text\":"),
            ("post", r#"{"words":"hi"}"#),
            ("post", "7"),
            ("", "{}"),
        ] {
            let found = read(message_type, content, &Mentions::default());
            assert_eq!((found.unknown.len(), found.words), (1, Words::default()), "{message_type} {content}");
            assert_eq!(found.attachments[0].kind, AttachmentKind::Other, "{message_type} {content}");
        }
    }
}

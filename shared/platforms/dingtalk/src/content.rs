//! What a message says: the words, what came besides them, and what it quotes.

use chat::{Attachment, AttachmentKind, Quoted};
use serde_json::Value;

use crate::{
    mention::{AtList, Marked, is_mention},
    wire::{RobotMessage, filled},
};

/// Words, attachments and a quotation.
#[derive(Debug, Default)]
pub(crate) struct Content {
    pub(crate) text: String,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) quoted: Option<Quoted>,
    /// What is of a shape that is not known, by kind.
    pub(crate) unknown: Vec<&'static str>,
}

/// Reads a message's content, whatever its form.
pub(crate) fn read(wire: &RobotMessage<'_>) -> Content {
    let inner = inner(&wire.content);
    let list = AtList::of(wire);
    let mut read = of_type(filled(wire.msgtype.as_ref()).unwrap_or_default(), wire, &inner, &list);
    read.quoted = quoted(wire, &inner);
    read
}

/// The content as an object: it may be JSON inside of JSON.
fn inner(content: &Value) -> Value {
    let nested = content.as_str().filter(|text| text.trim_start().starts_with('{'));
    nested.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| content.clone())
}

fn of_type(msgtype: &str, wire: &RobotMessage<'_>, content: &Value, list: &AtList) -> Content {
    match (msgtype, kind_of(msgtype)) {
        ("text" | "", _) if content.get("richText").is_none() => with_files(plain_text(wire, list), content),
        ("richText" | "", _) => {
            let (marked, mut read) = rich_text(content, !list.is_empty());
            read.text = marked.without_bot(list);
            read
        }
        // DingTalk has listened already; its words stand for the sound.
        ("audio", _) => {
            let text = field(content, "recognition").trim().to_owned();
            Content {
                text,
                attachments: vec![attachment(AttachmentKind::Voice, content)],
                ..Content::default()
            }
        }
        (_, Some(kind)) => Content { attachments: vec![attachment(kind, content)], ..Content::default() },
        (_, None) => Content {
            text: plain_text(wire, list),
            attachments: vec![unreadable()],
            unknown: vec!["a message of another type"],
            ..Content::default()
        },
    }
}

fn kind_of(msgtype: &str) -> Option<AttachmentKind> {
    match msgtype {
        "picture" | "image" => Some(AttachmentKind::Picture),
        "audio" | "voice" => Some(AttachmentKind::Voice),
        "video" => Some(AttachmentKind::Video),
        "file" => Some(AttachmentKind::File),
        _ => None,
    }
}

/// A text with what stands in the place of files.
fn with_files(text: String, content: &Value) -> Content {
    let attachments: Vec<_> = match field(content, "downloadCode") {
        "" => Vec::new(),
        _ => vec![attachment(AttachmentKind::File, content)],
    };
    if text.is_empty() && attachments.is_empty() && content.is_object() {
        let unknown = vec!["a text of another form"];
        return Content { attachments: vec![unreadable()], unknown, ..Content::default() };
    }
    Content { text, attachments, ..Content::default() }
}

/// `text.content`, or a `content` that is a text: one page of the documents has it so.
fn plain_text(wire: &RobotMessage<'_>, list: &AtList) -> String {
    let inner = wire.text.get("content").and_then(Value::as_str).or_else(|| wire.text.as_str());
    let text = inner.or_else(|| wire.content.as_str().filter(|text| !text.trim_start().starts_with('{')));
    let mut marked = Marked::default();
    marked.push(text.unwrap_or_default().trim());
    marked.without_bot(list)
}

/// Parts of text, pictures and mentions. A mention is a part of its own, either with a type or as a text that begins with
/// `@`; where no list of ids says that there are mentions, only one that another text follows is taken for one.
fn rich_text(content: &Value, has_ids: bool) -> (Marked, Content) {
    let mut read = Content::default();
    let mut marked = Marked::default();
    let none = Vec::new();
    let parts = content.get("richText").and_then(Value::as_array).unwrap_or(&none);
    for (number, part) in parts.iter().enumerate() {
        let (text, follows) = (field(part, "text"), parts.get(number + 1));
        let is_followed = follows.is_some_and(|next| !field(next, "text").trim().is_empty());
        match field(part, "type") {
            "at" if field(part, "atName").is_empty() => {}
            "at" => {
                marked.push_mention(&format!("@{}", field(part, "atName")));
                marked.push(" ");
            }
            _ if is_mention(text) && (has_ids || is_followed) => {
                let shown = text.trim();
                let (before, after) = text.split_once(shown).unwrap_or_default();
                marked.push(before);
                marked.push_mention(shown);
                // Clients show a mention apart from what follows.
                marked.push(if after.is_empty() && is_followed { " " } else { after });
            }
            other => other_part(part, other, text, &mut marked, &mut read),
        }
    }
    if parts.is_empty() {
        read.attachments.push(unreadable());
        read.unknown.push("rich text of another form");
    }
    (marked, read)
}

fn other_part(part: &Value, part_type: &str, text: &str, marked: &mut Marked, read: &mut Content) {
    if let Some(kind) = kind_of(part_type) {
        read.attachments.push(attachment(kind, part));
        return;
    }
    marked.push(text);
    if !matches!(part_type, "" | "text") {
        read.unknown.push("a part of rich text that is not known");
        if text.is_empty() {
            read.attachments.push(unreadable());
        }
    }
}

/// What a download code stands for. Without one there is nothing to fetch, whatever it is.
fn attachment(kind: AttachmentKind, content: &Value) -> Attachment {
    match field(content, "downloadCode") {
        "" => unreadable(),
        code => Attachment { kind, handle: code.to_owned(), name: name(content) },
    }
}

fn name(content: &Value) -> Option<String> {
    Some(field(content, "fileName")).filter(|name| !name.is_empty()).map(str::to_owned)
}

const fn unreadable() -> Attachment {
    Attachment { kind: AttachmentKind::Other, handle: String::new(), name: None }
}

/// What the message quotes: `repliedMsg` beside the text, or in the places where other clients have it.
fn quoted(wire: &RobotMessage<'_>, content: &Value) -> Option<Quoted> {
    let within = |value: &'_ Value| value.get("repliedMsg").cloned();
    let places = [
        within(&wire.text),
        within(content),
        Some(wire.replied_msg.clone()),
        Some(wire.quote_message.clone()),
    ];
    let replied = places.into_iter().flatten().find(Value::is_object)?;
    let body = [&replied["content"], &replied["text"]].into_iter().find(|body| !body.is_null()).map(inner);
    let body = body.unwrap_or(Value::Null);
    let text = body.as_str().map(str::to_owned).or_else(|| {
        let named = ["text", "content", "recognition"].into_iter().find_map(|name| body.get(name)?.as_str());
        named.map(str::to_owned)
    });
    let rich = body.get("richText").map(|_| rich_text(&body, false));
    let (rich_text, mut attachments) =
        rich.map_or_else(Default::default, |(marked, read)| (marked.text, read.attachments));
    let msg_type =
        [field(&replied, "msgType"), field(&replied, "msgtype")].into_iter().find(|it| !it.is_empty());
    if let Some(kind) = msg_type.and_then(kind_of) {
        attachments.push(Attachment {
            kind,
            handle: field(&body, "downloadCode").to_owned(),
            name: name(&body),
        });
    }
    let text = text.unwrap_or(rich_text).trim().to_owned();
    Some(Quoted { text, attachments })
}

fn field<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

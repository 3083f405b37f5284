//! What a message says: the words and what came besides them.

use chat::{Attachment, AttachmentKind};
use platform::Rejection;
use serde::Deserialize;

use crate::{
    json::{self, NotThat},
    mention::Mentions,
    post,
    wire::{Text, filled},
};

/// Words and attachments.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) text: String,
    pub(crate) attachments: Vec<Attachment>,
}

#[derive(Deserialize)]
struct Words<'a> {
    #[serde(borrow)]
    text: Text<'a>,
}

/// The fields of all files; which are there depends on the type.
#[derive(Deserialize)]
struct Media<'a> {
    #[serde(borrow)]
    image_key: Option<Text<'a>>,
    #[serde(borrow)]
    file_key: Option<Text<'a>>,
    #[serde(borrow)]
    file_name: Option<Text<'a>>,
}

/// Reads the content of a message of this type. A type that is not known is an attachment that we cannot read.
pub(crate) fn read(message_type: &str, content: &str, mentions: &Mentions<'_>) -> Result<Content, Rejection> {
    match message_type {
        "text" => {
            let words: Words<'_> = object(content)?;
            Ok(Content { text: mentions.resolve(words.text.as_str()), attachments: Vec::new() })
        }
        "post" => Ok(post::flatten(&object(content)?, mentions)),
        "image" => file(content, AttachmentKind::Picture),
        "audio" => file(content, AttachmentKind::Voice),
        "media" => file(content, AttachmentKind::Video),
        "file" => file(content, AttachmentKind::File),
        _ => Ok(other(content)),
    }
}

fn object<'a, T: Deserialize<'a>>(content: &'a str) -> Result<T, Rejection> {
    json::object(content.as_bytes()).map_err(|NotThat| Rejection::Malformed("the content is not of its type"))
}

fn file(content: &str, kind: AttachmentKind) -> Result<Content, Rejection> {
    let media: Media<'_> = object(content)?;
    let key = if kind == AttachmentKind::Picture { &media.image_key } else { &media.file_key };
    let handle = filled(key.as_ref()).ok_or(Rejection::Malformed("a file without a key"))?;
    let name = filled(media.file_name.as_ref()).map(str::to_owned);
    Ok(Content {
        text: String::new(),
        attachments: vec![Attachment { kind, handle: handle.to_owned(), name }],
    })
}

/// A sticker, a card, a location and the like. The content is not always JSON; a key is kept where there is one.
fn other(content: &str) -> Content {
    let media = object::<Media<'_>>(content).ok();
    let text = |field: Option<&Text<'_>>| filled(field).map(str::to_owned);
    let handle = media.as_ref().and_then(|media| text(media.file_key.as_ref())).unwrap_or_default();
    let name = media.as_ref().and_then(|media| text(media.file_name.as_ref()));
    let attachment = Attachment { kind: AttachmentKind::Other, handle, name };
    Content { text: String::new(), attachments: vec![attachment] }
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
        ] {
            let name = name.map(str::to_owned);
            let attachments = vec![Attachment { kind, handle: handle.to_owned(), name }];
            let found = read(message_type, content, &Mentions::default());
            assert_eq!(found, Ok(Content { text: String::new(), attachments }), "{message_type}");
        }
    }

    #[test]
    fn content_that_is_not_of_its_type_is_malformed() {
        for (message_type, content) in [
            ("text", ""),
            ("text", "hi"),
            ("text", r#"["hi"]"#),
            ("text", r#"{"words":"hi"}"#),
            ("post", r#"{"content":"hi"}"#),
            ("image", r#"{"file_key":"file_1"}"#),
            ("image", r#"{"image_key":""}"#),
            ("file", "{}"),
        ] {
            let found = read(message_type, content, &Mentions::default());
            assert!(matches!(found, Err(Rejection::Malformed(_))), "{message_type} {content}");
        }
    }
}

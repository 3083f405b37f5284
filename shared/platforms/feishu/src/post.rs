//! Rich text (`post`) as plain Markdown. Styles are dropped: a model needs the words.

use chat::{Attachment, AttachmentKind};
use serde::Deserialize;

use crate::{
    content::Content,
    mention::Mentions,
    wire::{Text, filled},
};

/// A received post; unlike a sent one it has no level of languages.
#[derive(Deserialize)]
pub(crate) struct Post<'a> {
    #[serde(borrow)]
    title: Option<Text<'a>>,
    #[serde(borrow)]
    content: Vec<Vec<Node<'a>>>,
}

/// A piece of a paragraph. Which fields are there depends on the tag.
#[derive(Deserialize)]
struct Node<'a> {
    #[serde(borrow)]
    tag: Text<'a>,
    #[serde(borrow)]
    text: Option<Text<'a>>,
    #[serde(borrow)]
    href: Option<Text<'a>>,
    #[serde(borrow)]
    user_id: Option<Text<'a>>,
    #[serde(borrow)]
    user_name: Option<Text<'a>>,
    #[serde(borrow)]
    image_key: Option<Text<'a>>,
    #[serde(borrow)]
    file_key: Option<Text<'a>>,
    #[serde(borrow)]
    emoji_type: Option<Text<'a>>,
    #[serde(borrow)]
    language: Option<Text<'a>>,
}

/// Title and paragraphs, one below the other.
pub(crate) fn flatten(post: &Post<'_>, mentions: &Mentions<'_>) -> Content {
    let mut content = Content::default();
    let mut paragraphs: Vec<String> = filled(post.title.as_ref()).map(str::to_owned).into_iter().collect();
    for nodes in &post.content {
        let mut paragraph = String::new();
        for node in nodes {
            content.attachments.extend(attachment(node));
            paragraph.push_str(&words(node, mentions));
        }
        paragraphs.push(paragraph);
    }
    content.text = paragraphs.join("\n").trim().to_owned();
    content
}

fn words(node: &Node<'_>, mentions: &Mentions<'_>) -> String {
    let text = filled(node.text.as_ref()).unwrap_or_default();
    match node.tag.as_str() {
        "a" => match filled(node.href.as_ref()) {
            Some(href) => format!("[{}]({href})", if text.is_empty() { href } else { text }),
            None => mentions.resolve(text),
        },
        "at" => at(node, mentions),
        "emotion" => filled(node.emoji_type.as_ref()).map(|name| format!(":{name}:")).unwrap_or_default(),
        "hr" => "---".to_owned(),
        "code_block" => {
            let language = filled(node.language.as_ref()).unwrap_or_default().to_lowercase();
            format!("```{language}\n{}\n```", text.trim_end_matches('\n'))
        }
        // `text`, `md`, and whatever else has words.
        _ => mentions.resolve(text),
    }
}

fn at(node: &Node<'_>, mentions: &Mentions<'_>) -> String {
    let key = filled(node.user_id.as_ref()).unwrap_or_default();
    match (mentions.get(key), filled(node.user_name.as_ref())) {
        (Some(shown), _) => shown.to_owned(),
        (None, Some(name)) => format!("@{name}"),
        (None, None) => key.to_owned(),
    }
}

fn attachment(node: &Node<'_>) -> Option<Attachment> {
    let (kind, key) = match node.tag.as_str() {
        "img" => (AttachmentKind::Picture, &node.image_key),
        "media" => (AttachmentKind::Video, &node.file_key),
        _ => return None,
    };
    Some(Attachment { kind, handle: filled(key.as_ref())?.to_owned(), name: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;

    #[test]
    fn every_kind_of_node_is_read() {
        let wire: Vec<wire::Mention<'_>> =
            serde_json::from_str(r#"[{"key":"@_user_1","id":{"open_id":"ou_1"},"name":"Ann"}]"#).unwrap();
        let json = r#"{"title":"T","content":[
            [{"tag":"text","text":"a @_user_1 ","style":["bold"]},{"tag":"a","text":"b","href":"https://e.x"},
             {"tag":"a","href":"https://f.x"},{"tag":"a","text":"c"}],
            [{"tag":"at","user_id":"@_user_1","user_name":"Other"},{"tag":"at","user_id":"@_user_9","user_name":"Bob"},
             {"tag":"at","user_id":"@_all"}],
            [{"tag":"img","image_key":"img_1"}],
            [{"tag":"media","file_key":"file_1","image_key":"img_2"},{"tag":"img"}],
            [{"tag":"emotion","emoji_type":"SMILE"},{"tag":"emotion"}],
            [{"tag":"hr"}],
            [{"tag":"code_block","language":"RUST","text":"fn f() {}\n"}],
            [{"tag":"md","text":"**x**"},{"tag":"of tomorrow"}]
        ]}"#;
        let content = flatten(&serde_json::from_str(json).unwrap(), &Mentions::new(&wire));
        assert_eq!(
            content.text,
            "T\na @Ann [b](https://e.x)[https://f.x](https://f.x)c\n@Ann@Bob@_all\n\n\n:SMILE:\n---\n\
             ```rust\nfn f() {}\n```\n**x**"
        );
        let found: Vec<_> = content.attachments.iter().map(|a| (a.kind, a.handle.as_str())).collect();
        assert_eq!(found, [(AttachmentKind::Picture, "img_1"), (AttachmentKind::Video, "file_1")]);
    }

    #[test]
    fn a_post_of_nothing_says_nothing() {
        let post = serde_json::from_str(r#"{"title":"","content":[]}"#).unwrap();
        assert_eq!(flatten(&post, &Mentions::default()), Content::default());
    }
}

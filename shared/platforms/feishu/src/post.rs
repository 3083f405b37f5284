//! Rich text (`post`) as plain Markdown. Styles are dropped: a model needs the words.
//!
//! A received post is `{"title", "content": [[node]]}`. Other forms of it occur: with a level of languages, as when it is
//! sent; with files beside the paragraphs; with tags that no document has. So it is read as whatever JSON it is.

use chat::{Attachment, AttachmentKind};
use serde_json::Value;

use crate::{
    content::{Content, files},
    mention::{Mentions, MentionsIn, Words},
};

/// The languages of a post, the one to read first.
const LANGUAGES: [&str; 3] = ["zh_cn", "en_us", "ja_jp"];

/// How deep nodes within nodes are looked into.
const DEPTH: u8 = 8;

/// Title and paragraphs, one below the other. Nothing when there is neither.
pub(crate) fn flatten(post: &Value, mentions: &Mentions) -> Option<Content> {
    let body = body(post, DEPTH)?;
    let keys = at_keys(body);
    let mut reader = Reader {
        mentions,
        in_text: mentions.except(&keys),
        out: Words::default(),
        content: Content::default(),
    };
    let title = body.get("title").and_then(Value::as_str).unwrap_or_default();
    reader.out.push(title);
    let mut separate = !title.is_empty();
    for paragraph in paragraphs(body.get("content").unwrap_or(&Value::Null)) {
        if separate {
            reader.out.push("\n");
        }
        separate = true;
        reader.nodes(paragraph, DEPTH);
    }
    let Reader { out, mut content, .. } = reader;
    for (name, value) in body.as_object().into_iter().flatten() {
        if name != "title" && name != "content" {
            files(value, &mut content.attachments);
        }
    }
    content.words = out.trimmed();
    Some(content)
}

/// The object that has the paragraphs: the post, or one of the languages in it.
fn body(post: &Value, depth: u8) -> Option<&Value> {
    let object = post.as_object().filter(|_| depth > 0)?;
    if object.get("content").is_some_and(|content| content.is_array() || content.is_string()) {
        return Some(post);
    }
    let first = LANGUAGES.iter().filter_map(|name| object.get(*name));
    let found = first.chain(object.values()).find_map(|inner| body(inner, depth - 1));
    // A title alone is a post too.
    found.or_else(|| {
        object.get("title").and_then(Value::as_str).filter(|title| !title.is_empty()).map(|_| post)
    })
}

/// A paragraph is a list of nodes; a node that stands by itself is one too.
fn paragraphs(content: &Value) -> impl Iterator<Item = &[Value]> {
    let one = std::slice::from_ref(content).iter();
    let each = content.as_array().map_or(one, |list| list.iter());
    each.map(|paragraph| paragraph.as_array().map_or(std::slice::from_ref(paragraph), Vec::as_slice))
}

/// The keys that nodes of the tag `at` stand for. Where they occur in the words as well, somebody typed them.
fn at_keys(body: &Value) -> Vec<&str> {
    let nodes = paragraphs(body.get("content").unwrap_or(&Value::Null)).flatten();
    nodes.filter(|node| field(node, "tag") == "at").map(|node| field(node, "user_id")).collect()
}

struct Reader<'a> {
    mentions: &'a Mentions,
    /// The mentions that may stand in the words.
    in_text: MentionsIn<'a>,
    out: Words,
    content: Content,
}

impl Reader<'_> {
    fn nodes(&mut self, nodes: &[Value], depth: u8) {
        for node in nodes {
            self.node(node, depth);
        }
    }

    fn node(&mut self, node: &Value, depth: u8) {
        let text = node.as_str().unwrap_or_else(|| field(node, "text"));
        match field(node, "tag") {
            "a" => self.link(text, field(node, "href")),
            "at" => self.mentions.at(field(node, "user_id"), field(node, "user_name"), &mut self.out),
            "emotion" => {
                let name = Some(field(node, "emoji_type")).filter(|name| !name.is_empty());
                self.out.push(&name.map(|name| format!(":{name}:")).unwrap_or_default());
            }
            "hr" => self.out.push("---"),
            "code_block" => {
                let language = field(node, "language").to_lowercase();
                self.out.push(&format!("```{language}\n{}\n```", text.trim_end_matches('\n')));
            }
            "img" => self.file(AttachmentKind::Picture, field(node, "image_key")),
            "media" => self.file(AttachmentKind::Video, field(node, "file_key")),
            "text" | "md" => self.in_text.resolve(text, &mut self.out),
            _ => self.unknown(node, text, depth),
        }
    }

    fn link(&mut self, text: &str, href: &str) {
        match (text, href) {
            (text, "") => self.in_text.resolve(text, &mut self.out),
            ("", href) => self.out.push(&format!("[{href}]({href})")),
            (text, href) => self.out.push(&format!("[{text}]({href})")),
        }
    }

    fn file(&mut self, kind: AttachmentKind, key: &str) {
        if !key.is_empty() {
            self.content.attachments.push(Attachment { kind, handle: key.to_owned(), name: None });
        }
    }

    /// A tag of tomorrow: its words, its files, and the nodes within it. One of which nothing can be read is something
    /// that we cannot read.
    fn unknown(&mut self, node: &Value, text: &str, depth: u8) {
        if !node.is_string() {
            self.content.unknown.push("a post with a tag that is not known");
        }
        let before = (self.out.text.len(), self.content.attachments.len());
        self.in_text.resolve(text, &mut self.out);
        for inner in node.as_object().into_iter().flatten().filter_map(|(_, value)| value.as_array()) {
            if let Some(depth) = depth.checked_sub(1) {
                self.nodes(inner, depth);
            }
        }
        if before == (self.out.text.len(), self.content.attachments.len()) {
            files(node, &mut self.content.attachments);
        }
        if before == (self.out.text.len(), self.content.attachments.len()) && !node.is_string() {
            self.file_of_unknown_kind();
        }
    }

    fn file_of_unknown_kind(&mut self) {
        let unknown = Attachment { kind: AttachmentKind::Other, handle: String::new(), name: None };
        self.content.attachments.push(unknown);
    }
}

fn field<'a>(node: &'a Value, name: &str) -> &'a str {
    node.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire;

    fn mentions() -> Mentions {
        let wire: Vec<wire::Mention<'_>> =
            serde_json::from_str(r#"[{"key":"@_user_1","id":{"open_id":"ou_1"},"name":"Ann"}]"#).unwrap();
        Mentions::new(&wire)
    }

    fn text(post: &Value) -> String {
        flatten(post, &mentions()).unwrap().words.text
    }

    #[test]
    fn every_kind_of_node_is_read() {
        let post = json!({"title":"T","content":[
            [{"tag":"text","text":"a @_user_1 ","style":["bold"]},{"tag":"a","text":"b","href":"https://e.x"},
             {"tag":"a","href":"https://f.x"},{"tag":"a","text":"c"}],
            [{"tag":"at","user_id":"@_user_1","user_name":"Other"},{"tag":"at","user_id":"@_user_9","user_name":"Bob"},
             {"tag":"at","user_id":"@_all"},{"tag":"at","user_id":"ou_1"}],
            [{"tag":"img","image_key":"img_1"}],
            [{"tag":"media","file_key":"file_1","image_key":"img_2"},{"tag":"img"}],
            [{"tag":"emotion","emoji_type":"SMILE"},{"tag":"emotion"}],
            [{"tag":"hr"}],
            [{"tag":"code_block","language":"RUST","text":"fn f() {} // @_user_1\n"}],
            [{"tag":"md","text":"**x**"}]
        ]});
        let content = flatten(&post, &mentions()).unwrap();
        assert_eq!(
            content.words.text,
            "T\na @_user_1 [b](https://e.x)[https://f.x](https://f.x)c\n@Ann@Bob@_all@Ann\n\n\n:SMILE:\n---\n\
             ```rust\nfn f() {} // @_user_1\n```\n**x**",
            "a key in the words is typed where a node mentions"
        );
        let spans: Vec<_> = content.words.mentioned.iter().map(|span| (span.start, span.end)).collect();
        assert_eq!(
            spans.iter().map(|(from, to)| &content.words.text[*from..*to]).collect::<Vec<_>>(),
            ["@Ann"; 2]
        );
        let found: Vec<_> = content.attachments.iter().map(|a| (a.kind, a.handle.as_str())).collect();
        assert_eq!(found, [(AttachmentKind::Picture, "img_1"), (AttachmentKind::Video, "file_1")]);
        assert!(content.unknown.is_empty());
    }

    #[test]
    fn other_forms_of_a_post_are_read() {
        let paragraphs = json!([[{"tag":"text","text":"hi @_user_1"}]]);
        for post in [
            json!({"content": paragraphs}),
            json!({"zh_cn": {"title": "", "content": paragraphs}}),
            json!({"en_us": {"content": [[{"tag":"text","text":"no"}]]}, "zh_cn": {"content": paragraphs}}),
            json!({"post": {"fr_fr": {"content": paragraphs}}}),
            json!({"content": [{"tag":"text","text":"hi @_user_1"}]}),
            json!({"content": [["hi @_user_1"]]}),
            json!({"content": "hi @_user_1"}),
            json!({"title": 7, "content": [[{"tag":"text","text":"hi @_user_1"}, null, 7, {"tag": 3}]]}),
        ] {
            assert_eq!(text(&post), "hi @Ann", "{post}");
        }
        assert_eq!(text(&json!({"title": "only"})), "only");
        assert!(flatten(&json!({"words": []}), &mentions()).is_none());
        assert!(flatten(&json!(["hi"]), &mentions()).is_none());
    }

    #[test]
    fn files_beside_the_paragraphs_and_tags_of_tomorrow_are_read() {
        let post = json!({"title": "", "content": [
            [{"tag": "panel", "elements": [{"tag": "text", "text": "inside "}, {"tag": "mark", "text": "marked"}]}],
            [{"tag": "file", "file_key": "file_1", "file_name": "a.pdf"}, {"tag": "hologram"}],
        ], "files": [{"file_key": "file_2", "file_name": "b.xlsx"}, {"image_key": "img_3"}]});
        let content = flatten(&post, &mentions()).unwrap();
        assert_eq!(content.words.text, "inside marked");
        let found: Vec<_> =
            content.attachments.iter().map(|a| (a.kind, a.handle.as_str(), a.name.as_deref())).collect();
        assert_eq!(
            found,
            [
                (AttachmentKind::File, "file_1", Some("a.pdf")),
                (AttachmentKind::Other, "", None),
                (AttachmentKind::File, "file_2", Some("b.xlsx")),
                (AttachmentKind::Picture, "img_3", None),
            ]
        );
        assert_eq!(content.unknown, ["a post with a tag that is not known"; 4]);
    }

    #[test]
    fn a_post_of_nothing_says_nothing() {
        assert_eq!(
            flatten(&json!({"title":"","content":[]}), &Mentions::default()),
            Some(Content::default())
        );
    }
}

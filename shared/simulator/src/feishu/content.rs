//! The forms of a message's `content`: what is valid, and what a person reads in it.

use serde_json::Value;

use super::error;
use crate::answer::Answer;

/// Largest request body of a text message: 150 KB.
const TEXT_MAX: usize = 150 * 1024;

/// Largest request body of a card or a post: 30 KB.
const RICH_MAX: usize = 30 * 1024;

/// Most elements of a JSON 2.0 card, nested ones included.
const ELEMENTS_MAX: usize = 200;

/// A message to send, found valid.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) form: String,
    pub(super) raw: String,
    pub(super) text: String,
}

/// Reads `msg_type` and `content` of a request of this many bytes.
pub(super) fn read(body: &Value, length: usize) -> Result<Content, Answer> {
    let form = body["msg_type"].as_str().ok_or_else(|| invalid("msg_type is required"))?;
    let raw = body["content"].as_str().ok_or_else(|| invalid("content must be a string"))?;
    let most = if matches!(form, "interactive" | "post") { RICH_MAX } else { TEXT_MAX };
    if length > most {
        return Err(error(230_025, "The length of the message content reaches its limit."));
    }
    let content: Value = serde_json::from_str(raw).map_err(|_| invalid("content is not a json string"))?;
    let text = match form {
        "text" => own(&content, "text")?,
        "post" => post(&content)?,
        "interactive" => card(&content)?,
        "image" => own(&content, "image_key")?,
        "file" | "audio" | "media" | "sticker" => own(&content, "file_key")?,
        "share_chat" => own(&content, "chat_id")?,
        "share_user" => own(&content, "user_id")?,
        _ => return Err(invalid("msg_type is not supported")),
    };
    Ok(Content { form: form.to_owned(), raw: raw.to_owned(), text })
}

fn invalid(what: &str) -> Answer {
    error(230_001, &format!("Your request contains an invalid request parameter, ext={what}"))
}

fn bad_card(code: u32, what: &str) -> Answer {
    error(230_099, &format!("Failed to create card content, ext=ErrCode: {code}; ErrMsg: {what};"))
}

fn own(content: &Value, field: &str) -> Result<String, Answer> {
    let text = content[field].as_str().filter(|text| !text.is_empty());
    text.map(ToOwned::to_owned).ok_or_else(|| invalid(&format!("content.{field} is required")))
}

/// A post: at least one language, each with paragraphs of nodes that have a tag.
fn post(content: &Value) -> Result<String, Answer> {
    let languages = content.as_object().filter(|languages| !languages.is_empty());
    let mut shown = None;
    for language in languages.ok_or_else(|| invalid("post has no language"))?.values() {
        let paragraphs = language["content"].as_array().ok_or_else(|| invalid("post has no content"))?;
        let mut lines = language["title"]
            .as_str()
            .filter(|title| !title.is_empty())
            .map_or_else(Vec::new, |title| vec![title.to_owned()]);
        for paragraph in paragraphs {
            let nodes = paragraph.as_array().ok_or_else(|| invalid("a paragraph is not an array"))?;
            lines.push(nodes.iter().map(node).collect::<Result<String, _>>()?);
        }
        shown.get_or_insert(lines.join("\n"));
    }
    shown.filter(|text| !text.is_empty()).ok_or_else(|| invalid("post is empty"))
}

fn node(node: &Value) -> Result<String, Answer> {
    let text = |field: &str| node[field].as_str().unwrap_or_default().to_owned();
    Ok(match node["tag"].as_str().unwrap_or_default() {
        "text" | "md" => text("text"),
        "a" => format!("[{}]({})", text("text"), text("href")),
        "at" => format!("@{}", text("user_id")),
        "code_block" => format!("```{}\n{}\n```", text("language"), text("text")),
        "hr" => "---".to_owned(),
        "img" => text("image_key"),
        "media" => text("file_key"),
        "emotion" => text("emoji_type"),
        _ => return Err(invalid("unknown tag in post")),
    })
}

/// A card: 2.0 with `body.elements`, 1.0 with `elements`, a template, or an entity.
fn card(content: &Value) -> Result<String, Answer> {
    if !content.is_object() {
        return Err(bad_card(200_621, "parse card json err"));
    }
    match content["type"].as_str() {
        Some("template") => return own(&content["data"], "template_id"),
        Some("card") => return own(&content["data"], "card_id"),
        _ => {}
    }
    let elements = match content["schema"].as_str() {
        Some("2.0") => &content["body"]["elements"],
        None => &content["elements"],
        Some(_) => return Err(bad_card(300_303, "schema is not 2.0")),
    };
    let Some(list) = elements.as_array() else { return Err(bad_card(200_621, "card has no elements")) };
    if list.iter().any(|element| element["tag"].as_str().is_none()) {
        return Err(bad_card(200_621, "an element has no tag"));
    }
    let mut found = Found::default();
    found.walk(&content["header"]["title"]);
    found.count = 0;
    found.walk(elements);
    if content["schema"] == "2.0" && found.count > ELEMENTS_MAX {
        return Err(bad_card(300_305, "element number over limit"));
    }
    Ok(found.lines.join("\n"))
}

/// The words of a card in reading order, and how many tagged things it holds.
#[derive(Default)]
struct Found {
    lines: Vec<String>,
    count: usize,
}

impl Found {
    fn walk(&mut self, value: &Value) {
        if let Some(list) = value.as_array() {
            list.iter().for_each(|item| self.walk(item));
        }
        let Some(tag) = value["tag"].as_str() else { return };
        match tag {
            "markdown" | "lark_md" | "plain_text" => {
                self.lines.extend(value["content"].as_str().map(ToOwned::to_owned));
            }
            "hr" => self.lines.push("---".to_owned()),
            _ => {}
        }
        // Texts are part of the element that holds them; the limit counts elements.
        self.count += usize::from(!matches!(tag, "lark_md" | "plain_text"));
        for part in ["text", "fields", "elements", "columns", "actions"] {
            self.walk(&value[part]);
        }
    }
}

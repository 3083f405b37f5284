//! The forms of messages: what is valid, and what a person reads in it.

use serde_json::Value;

/// Largest body of a webhook message, in bytes.
const WEBHOOK_MAX: usize = 20_000;

/// Largest `msgParam`, in bytes.
const PARAM_MAX: usize = 15_000;

/// A message of the v1.0 API: its key, what its parameters must have, and which of them people read.
struct Key {
    name: &'static str,
    required: &'static [&'static str],
    shown: &'static [&'static str],
}

const KEYS: &[Key] = &[
    Key { name: "sampleText", required: &["content"], shown: &["content"] },
    Key { name: "sampleMarkdown", required: &["title", "text"], shown: &["text"] },
    Key { name: "sampleImageMsg", required: &["photoURL"], shown: &["photoURL"] },
    Key {
        name: "sampleLink",
        required: &["text", "title", "messageUrl"],
        shown: &["title", "text", "messageUrl"],
    },
    card("sampleActionCard", &["title", "text", "singleTitle", "singleURL"]),
    card("sampleActionCard2", &["title", "text", "actionTitle1", "actionURL1", "actionTitle2", "actionURL2"]),
    card("sampleActionCard3", &["title", "text", "actionTitle3", "actionURL3"]),
    card("sampleActionCard4", &["title", "text", "actionTitle4", "actionURL4"]),
    card("sampleActionCard5", &["title", "text", "actionTitle5", "actionURL5"]),
    card("sampleActionCard6", &["title", "text", "buttonTitle1", "buttonUrl1", "buttonTitle2", "buttonUrl2"]),
    Key { name: "sampleAudio", required: &["mediaId", "duration"], shown: &["mediaId"] },
    Key { name: "sampleFile", required: &["mediaId", "fileName", "fileType"], shown: &["fileName"] },
    Key {
        name: "sampleVideo",
        required: &["duration", "videoMediaId", "videoType"],
        shown: &["videoMediaId"],
    },
];

const fn card(name: &'static str, required: &'static [&'static str]) -> Key {
    Key { name, required, shown: &["text"] }
}

/// A message, found valid.
pub(super) struct Form {
    pub(super) form: String,
    pub(super) text: String,
}

fn filled(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty()) || value.is_number()
}

fn joined<'a>(of: &Value, fields: impl IntoIterator<Item = &'a str>) -> String {
    fields.into_iter().filter_map(|field| of[field].as_str()).collect::<Vec<_>>().join("\n")
}

/// Reads `msgKey` and `msgParam` of the v1.0 API.
///
/// The error is what follows `invalidParameter.` in the code.
pub(super) fn keyed(body: &Value) -> Result<Form, &'static str> {
    let name = body["msgKey"].as_str().unwrap_or_default();
    let key = KEYS.iter().find(|key| key.name == name).ok_or("msgKey.invalid")?;
    let raw = body["msgParam"].as_str().ok_or("msgParam.invalid")?;
    if raw.len() > PARAM_MAX {
        return Err("msgParam.tooLong");
    }
    let param: Value = serde_json::from_str(raw).map_err(|_| "msgParam.invalid")?;
    if !key.required.iter().all(|field| filled(&param[*field])) {
        return Err("msgParam.invalid");
    }
    Ok(Form { form: name.to_owned(), text: joined(&param, key.shown.iter().copied()) })
}

/// Reads a message for a session webhook or a custom robot; `None` for `empty`, which shows nothing.
///
/// The error is `errcode` and `errmsg`.
pub(super) fn webhook(body: &Value, length: usize) -> Result<Option<Form>, (i64, &'static str)> {
    if length > WEBHOOK_MAX {
        return Err((460_101, "message too long, exceed 20000 bytes"));
    }
    let form = body["msgtype"].as_str().unwrap_or_default();
    let part = &body[form];
    let (required, shown): (&[&str], &[&str]) = match form {
        "empty" => return Ok(None),
        "text" => (&["content"], &["content"]),
        "markdown" => (&["title", "text"], &["text"]),
        "link" => (&["title", "text", "messageUrl"], &["title", "text", "messageUrl"]),
        "actionCard" => (&["title", "text"], &["text"]),
        "feedCard" => return feed(part).map(|text| Some(Form { form: form.to_owned(), text })),
        _ => return Err((400_105, "unsupported msgtype")),
    };
    if !required.iter().all(|field| filled(&part[*field])) {
        return Err((40_035, "json missing"));
    }
    let single = filled(&part["singleTitle"]) && filled(&part["singleURL"]);
    let buttons = part["btns"].as_array().is_some_and(|list| {
        !list.is_empty() && list.iter().all(|button| filled(&button["title"]) && filled(&button["actionURL"]))
    });
    if form == "actionCard" && !single && !buttons {
        return Err((40_035, "json missing"));
    }
    Ok(Some(Form { form: form.to_owned(), text: joined(part, shown.iter().copied()) }))
}

fn feed(part: &Value) -> Result<String, (i64, &'static str)> {
    let links = part["links"].as_array().filter(|links| !links.is_empty()).ok_or((40_035, "json missing"))?;
    if !links.iter().all(|link| filled(&link["title"]) && filled(&link["messageURL"])) {
        return Err((40_035, "json missing"));
    }
    Ok(links.iter().map(|link| joined(link, ["title", "messageURL"])).collect::<Vec<_>>().join("\n"))
}

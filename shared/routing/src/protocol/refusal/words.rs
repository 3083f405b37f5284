//! Where servers put the words of an error, and what makes a body an error.

use serde_json::Value;

/// The words of an error: those that stand deepest, since gateways wrap what a provider said.
pub(super) fn of(body: &Value) -> Option<String> {
    let body = body.get(0).unwrap_or(body);
    // OpenRouter keeps what the provider said beside words of its own that say nothing.
    let raw = body.pointer("/error/metadata/raw").and_then(Value::as_str);
    let inner = raw.and_then(|raw| serde_json::from_str::<Value>(raw).ok().and_then(|raw| of(&raw)));
    inner.or_else(|| raw.map(str::to_owned)).or_else(|| deepest(body, 0))
}

/// The keys under which the words stand, the most telling first.
const KEYS: [&str; 12] = [
    "error",
    "message",
    "Message",
    "msg",
    "detail",
    "error_msg",
    "error_message",
    "errorMessage",
    "errors",
    "base_resp",
    "status_msg",
    "reason",
];

/// How deep errors are nested.
const DEPTH: usize = 5;

fn deepest(value: &Value, depth: usize) -> Option<String> {
    match value {
        _ if depth > DEPTH => None,
        // A message can itself be the JSON of another server's error.
        Value::String(text) if text.starts_with('{') => {
            let inner = serde_json::from_str::<Value>(text).ok();
            inner.and_then(|inner| deepest(&inner, depth + 1)).or_else(|| Some(text.clone()))
        }
        Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
        Value::Array(list) => {
            let all: Vec<_> = list.iter().take(3).filter_map(|item| deepest(item, depth + 1)).collect();
            (!all.is_empty()).then(|| all.join("; "))
        }
        Value::Object(map) => {
            let words = KEYS
                .iter()
                .find_map(|key| deepest(map.get(*key)?, depth + 1))
                .or_else(|| deepest(map.get("response")?.get("error")?, depth + 1))?;
            Some(match map.get("loc").and_then(Value::as_array) {
                Some(place) => format!("{}: {words}", dotted(place)),
                None => words,
            })
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Where a validation error is, as FastAPI names it.
fn dotted(place: &[Value]) -> String {
    let part = |part: &Value| part.as_str().map_or_else(|| part.to_string(), str::to_owned);
    place.iter().map(part).collect::<Vec<_>>().join(".")
}

/// The words of a body that is not JSON: the title of a page, or a text.
pub(super) fn of_page(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.starts_with(['{', '[']) || serde_json::from_str::<Value>(text).is_ok() {
        return None;
    }
    if !text.starts_with('<') {
        return Some(text.to_owned()).filter(|text| !text.is_empty());
    }
    let lower = text.to_ascii_lowercase();
    let from = lower.find("<title>")? + "<title>".len();
    let to = from + lower[from..].find("</title>")?;
    Some(text[from..to].to_owned())
}

/// `MiniMax` reports errors in an object of its own, with a status of 0 where there is none.
pub(super) fn minimax_code(body: &Value) -> Option<i64> {
    body.pointer("/base_resp/status_code").and_then(Value::as_i64).filter(|&code| code != 0)
}

/// Whether a body is an error: by its key, by what it calls itself, or by a code with words beside it.
pub(super) fn is_error(body: &Value) -> bool {
    let body = body.get(0).unwrap_or(body);
    let there = |key: &str| body.get(key).is_some_and(says_something);
    let is = |key: &str| body.get(key).and_then(Value::as_str) == Some("error");
    if there("error") || is("object") || is("type") || is("event") || minimax_code(body).is_some() {
        return true;
    }
    let words = || ["message", "msg", "error_msg", "errorMessage", "Message"].into_iter().any(there);
    // A status in words says how far it is, not that it failed.
    let code = || {
        let status = ["status", "statusCode"]
            .iter()
            .any(|key| body.get(*key).is_some_and(|it| it.is_number() && is_code(it)));
        status || ["code", "error_code", "errorCode"].iter().any(|key| body.get(*key).is_some_and(is_code))
    };
    body.get("choices").is_none_or(Value::is_null)
        && (there("detail")
            || there("errors")
            || body.get("success") == Some(&Value::Bool(false))
            || words() && code())
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_i64() != Some(0),
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// Whether a code is one of an error: a number that is no success, or a name.
fn is_code(code: &Value) -> bool {
    match code {
        Value::Number(number) => number.as_i64().is_none_or(|number| !(0..400).contains(&number)),
        Value::String(text) => {
            !matches!(text.to_ascii_lowercase().as_str(), "" | "0" | "200" | "ok" | "success")
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests;

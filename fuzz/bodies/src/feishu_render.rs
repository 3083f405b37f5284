//! A reply as Feishu's texts and cards: within the limits, no words lost, nobody mentioned.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use chat::{Reply, ReplyTo, Segment};
use platform::Platform;
use serde_json::{Value, json};

use crate::{Reach, fixed, words};

static FEISHU: LazyLock<Arc<dyn Platform>> = LazyLock::new(|| {
    let keys = json!({"app_id": "cli_1", "app_secret": "s", "verification_token": "vtok"});
    fixed::bind(feishu::KIND, &keys)
});

/// What Feishu takes of a card, in bytes; its own plugins keep to 28,000.
const CARD_MAX: usize = 28_000;

/// What Feishu takes of a text, in bytes.
const TEXT_MAX: usize = 150_000;

/// Tables in a card, as Feishu's own plugin keeps to.
const TABLES_MAX: usize = 3;

/// The first byte says how often the text that follows is repeated.
#[must_use]
pub fn run(data: &[u8]) -> Reach {
    let Some(markdown) = words::text_of(data) else { return Reach::Door };
    let to = ReplyTo(r#"{"v":1,"message_id":"om_m","in_thread":true}"#.to_owned());
    let reply = Reply { markdown };
    let segments = FEISHU.render(&reply, &to);
    assert_eq!(segments, FEISHU.render(&reply, &to), "the same reply gives the same segments");
    assert_eq!(segments.is_empty(), reply.markdown.trim().is_empty());
    let shown: Vec<String> = segments.iter().map(|segment| shown(&to, segment)).collect();
    // A mention loses its `<` and a picture its `!`, on purpose.
    assert!(words::keeps(&reply.markdown, &shown.concat(), &['<', '!']), "words are lost");
    Reach::inside(!segments.is_empty())
}

/// What people see of a segment.
fn shown(to: &ReplyTo, segment: &Segment) -> String {
    let call = FEISHU.send(to, segment, &fixed::key(), None, fixed::NOW).expect("our own segment is sent");
    let body: Value = serde_json::from_slice(&call.body).expect("a body is JSON");
    let content = body["content"].as_str().expect("content is a text");
    let content: Value = serde_json::from_str(content).expect("content is JSON");
    let (text, most) = match body["msg_type"].as_str() {
        Some("text") => (&content["text"], TEXT_MAX),
        Some("interactive") => (&content["body"]["elements"][0]["content"], CARD_MAX),
        other => panic!("a message of type {other:?}"),
    };
    let text = text.as_str().expect("words are a text");
    assert!(call.body.len() <= most, "{} bytes", call.body.len());
    assert!(!text.trim().is_empty(), "an empty message");
    assert!(!mentions(text), "somebody is mentioned");
    assert!(tables(text) <= TABLES_MAX, "{} tables", tables(text));
    text.to_owned()
}

/// Whether `<at` or `</at` begins a tag anywhere.
fn mentions(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.match_indices('<').any(|(at, _)| {
        let name = &text[at + 1..];
        let after = name.strip_prefix('/').unwrap_or(name).strip_prefix("at");
        after.is_some_and(|after| !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
    })
}

/// Tables outside of code, counted by what every table has: a line of dashes below a line of cells. That line of cells
/// may be dashes too, but not the dashes of the table before.
///
/// How far code may be indented depends on the list it stands in, which is not followed here: each line around code that
/// stands deeper may or may not be one, and what counts are the tables that every reading has.
fn tables(text: &str) -> usize {
    let mut readings = BTreeMap::from([(Reading::default(), 0)]);
    for line in text.lines() {
        let blank = line.chars().take_while(|c| c.is_whitespace());
        let deep = blank.map(|c| if c == '\t' { 4 } else { 1 }).sum::<usize>() > 3;
        let mut after = BTreeMap::new();
        for (reading, count) in readings {
            for may_fence in [true, !deep] {
                let (next, begins) = reading.read(line.trim(), may_fence);
                let count = count + usize::from(begins);
                let fewest = after.entry(next).or_insert(count);
                *fewest = count.min(*fewest);
            }
        }
        readings = after;
    }
    readings.into_values().min().unwrap_or_default()
}

/// What the lines so far may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Reading {
    /// The code that they end in: its sign, and how many of them.
    fence: Option<(char, usize)>,
    /// Whether the last one may head a table.
    cells: bool,
}

impl Reading {
    /// With one line more, and whether a table begins with it.
    fn read(self, line: &str, may_fence: bool) -> (Self, bool) {
        let run = |sign: char| line.chars().take_while(|c| *c == sign).count();
        if let Some((sign, length)) = self.fence {
            let closes = may_fence && run(sign) >= length && line.chars().all(|c| c == sign);
            return (Self { fence: self.fence.filter(|_| !closes), ..self }, false);
        }
        let opens = |(sign, length): &(char, usize)| {
            // Backticks later in the line make it inline code.
            may_fence && *length >= 3 && !(*sign == '`' && line[*length..].contains('`'))
        };
        let fence = ['`', '~'].into_iter().map(|sign| (sign, run(sign))).find(opens);
        let dashes = line.contains("--") && line.chars().all(|c| "|-: ".contains(c));
        let begins = self.cells && dashes && line.starts_with('|');
        (Self { fence, cells: !begins && line.starts_with('|') }, begins)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_counted_as_readers_see_them() {
        for (text, expected) in [
            ("| a |\n|---|\n| 1 |", 1),
            ("| a |\n|---|\n|---|\n", 1),
            ("| a |\n|---|\n| b |\n|---|\n", 2),
            ("|--\n|--\n|--\n|--\n", 2),
            ("```\n| a |\n|---|\n```\n| b |\n|---|", 1),
            ("````\n```\n| a |\n|---|\n````", 0),
            ("|---|", 0),
            ("``` `x```\n| a |\n|---|\n", 1),
            ("```\n    ```\n| a |\n|---|\n", 0),
            ("| a |\n|---|\n\t```\n```\n| a |\n|---|\n\t```\n```\n", 1),
            // The first of these is no fence, the second stands in a list item and hides the table.
            ("a\n\t```\n-\n\t```\n| a |\n|---|\n\t```\n", 0),
            ("\t```\n| a |\n|---|\n", 0),
            ("   ```\n   ```\n| a |\n|---|\n", 1),
        ] {
            assert_eq!(tables(text), expected, "{text:?}");
        }
    }
}

//! A pretend model server: it answers in parts that can be told apart, and no two answers are the same.

use std::fmt::Write as _;

use serde_json::{Value, json};
use transport::{OutRequest, OutResponse};

use crate::{
    plan::{Side, Words},
    platforms::answer as response,
    sim::State,
};

/// Long enough that a few parts do not fit into one message of DingTalk.
const FILLER: usize = 1_300;

/// A table before each part: Feishu's cards hold three.
const TABLE: &str = "| a | b |\n|---|---|\n| 1 | 2 |\n\n";

pub(crate) fn answer(state: &mut State, request: &OutRequest) -> OutResponse {
    state.platforms.asked += 1;
    let number = state.platforms.asked;
    let prompt = String::from_utf8_lossy(&request.body).into_owned();
    let Some(turn) = state.turn() else { return response(500, &Value::Null) };
    state.note(&[2, number.into()]);
    state.note_text(&prompt);
    let task = state.current;
    state.oracle.asked(task, &turn, &prompt);
    let Some(saying) = state.plan.sayings.iter().find(|saying| saying.turn == turn) else {
        return response(500, &Value::Null);
    };
    let parts = match saying.words {
        Words::Question(parts) => parts,
        Words::Help | Words::New | Words::Stop => 1,
    };
    let side = state.plan.rooms.get(saying.room).map_or(Side::Feishu, |room| room.side);
    let mut text = String::new();
    for part in 0..parts {
        if parts > 1 {
            match side {
                Side::Feishu => text.push_str(TABLE),
                Side::DingTalk => text.push_str(&format!("{}\n", "long ".repeat(FILLER / 5))),
            }
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "part{part} of q{}.{} #{number}\n\n", saying.room, saying.number);
    }
    if request.url.path().ends_with("/chat/completions") {
        response(200, &json!({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}))
    } else {
        response(200, &json!({"choices": [{"text": text, "finish_reason": "stop"}]}))
    }
}

/// A good answer without words.
pub(crate) fn empty() -> OutResponse {
    response(200, &json!({"choices": []}))
}

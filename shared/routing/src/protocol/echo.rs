//! No server: the user's last line comes back, marked as an echo in the user's language.

use chat::Language;

use crate::{Prompt, Role};

/// The last line that a person said, behind a mark that nobody takes for a model's answer.
#[must_use]
pub fn answer(prompt: &Prompt) -> String {
    let line = prompt.lines.iter().rev().find(|line| line.role == Role::User);
    let text = line.map_or("", |line| line.text.trim());
    match Language::of(text) {
        Language::Zh => format!("回声：{text}"),
        Language::En => format!("echo: {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Line;

    #[test]
    fn the_last_line_of_a_person_comes_back_in_their_language() {
        for (said, heard) in [("hello", "echo: hello"), (" 你好 ", "回声：你好"), ("", "回声：")] {
            let lines = vec![Line::user("before"), Line::user(said), Line::assistant("after")];
            let prompt = Prompt { system: Some("be kind".into()), lines, ..Prompt::default() };
            assert_eq!(answer(&prompt), heard);
        }
    }
}

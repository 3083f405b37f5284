//! No server: the user's last line comes back, marked as an echo in the user's language.

use chat::Language;

use super::Completion;
use crate::{Prompt, Role};

/// The last line that a person said, behind a mark that nobody takes for a model's answer.
#[must_use]
pub fn answer(prompt: &Prompt) -> Completion {
    let line = prompt.lines.iter().rev().find(|line| line.role == Role::User);
    let text = line.map_or("", |line| line.text.trim());
    let text = match Language::of(text) {
        Language::Zh => format!("回声：{text}"),
        Language::En => format!("echo: {text}"),
    };
    Completion { text, model: None, tokens: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Line;

    #[test]
    fn the_last_line_of_a_person_comes_back_in_their_language() {
        for (said, heard) in [("hello", "echo: hello"), (" 你好 ", "回声：你好"), ("", "回声：")] {
            let line = |role, text: &str| Line { role, text: text.into() };
            let lines =
                vec![line(Role::User, "before"), line(Role::User, said), line(Role::Assistant, "after")];
            assert_eq!(answer(&Prompt { system: Some("be kind".into()), lines }).text, heard);
        }
    }
}

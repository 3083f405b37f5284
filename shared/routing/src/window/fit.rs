//! A prompt without the exchanges for which there is no room.

use std::borrow::Cow;

use crate::{
    Line, Prompt, Role,
    estimate::{line_tokens, prompt_tokens},
};

/// A prompt as one endpoint gets it.
pub(crate) struct Fitted<'a> {
    pub(crate) prompt: Cow<'a, Prompt>,
    /// Its tokens, by estimate.
    pub(crate) tokens: u32,
}

/// The prompt with as much of its memory as there is room for, the newest first; an exchange is kept whole or not at all.
/// What is no memory is kept whether or not there is room for it.
pub(crate) fn fit(prompt: &Prompt, room: Option<u32>) -> Fitted<'_> {
    let tokens = prompt_tokens(prompt);
    let (mut left, mut from) = (tokens, 0);
    let memory = prompt.lines.get(..prompt.history).unwrap_or_default();
    while let Some(room) = room
        && left > room
        && from < memory.len()
    {
        let end = from + exchange(&memory[from..]);
        left = memory[from..end].iter().fold(left, |left, line| left.saturating_sub(line_tokens(line)));
        from = end;
    }
    if from == 0 {
        return Fitted { prompt: Cow::Borrowed(prompt), tokens };
    }
    let lines = prompt.lines[from..].to_vec();
    let history = memory.len() - from;
    let Prompt { system, sampling, .. } = prompt;
    let (system, sampling) = (system.clone(), sampling.clone());
    Fitted { prompt: Cow::Owned(Prompt { system, lines, history, sampling }), tokens: left }
}

/// How many of these lines are the first exchange: up to where a person speaks again after the model.
fn exchange(lines: &[Line]) -> usize {
    let next = lines.windows(2).position(|two| two[0].role == Role::Assistant && two[1].role == Role::User);
    next.map_or(lines.len(), |last| last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(exchanges: usize) -> Prompt {
        let exchange = |number| [Line::user(format!("q{number}")), Line::assistant("答".repeat(94))];
        let mut lines: Vec<_> = (0..exchanges).flat_map(exchange).collect();
        let history = lines.len();
        lines.push(Line::user("now"));
        Prompt { system: Some("persona".into()), lines, history, ..Prompt::default() }
    }

    #[test]
    fn the_oldest_exchanges_are_left_out_and_nothing_else() {
        // 6 of the persona, 5 of the question, and 103 of each exchange.
        for (room, kept) in [
            (None, 4),
            (Some(9_999), 4),
            (Some(423), 4),
            (Some(422), 3),
            (Some(320), 3),
            (Some(113), 0),
            (Some(0), 0),
        ] {
            let prompt = prompt(4);
            let fitted = fit(&prompt, room);
            assert_eq!(fitted.tokens, 11 + kept * 103, "{room:?}");
            assert_eq!(fitted.tokens, prompt_tokens(&fitted.prompt));
            assert_eq!(fitted.prompt.history, kept as usize * 2);
            assert_eq!(fitted.prompt.lines, prompt.lines[8 - kept as usize * 2..]);
            assert_eq!(fitted.prompt.system, prompt.system);
        }
    }

    #[test]
    fn what_is_no_memory_is_kept() {
        let mut prompt = prompt(4);
        prompt.history = 0;
        assert_eq!(*fit(&prompt, Some(1)).prompt, prompt);
        prompt.history = 99;
        assert_eq!(*fit(&prompt, Some(1)).prompt, prompt, "what cannot be is no memory");
    }

    #[test]
    fn an_exchange_is_left_out_whole() {
        let [user, bot] = [Line::user, Line::assistant].map(|line: fn(&'static str) -> Line| line("a"));
        let lines = vec![bot.clone(), user.clone(), user.clone(), bot.clone(), bot, user.clone(), user];
        let prompt = Prompt { lines, history: 6, ..Prompt::default() };
        for (room, left) in [(35, 7), (34, 6), (29, 2), (9, 1), (0, 1)] {
            assert_eq!(fit(&prompt, Some(room)).prompt.lines.len(), left, "{room}");
        }
    }
}

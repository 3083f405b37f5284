//! Ending an answer before texts that must not be part of it, for servers that do not know how to, or do not do it.

use super::Said;

/// Lets words through until one of the texts comes. What could begin one is held back.
#[derive(Default)]
pub(super) struct Stops {
    stops: Vec<String>,
    held: String,
    over: bool,
}

impl Stops {
    /// Ends before any of these. Empty texts end nothing.
    pub(super) fn new(stops: impl IntoIterator<Item = String>) -> Self {
        let stops = stops.into_iter().filter(|stop| !stop.is_empty()).collect();
        Self { stops, ..Self::default() }
    }

    /// More was said.
    pub(super) fn push(&mut self, text: &str, said: &mut Vec<Said>) {
        if self.over {
            return;
        }
        self.held.push_str(text);
        // Which one is whole first, so that it makes no difference how the words were cut.
        let found = self.stops.iter().filter_map(|stop| {
            let at = self.held.find(stop.as_str())?;
            Some((at + stop.len(), at))
        });
        if let Some((_, at)) = found.min() {
            self.over = true;
            self.held.truncate(at);
            return self.rest(said);
        }
        let kept = self.stops.iter().map(|stop| overlap(&self.held, stop)).max().unwrap_or(0);
        let rest = self.held.split_off(self.held.len() - kept);
        self.rest(said);
        self.held = rest;
    }

    /// Nothing more comes: what was held back began no such text.
    pub(super) fn rest(&mut self, said: &mut Vec<Said>) {
        let words = std::mem::take(&mut self.held);
        if !words.is_empty() {
            said.push(Said::Words(words));
        }
    }
}

/// How many bytes at the end of a text could begin this stop.
fn overlap(text: &str, stop: &str) -> usize {
    let mut ends = stop.char_indices().rev().map(|(at, _)| at);
    ends.find(|&at| text.ends_with(&stop[..at])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(stops: &[&str], pieces: &[&str]) -> String {
        let mut stopping = Stops::new(stops.iter().map(|&stop| stop.to_owned()));
        let mut said = Vec::new();
        for piece in pieces {
            stopping.push(piece, &mut said);
        }
        stopping.rest(&mut said);
        said.into_iter()
            .map(|said| match said {
                Said::Words(words) => words,
                Said::Thought => "?".to_owned(),
            })
            .collect()
    }

    #[test]
    fn an_answer_ends_before_a_stop_wherever_it_is_cut() {
        for (stops, text, out) in [
            (&["\nUser:"][..], "yes\nUser: no", "yes"),
            (&["\nUser:"], "yes\nUs", "yes\nUs"),
            (&["\nUser:"], "a\n\nUser:", "a\n"),
            (&["完。", "<|im_end|>"], "好<|im_end|>完。", "好"),
            (&["完。", "<|im_end|>"], "好完。<|im_end|>", "好"),
            (&["aab"], "aaab", "a"),
            (&["abcd", "c"], "abcd", "ab"),
            (&[""], "kept", "kept"),
            (&[], "kept", "kept"),
        ] {
            assert_eq!(heard(stops, &[text]), out, "{text:?}");
            for cut in (0..text.len()).filter(|&cut| text.is_char_boundary(cut)) {
                let (head, tail) = text.split_at(cut);
                assert_eq!(heard(stops, &[head, tail]), out, "{text:?} cut at {cut}");
            }
            let single: Vec<_> = text.split_inclusive(|_| true).collect();
            assert_eq!(heard(stops, &single), out, "{text:?} in single characters");
        }
    }
}

//! From what a model says, piece by piece, to what may be shown of it.

use crate::protocol::reasoning::{self, Lead};

/// One answer while it is heard: reasoning at its head is held back, and so is blank space before it.
#[derive(Default)]
pub(crate) struct Speech {
    /// All that was said.
    said: String,
    /// Where in it the answer begins, once it is clear that reasoning is over.
    begins: Option<usize>,
}

impl Speech {
    /// More was said; returns what of it may be shown.
    pub(crate) fn push(&mut self, more: &str) -> Option<&str> {
        let before = self.said.len();
        self.said.push_str(more);
        let from = match self.begins {
            Some(_) => before,
            None => match reasoning::lead(&self.said) {
                Lead::Unclear => return None,
                Lead::Over(from) => *self.begins.insert(from),
            },
        };
        self.said.get(from..).filter(|words| !words.is_empty())
    }

    /// Whether anything was let out.
    pub(crate) const fn is_heard(&self) -> bool {
        self.begins.is_some()
    }

    /// Whether what was let out is not the answer, now that the whole is known.
    pub(crate) fn is_misheard(&self) -> bool {
        self.begins
            .and_then(|from| self.said.get(from..))
            .is_some_and(|heard| heard.trim_end() != self.answer())
    }

    /// All that was said, reasoning included: what a server charges for.
    pub(crate) fn said(&self) -> &str {
        &self.said
    }

    /// The whole answer, without reasoning and without blanks around it.
    pub(crate) fn answer(&self) -> &str {
        reasoning::strip(&self.said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was let out, and the whole answer.
    fn heard(pieces: &[&str]) -> (String, String) {
        let mut speech = Speech::default();
        let out = pieces.iter().filter_map(|piece| speech.push(piece).map(str::to_owned)).collect();
        (out, speech.answer().to_owned())
    }

    #[test]
    fn leading_reasoning_and_blanks_are_held_back() {
        for (pieces, out) in [
            (&["yes"][..], "yes"),
            (&["\n ", " y", "es"], "yes"),
            (&["<th", "ink>hm", "</thi", "nk>\n\n", "yes", " indeed"], "yes indeed"),
            (&["<think>a</think>", "<think>b", "</think>c"], "c"),
            (&["<", "b>bold"], "<b>bold"),
            (&["<thin", "ner"], "<thinner"),
            (&["<think>only"], ""),
        ] {
            let (shown, answer) = heard(pieces);
            assert_eq!((shown.as_str(), answer.as_str()), (out, out), "{pieces:?}");
        }
    }

    #[test]
    fn what_turns_out_to_be_reasoning_is_no_part_of_the_answer() {
        let (shown, answer) = heard(&["hm, ", "well\n</think>\n\nyes"]);
        assert_eq!(shown, "hm, well\n</think>\n\nyes");
        assert_eq!(answer, "yes");
        let mut speech = Speech::default();
        assert!(speech.push("hm\n</think>\nyes").is_some());
        assert!(speech.is_misheard());
    }

    #[test]
    fn whole_or_in_single_characters_is_the_same() {
        let text = " <think>hm</think>\n鹊桥 is <think> a bridge ";
        let pieces: Vec<_> = text.split_inclusive(|_| true).collect();
        let (shown, answer) = heard(&pieces);
        assert_eq!(shown.trim_end(), answer);
        assert_eq!(answer, heard(&[text]).1);
    }
}

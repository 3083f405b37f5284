//! From what a model says, piece by piece, to what may be shown of it.

use crate::protocol::reasoning::{Lead, Reasoning};

/// How much of an answer is held back because it may have begun inside of reasoning, in bytes, where that was never seen
/// of its endpoint. Reasoning is seldom longer, and answers are mostly shorter: the first one comes at once.
const HELD_BYTES: usize = 32 << 10;

/// How far behind a closing mark the answer begins at the latest, in bytes.
const CLOSING_BYTES: usize = 256;

/// One answer while it is heard: reasoning at its head is held back, and so is blank space before it.
#[derive(Default)]
pub(crate) struct Speech {
    reasoning: Reasoning,
    /// Whether nothing that was heard can be taken back.
    is_final: bool,
    /// Whether the server keeps reasoning apart.
    apart: bool,
    /// How much had been said when a closing mark came that may end reasoning.
    closed: Option<usize>,
    /// All that was said.
    said: String,
    /// Where in it the answer begins, once it is clear that reasoning is over.
    begins: Option<usize>,
}

impl Speech {
    /// Hears an endpoint's answer, for somebody who cannot take back the first words if `is_final`.
    pub(crate) fn new(reasoning: Reasoning, is_final: bool) -> Self {
        Self { reasoning, is_final, ..Self::default() }
    }

    /// More was said; returns what of it may be shown.
    pub(crate) fn push(&mut self, more: &str) -> Option<&str> {
        let before = self.said.len();
        self.said.push_str(more);
        let from = match self.begins {
            Some(_) => before,
            None => {
                let from = self.begin(more.len())?;
                *self.begins.insert(from)
            }
        };
        self.said.get(from..).filter(|words| !words.is_empty())
    }

    /// The server tells reasoning apart, so what it calls the answer holds none that has lost its opening.
    pub(crate) const fn thinks_apart(&mut self) {
        self.apart = true;
    }

    /// Where the answer begins, if that is clear after so many bytes more.
    fn begin(&mut self, added: usize) -> Option<usize> {
        let Lead::Over(from) = self.reasoning.lead(&self.said) else { return None };
        if !self.is_final || self.apart || !self.reasoning.may_begin_inside() {
            return Some(from);
        }
        let said = &self.said[from..];
        if self.reasoning.closes_in(said, added) {
            self.closed = Some(said.len());
        }
        // What comes right after the mark tells whether it is one.
        if self.closed.is_some_and(|closed| said.len() - closed < CLOSING_BYTES)
            && let Some(end) = self.reasoning.headless(said)
        {
            let answer = said[end..].trim_start();
            return (!answer.is_empty()).then(|| self.said.len() - answer.len());
        }
        (said.len() > HELD_BYTES && !self.reasoning.begins_inside()).then_some(from)
    }

    /// Learns from a whole answer whether those of this endpoint begin inside of reasoning.
    pub(crate) fn learn(&self) {
        if let Lead::Over(from) = self.reasoning.lead(&self.said) {
            self.reasoning.learn(!self.apart && self.reasoning.headless(&self.said[from..]).is_some());
        }
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
        self.reasoning.strip(&self.said, self.apart)
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

    /// What was let out to somebody who cannot take it back, and the whole answer.
    fn final_heard(reasoning: &Reasoning, pieces: &[&str]) -> (String, String) {
        let mut speech = Speech::new(reasoning.clone(), true);
        let out = pieces.iter().filter_map(|piece| speech.push(piece).map(str::to_owned)).collect();
        speech.learn();
        (out, speech.answer().to_owned())
    }

    #[test]
    fn who_cannot_take_back_hears_no_reasoning_that_lost_its_opening() {
        let text = "why, step by step.</think>\n\n391 it is";
        for cut in (0..=text.len()).filter(|&cut| text.is_char_boundary(cut)) {
            let (head, tail) = text.split_at(cut);
            let pieces: Vec<_> = [head, tail].into_iter().filter(|piece| !piece.is_empty()).collect();
            let (out, answer) = final_heard(&Reasoning::default(), &pieces);
            assert_eq!((out.as_str(), answer.as_str()), ("391 it is", "391 it is"), "cut at {cut}");
        }
        let single: Vec<_> = text.split_inclusive(|_| true).collect();
        assert_eq!(final_heard(&Reasoning::default(), &single).0, "391 it is");
    }

    #[test]
    fn only_the_first_answer_is_held_back_where_none_begins_inside_of_reasoning() {
        let reasoning = Reasoning::default();
        assert_eq!(final_heard(&reasoning, &["a ", "bridge"]), (String::new(), "a bridge".to_owned()));
        assert_eq!(final_heard(&reasoning, &["a ", "bridge"]).0, "a bridge");
        // One that does is held back from then on, however long its reasoning is.
        let long = "so ".repeat(HELD_BYTES);
        let (first, second) = (format!("{long}it is.</think>yes"), format!("{long}it is."));
        final_heard(&reasoning, &[&first]);
        assert_eq!(final_heard(&reasoning, &[&second, "</think>", "yes"]).0, "yes");
        // Where nothing is known, no more is held back than most reasoning has.
        assert_eq!(final_heard(&Reasoning::default(), &[&long, "x"]).0, format!("{long}x"));
    }

    #[test]
    fn where_reasoning_comes_apart_nothing_is_held_back() {
        let mut speech = Speech::new(Reasoning::default(), true);
        speech.thinks_apart();
        assert_eq!(speech.push("the tag</think>"), Some("the tag</think>"));
        assert_eq!(speech.answer(), "the tag</think>");
    }
}

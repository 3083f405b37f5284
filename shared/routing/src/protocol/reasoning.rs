//! What a reasoning model thinks before it answers is not part of its answer.
//!
//! Most servers keep the two apart. Others pass on what the model writes, with marks around the reasoning that differ from
//! model to model, or with the closing mark alone where the chat template has already written the opening one.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

/// The marks around a model's reasoning.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Marks {
    open: String,
    close: String,
}

/// Marks that models are trained on, and who uses them.
const KNOWN: [(&str, &str); 19] = [
    ("<think>", "</think>"),           // DeepSeek R1, Qwen 3, GLM, MiniMax and most others
    ("<thinking>", "</thinking>"),     // tuned models, and prompts for Claude
    ("<thought>", "</thought>"),       // Gemini behind OpenAI's protocol, Gemma, EXAONE
    ("<thoughts>", "</thoughts>"),     // tuned models
    ("<reasoning>", "</reasoning>"),   // tuned models
    ("<reason>", "</reason>"),         // tuned models
    ("<seed:think>", "</seed:think>"), // ByteDance Seed-OSS
    ("<mm:think>", "</mm:think>"),     // MiniMax
    ("<longcat_think>", "</longcat_think>"), // LongCat
    ("<inner_monologue>", "</inner_monologue>"), // tuned models
    ("◁think▷", "◁/think▷"),           // Kimi
    ("[THINK]", "[/THINK]"),           // Magistral
    ("<|begin_of_thought|>", "<|end_of_thought|>"), // OpenThinker
    ("<|START_THINKING|>", "<|END_THINKING|>"), // Command
    ("<unused94>thought", "<unused95>"), // MedGemma
    ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"), // gpt-oss
    ("<|start|>assistant<|channel|>analysis<|message|>", "<|channel|>final<|message|>"), // gpt-oss
    ("<|channel|>final<|message|>", ""), // gpt-oss, which marks its answer as well
    ("<|start|>assistant<|channel|>final<|message|>", ""), // gpt-oss
];

/// What is known of how an endpoint marks its reasoning. Clones share what is learned.
#[derive(Debug, Clone, Default)]
pub struct Reasoning {
    /// Opening marks beside the known ones.
    more: Arc<Vec<Marks>>,
    learned: Arc<AtomicU8>,
}

/// Its answers have begun without reasoning that has no opening mark.
const PLAIN: u8 = 1;

/// Its answers have begun inside of reasoning.
const INSIDE: u8 = 2;

impl Reasoning {
    /// Looks for these opening marks as well, for example `<plan>`; a bare name stands for a mark of angle brackets.
    #[must_use]
    pub fn with_tags<S: AsRef<str>>(tags: impl IntoIterator<Item = S>) -> Self {
        let tags = tags.into_iter().filter_map(|tag| Marks::of(tag.as_ref())).collect();
        Self { more: Arc::new(tags), learned: Arc::default() }
    }

    /// Whether an answer can begin inside of reasoning: it has done so, or there was no answer yet.
    pub(crate) fn may_begin_inside(&self) -> bool {
        self.learned.load(Ordering::Relaxed) != PLAIN
    }

    /// Whether answers have begun inside of reasoning.
    pub(crate) fn begins_inside(&self) -> bool {
        self.learned.load(Ordering::Relaxed) & INSIDE != 0
    }

    /// Learns from a whole answer whether it began inside of reasoning.
    pub(crate) fn learn(&self, inside: bool) {
        self.learned.fetch_or(if inside { INSIDE } else { PLAIN }, Ordering::Relaxed);
    }

    fn marks(&self) -> impl Iterator<Item = (&str, &str)> {
        KNOWN.into_iter().chain(self.more.iter().map(|marks| (marks.open.as_str(), marks.close.as_str())))
    }

    /// The words after leading reasoning, trimmed; empty when there is nothing but reasoning.
    ///
    /// Reasoning leads in two shapes: between marks, once or more, also cut off before its end; and up to a closing mark
    /// without an opening one, unless the server keeps reasoning `apart`. Marks anywhere else are the answer's own words:
    /// people do ask about them.
    pub(crate) fn strip<'t>(&self, text: &'t str, apart: bool) -> &'t str {
        let Some(rest) = self.behind(text) else { return "" };
        let headless = if apart { None } else { self.headless(rest) };
        rest[headless.unwrap_or(0)..].trim()
    }

    /// Whether reasoning leads this beginning of a text. Reasoning without an opening mark shows only by its end, which is
    /// not looked for here.
    pub(crate) fn lead(&self, text: &str) -> Lead {
        match self.behind(text) {
            Some(rest) if !self.marks().any(|(open, _)| open.starts_with(rest)) => {
                Lead::Over(text.len() - rest.len())
            }
            _ => Lead::Unclear,
        }
    }

    /// What stands behind reasoning between marks; nothing if it has not ended.
    fn behind<'t>(&self, text: &'t str) -> Option<&'t str> {
        let mut rest = text.trim_start();
        while let Some((inside, close)) =
            self.marks().find_map(|(open, close)| Some((rest.strip_prefix(open)?, close)))
        {
            rest = inside[closing(inside, close)?..].trim_start();
        }
        Some(rest)
    }

    /// Where an answer begins that began inside of reasoning: behind the first closing mark that no opening one stands
    /// before, and that is no word of the answer.
    pub(crate) fn headless(&self, text: &str) -> Option<usize> {
        let ends = self.marks().filter(|(_, close)| !close.is_empty()).filter_map(|(open, close)| {
            let end = closing(text, close)?;
            let (before, after) = (&text[..end - close.len()], &text[end..]);
            (closing(before, open).is_none() && ends_reasoning(before, after)).then_some(end)
        });
        ends.min()
    }

    /// Whether a closing mark ends in the last `added` bytes.
    pub(crate) fn closes_in(&self, text: &str, added: usize) -> bool {
        let from = |close: &str| text.floor_char_boundary(text.len().saturating_sub(added + close.len()));
        self.marks().any(|(_, close)| !close.is_empty() && text[from(close)..].contains(close))
    }
}

impl Marks {
    /// The marks that belong to an opening one; nothing for a text without letters.
    fn of(tag: &str) -> Option<Self> {
        let open = if tag.starts_with(char::is_alphanumeric) { format!("<{tag}>") } else { tag.to_owned() };
        let name = open.find(char::is_alphanumeric)?;
        let close = format!("{}/{}", &open[..name], &open[name..]);
        Some(Self { open, close })
    }
}

/// Whether reasoning leads a text that is still growing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lead {
    /// It leads, or it cannot be told yet.
    Unclear,
    /// It is over, or there was none: the answer begins at this byte.
    Over(usize),
}

/// The end of the first mark of this kind that is not shown as code or in quotation marks.
fn closing(text: &str, close: &str) -> Option<usize> {
    let mut marks = text.match_indices(close).map(|(at, _)| at);
    let at = marks.find(|&at| !is_shown(&text[..at], &text[at + close.len()..]))?;
    Some(at + close.len())
}

/// Whether a mark stands in code or in quotation marks.
fn is_shown(before: &str, after: &str) -> bool {
    const QUOTES: [(char, char); 8] = [
        ('`', '`'),
        ('"', '"'),
        ('\'', '\''),
        ('“', '”'),
        ('‘', '’'),
        ('「', '」'),
        ('『', '』'),
        ('«', '»'),
    ];
    let quoted = QUOTES.iter().any(|&(open, close)| before.ends_with(open) && after.starts_with(close));
    let fences = before.lines().filter(|line| line.trim_start().starts_with("```")).count();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let spans = line.matches('`').count();
    quoted || fences % 2 == 1 || spans % 2 == 1 && after.lines().next().is_some_and(|rest| rest.contains('`'))
}

/// Whether a closing mark without an opening one ends reasoning, and is not a word of a sentence about the mark. In a
/// sentence there is a space on both sides of it or, in Chinese, a character.
fn ends_reasoning(before: &str, after: &str) -> bool {
    let Some(last) = before.chars().next_back() else { return true };
    let Some(next) = after.chars().next() else { return last == '\n' || !last.is_whitespace() };
    let sentence_ends =
        |text: &str| text.trim_end().ends_with(['.', '!', '?', '…', ':', '。', '！', '？', '：', '\n']);
    let is_wide = |c: char| c.is_alphabetic() && !c.is_ascii() && c.len_utf8() > 2;
    if last == '\n' || next == '\n' || next == '\r' {
        return true;
    }
    if last.is_whitespace() {
        return sentence_ends(before) || !(next.is_whitespace() || next.is_ascii_punctuation());
    }
    !(is_wide(last) && (is_wide(next) || next.is_whitespace()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasoning_goes_whatever_its_marks() {
        let reasoning = Reasoning::with_tags(["plan", "[[mull]]", "<|muse|>"]);
        for (open, close) in reasoning.marks().map(|(open, close)| (open.to_owned(), close.to_owned())) {
            if close.is_empty() {
                assert_eq!(reasoning.strip(&format!("{open}391"), false), "391");
                continue;
            }
            for text in [
                format!("{open}why.{close}391"),
                format!("\n{open}\n\n{close}\n\n391\n"),
                format!("{open}the mark `{close}` and \"{close}\" are marks{close} 391"),
                format!("{open}a{close}{open}b{close}391"),
            ] {
                assert_eq!(reasoning.strip(&text, false), "391", "{text}");
            }
            assert_eq!(reasoning.strip(&format!("{open}only"), false), "");
        }
    }

    #[test]
    fn reasoning_whose_opening_the_template_wrote_goes() {
        let reasoning = Reasoning::default();
        for text in [
            "why.</think>391",
            "why</think>391",
            "why.</think> 391",
            "why.\n</think>\n\n391",
            "17 * 23 = 391</think>391",
            "所以是三百九十一。</think>391",
            "they ask about `</think>`, a mark.</think>391",
            "why.</seed:think>391",
            "why.[/THINK]391",
            "why. </thought>\n391",
            "why.◁/think▷391",
        ] {
            assert_eq!(reasoning.strip(text, false), "391", "{text}");
        }
        assert_eq!(reasoning.strip("hm\n</think>", false), "");
        // Where a server keeps reasoning apart, there is none in what it calls the answer.
        assert_eq!(reasoning.strip("why.</think>391", true), "why.</think>391");
    }

    #[test]
    fn answers_about_a_mark_stay() {
        let reasoning = Reasoning::default();
        for text in [
            "plain",
            "the mark `</think>` ends reasoning",
            "the tag </think> ends reasoning.",
            "the tag \"</think>\" ends it",
            "标签</think>表示思考结束。",
            "标签「</think>」表示思考结束。",
            "the tag <think> is where it begins. And </think> is where it ends.",
            "write <think>\nand then\n</think>\nthere",
            "```xml\n<a/>\n</think>\n```\nis wrong",
            "<thinner> is no tag",
            "<b>bold</b> and <thinking-cap>",
            "`<think>` opens, `</think>` closes: `x </think> y`.",
            "In HTML, </reasoning> closes <reasoning>.",
            "<",
            "the closing tag is </think>",
        ] {
            assert_eq!(reasoning.strip(text, false), text, "{text}");
        }
        assert_eq!(reasoning.strip("<think>hm</think>say <think>x</think>", false), "say <think>x</think>");
    }

    #[test]
    fn what_is_learned_is_shared() {
        let (first, second) = {
            let one = Reasoning::default();
            (one.clone(), one)
        };
        assert!(first.may_begin_inside() && !first.begins_inside());
        second.learn(false);
        assert!(!first.may_begin_inside());
        second.learn(true);
        assert!(first.may_begin_inside() && first.begins_inside());
    }
}

//! What is asked, as rules and limits look at it. What costs time to find out is found out once, and only if needed.

use std::cell::OnceCell;

use chat::AttachmentKind;

use super::fold::fold;
use crate::{Ask, Context, Line, Prompt, estimate};

/// How much of a conversation is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// The line to answer.
    LastLine,
    /// All that is sent: what was said before is sent again.
    Whole,
}

/// One question under its rules.
pub(super) struct Question<'a> {
    pub(super) prompt: &'a Prompt,
    pub(super) context: &'a Context,
    /// More tokens than these it cannot be.
    tokens_most: OnceCell<u32>,
    tokens: OnceCell<u32>,
    /// More tokens than these it cannot be without its memory.
    least_most: OnceCell<u32>,
    least: OnceCell<u32>,
    /// All lines, folded, oldest first.
    folded: OnceCell<Vec<String>>,
    last_folded: OnceCell<String>,
}

impl<'a> Question<'a> {
    pub(super) fn new(ask: &Ask<'a>) -> Self {
        Self {
            prompt: ask.prompt,
            context: ask.context,
            tokens_most: OnceCell::new(),
            tokens: OnceCell::new(),
            least_most: OnceCell::new(),
            least: OnceCell::new(),
            folded: OnceCell::new(),
            last_folded: OnceCell::new(),
        }
    }

    /// About how many tokens the prompt is.
    pub(super) fn tokens(&self) -> u32 {
        *self.tokens.get_or_init(|| estimate::prompt_tokens(self.prompt))
    }

    /// Whether the prompt may be longer than this many tokens. Counting is left out where bytes tell already: no token
    /// is less than a byte.
    pub(super) fn is_longer_than(&self, tokens: u32) -> bool {
        *self.tokens_most.get_or_init(|| estimate::prompt_tokens_most(self.prompt)) > tokens
            && self.tokens() > tokens
    }

    /// The same for what cannot be left out of it.
    pub(super) fn needs_more_than(&self, tokens: u32) -> bool {
        *self.least_most.get_or_init(|| estimate::least_tokens_most(self.prompt)) > tokens
            && *self.least.get_or_init(|| estimate::least_tokens(self.prompt)) > tokens
    }

    fn lines(&self, extent: Extent) -> &'a [Line] {
        let lines = &self.prompt.lines;
        let from = match extent {
            Extent::LastLine => lines.len().saturating_sub(1),
            Extent::Whole => 0,
        };
        lines.get(from..).unwrap_or_default()
    }

    /// The lines as they were written.
    pub(super) fn texts(&self, extent: Extent) -> impl Iterator<Item = &'a str> {
        self.lines(extent).iter().map(|line| line.text.as_str())
    }

    /// The lines with all differences of case taken out.
    pub(super) fn folded(&self, extent: Extent) -> &[String] {
        match extent {
            Extent::Whole => {
                self.folded.get_or_init(|| self.texts(Extent::Whole).map(fold).collect()).as_slice()
            }
            Extent::LastLine => std::slice::from_ref(
                self.last_folded.get_or_init(|| self.texts(Extent::LastLine).map(fold).collect()),
            ),
        }
    }

    /// Whether there are pictures to look at. Only what is in the prompt counts: what came with a message and was not
    /// fetched is seen by no model, with vision or without.
    pub(super) fn has_pictures(&self, extent: Extent) -> bool {
        self.lines(extent).iter().any(|line| !line.pictures.is_empty())
    }

    /// Whether something of this kind came.
    pub(super) fn came_with(&self, kind: AttachmentKind, extent: Extent) -> bool {
        self.context.attachments.contains(&kind)
            || (kind == AttachmentKind::Picture && self.has_pictures(extent))
    }
}

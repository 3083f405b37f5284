//! Chat templates: how a conversation becomes one text, for servers that only go on with a text.
//!
//! Sources: the `chat_template` in the `tokenizer_config.json` of Qwen (ChatML), Llama 3, Mistral 7B Instruct and Gemma.
//! The mark before the first turn (`<s>`, `<|begin_of_text|>`, `<bos>`) is left out, because servers of this protocol put
//! it there themselves.
//!
//! Whoever writes a template's own marks must not begin a turn with them: in texts every mark is broken by a space, so
//! that the model's tokenizer does not know it.

use std::borrow::Cow;

use super::{request, transcript};
use crate::{Prompt, Role, word::words};

words! {
    /// How a conversation becomes one text.
    pub enum Template {
        /// Lines that begin with `User:` and `Assistant:`: every model understands it, none was trained on it.
        Transcript = "transcript",
        /// `<|im_start|>` and `<|im_end|>`: Qwen, Yi, and many that were trained from scratch.
        ChatMl = "chatml",
        /// `<|start_header_id|>` and `<|eot_id|>`: Llama 3 and later.
        Llama3 = "llama3",
        /// `[INST]` and `[/INST]`: Mistral and Mixtral, Llama 2's children.
        Mistral = "mistral",
        /// `<start_of_turn>` and `<end_of_turn>`: Gemma.
        Gemma = "gemma",
    }
}

impl Template {
    /// The whole text, open for the model to go on with.
    pub(super) fn write(self, prompt: &Prompt) -> String {
        match self {
            Self::Transcript => transcript::write(prompt),
            Self::ChatMl => marked(prompt, &CHATML),
            Self::Llama3 => marked(prompt, &LLAMA3),
            Self::Mistral => mistral(prompt),
            Self::Gemma => marked(prompt, &GEMMA),
        }
    }

    /// Where the model would begin to speak for the user.
    pub(super) const fn stops(self) -> &'static [&'static str] {
        match self {
            Self::Transcript => &[transcript::STOP],
            Self::ChatMl => &["<|im_end|>", "<|im_start|>"],
            Self::Llama3 => &["<|eot_id|>", "<|start_header_id|>"],
            Self::Mistral => &["</s>", "[INST]"],
            Self::Gemma => &["<end_of_turn>", "<start_of_turn>"],
        }
    }

    /// What its tokenizer takes for more than text. The families that write marks as `<|…|>` have dozens of them.
    const fn marks(self) -> &'static [&'static str] {
        match self {
            Self::Transcript => &[],
            Self::ChatMl | Self::Llama3 => &["<|"],
            Self::Mistral => &[
                "[INST]",
                "[/INST]",
                "<s>",
                "</s>",
                "<<SYS>>",
                "<</SYS>>",
                "[SYSTEM_PROMPT]",
                "[/SYSTEM_PROMPT]",
                "[AVAILABLE_TOOLS]",
                "[/AVAILABLE_TOOLS]",
                "[TOOL_RESULTS]",
                "[/TOOL_RESULTS]",
                "[TOOL_CALLS]",
                "[IMG]",
            ],
            Self::Gemma => &["<start_of_turn>", "<end_of_turn>", "<bos>", "<eos>", "<pad>", "<unk>"],
        }
    }

    /// A text in which no mark is left. A space inside each breaks it, and makes no other: none has a space in it.
    fn defused(self, text: &str) -> Cow<'_, str> {
        let mut text = Cow::Borrowed(text.trim());
        for mark in self.marks().iter().copied() {
            if text.contains(mark) {
                let (head, tail) = mark.split_at(1);
                text = Cow::Owned(text.replace(mark, &format!("{head} {tail}")));
            }
        }
        text
    }
}

/// A template that gives every turn a head and an end.
struct Marked {
    template: Template,
    /// Before and after the name of a speaker.
    head: (&'static str, &'static str),
    end: &'static str,
    assistant: &'static str,
    /// Whether it knows a speaker `system`; else the instruction stands before the first question.
    system: bool,
}

const CHATML: Marked = Marked {
    template: Template::ChatMl,
    head: ("<|im_start|>", "\n"),
    end: "<|im_end|>\n",
    assistant: "assistant",
    system: true,
};

const LLAMA3: Marked = Marked {
    template: Template::Llama3,
    head: ("<|start_header_id|>", "<|end_header_id|>\n\n"),
    end: "<|eot_id|>",
    assistant: "assistant",
    system: true,
};

const GEMMA: Marked = Marked {
    template: Template::Gemma,
    head: ("<start_of_turn>", "\n"),
    end: "<end_of_turn>\n",
    assistant: "model",
    system: false,
};

fn marked(prompt: &Prompt, form: &Marked) -> String {
    let mut text = String::new();
    let begin = |text: &mut String, name: &str| {
        text.push_str(form.head.0);
        text.push_str(name);
        text.push_str(form.head.1);
    };
    let turns = turns(prompt, form.template, form.system);
    for (name, words) in &turns {
        let name = match name {
            Speaker::System => "system",
            Speaker::User => "user",
            Speaker::Assistant => form.assistant,
        };
        begin(&mut text, name);
        text.push_str(words);
        text.push_str(form.end);
    }
    begin(&mut text, form.assistant);
    text
}

/// The questions stand between marks, the answers between them and `</s>`.
fn mistral(prompt: &Prompt) -> String {
    let mut text = String::new();
    for (name, words) in turns(prompt, Template::Mistral, false) {
        let (before, after) = match name {
            Speaker::System | Speaker::User => ("[INST] ", "[/INST]"),
            Speaker::Assistant => (" ", "</s>"),
        };
        text.push_str(before);
        text.push_str(&words);
        text.push_str(after);
    }
    text
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Speaker {
    System,
    User,
    Assistant,
}

/// Alternating turns, beginning with the user; the instruction before them, or in the first where there is no speaker
/// for it.
fn turns(prompt: &Prompt, template: Template, system: bool) -> Vec<(Speaker, String)> {
    let mut turns: Vec<_> = request::turns(prompt)
        .into_iter()
        .map(|turn| {
            let lines: Vec<_> = turn.lines.iter().map(|line| template.defused(&line.text)).collect();
            let speaker = if turn.role == Role::User { Speaker::User } else { Speaker::Assistant };
            // No mark has a line break in it, so lines make none together.
            (speaker, lines.join("\n\n"))
        })
        .collect();
    if turns.first().is_none_or(|(speaker, _)| *speaker == Speaker::Assistant) {
        turns.insert(0, (Speaker::User, request::BEFORE.to_owned()));
    }
    let Some(instruction) = prompt.system.as_deref().filter(|text| !text.trim().is_empty()) else {
        return turns;
    };
    let instruction = template.defused(instruction);
    match turns.first_mut() {
        Some((_, first)) if !system => *first = format!("{instruction}\n\n{first}"),
        Some(_) | None => turns.insert(0, (Speaker::System, instruction.into_owned())),
    }
    turns
}

#[cfg(test)]
mod tests;

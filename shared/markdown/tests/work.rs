//! Cutting a text takes work in proportion to its length, whatever the text. Counted are the characters that are weighed, and
//! not time: the same on every machine.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::{cell::Cell, ops::Add};

use markdown::{Limits, Weight, split};

thread_local! {
    static WEIGHED: Cell<usize> = const { Cell::new(0) };
}

/// Characters, each of which counts how often it is weighed.
#[derive(Clone, Copy, Default)]
struct Counted(usize);

impl Add for Counted {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Weight for Counted {
    fn of_char(_: char) -> Self {
        WEIGHED.set(WEIGHED.get() + 1);
        Self(1)
    }

    fn fits(self, limit: Self) -> bool {
        self.0 <= limit.0
    }
}

/// How often each character of a text is weighed, in the mean.
fn work(text: &str, limit: usize) -> f64 {
    WEIGHED.set(0);
    let _ = split(text, Limits { weight: Counted(limit), tables: 3 });
    let (weighed, characters) = (WEIGHED.get(), text.chars().count());
    f64::from(u32::try_from(weighed).unwrap()) / f64::from(u32::try_from(characters).unwrap())
}

/// A text that is made of this, over and over.
fn text(part: &str, characters: usize) -> String {
    part.chars().cycle().take(characters).collect()
}

#[test]
fn work_is_in_proportion_to_length() {
    for part in [
        "a",
        "字",
        "word ",
        "一句话，",
        "line\n",
        "paragraph\n\n",
        "\u{301}",
        "🇨",
        "👩\u{200d}",
        "क\u{94d}",
        "`",
        "` `` ",
        "```\n",
        "```\ncode\n```\n",
        "~~~ `\n",
        "    ",
        "| a | b |\n|---|---|\n| 1 | 2 |\n",
        "|--\n",
        "| cell |\n",
        "> - 1. ",
    ] {
        for limit in [500, 4000] {
            let (short, long) = (work(&text(part, 5_000), limit), work(&text(part, 40_000), limit));
            assert!(short <= 6.0 && long <= 6.0, "{part:?} in pieces of {limit}: {short}, {long}");
        }
    }
}

#[test]
fn a_frame_that_is_repeated_costs_what_it_adds() {
    let head = format!("```{}\n", "i".repeat(150));
    let code = format!("{head}{}```\n", text("let a = 1;\n", 30_000));
    let table = format!("| {} |\n|---|\n{}", "h".repeat(150), text("| 1 |\n", 30_000));
    for text in [code, table] {
        let work = work(&text, 500);
        assert!(work <= 6.0, "{work}");
    }
}

use std::ops::Add;

use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation as _;

use super::*;
use crate::quoted_twice;

/// Characters, and the bytes that they take in JSON in JSON.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    chars: usize,
    cost: usize,
}

impl Add for Size {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { chars: self.chars + other.chars, cost: self.cost + other.cost }
    }
}

impl Weight for Size {
    fn of_char(c: char) -> Self {
        Self { chars: 1, cost: quoted_twice(c) }
    }

    fn fits(self, limit: Self) -> bool {
        self.chars <= limit.chars && self.cost <= limit.cost
    }
}

fn within(chars: usize, cost: usize, text: &str) -> Vec<String> {
    split(text, Limits { weight: Size { chars, cost }, tables: 3 })
}

fn by_cost(text: &str, cost: usize) -> Vec<String> {
    within(usize::MAX, cost, text)
}

fn by_chars(text: &str, chars: usize) -> Vec<String> {
    within(chars, usize::MAX, text)
}

#[test]
fn cuts_are_made_where_they_hurt_least() {
    for (text, cost, expected) in [
        ("one\n\ntwo", 50, vec!["one\n\ntwo"]),
        ("one one\n\ntwo two", 16, vec!["one one", "two two"]),
        ("line one\nline two\n", 12, vec!["line one", "line two"]),
        ("some words here", 11, vec!["some words", "here"]),
        ("好的。可以吗？", 12, vec!["好的。", "可以吗？"]),
        ("abcdefgh", 5, vec!["abcde", "fgh"]),
        ("a bcdefgh", 5, vec!["a bcd", "efgh"]),
        ("你好吗", 6, vec!["你好", "吗"]),
        ("", 10, vec![]),
        (" \n\n ", 10, vec![]),
    ] {
        assert_eq!(by_cost(text, cost), expected, "{text:?}");
    }
}

#[test]
fn cuts_prefer_paragraphs_then_lines_then_words() {
    for (text, limit, expected) in [
        ("one\n\ntwo", 60, vec!["one\n\ntwo"]),
        ("aaaaaaaaaaaa\n\nbbbb bb bb\n\ncccccc", 20, vec!["aaaaaaaaaaaa", "bbbb bb bb\n\ncccccc"]),
        ("aaaaaaaaaa\nbbbbbbbbb bb", 18, vec!["aaaaaaaaaa", "bbbbbbbbb bb"]),
        ("aaaaaaaaaa bbbbbbbbb bb", 18, vec!["aaaaaaaaaa", "bbbbbbbbb bb"]),
        ("一二三四五六七八九十", 4, vec!["一二三四", "五六七八", "九十"]),
    ] {
        assert_eq!(by_chars(text, limit), expected, "{text}");
    }
}

#[test]
fn what_a_reader_sees_as_one_character_stays_one() {
    for (text, chars, expected) in [
        ("👩‍💻👩‍💻👩‍💻", 8, vec!["👩‍💻👩‍💻", "👩‍💻"]),
        ("👍🏽👍🏽👍🏽", 3, vec!["👍🏽", "👍🏽", "👍🏽"]),
        ("🇨🇳🇳🇴", 3, vec!["🇨🇳", "🇳🇴"]),
        ("e\u{301}e\u{301}", 3, vec!["e\u{301}", "e\u{301}"]),
    ] {
        assert_eq!(by_chars(text, chars), expected, "{text}");
    }
    // One that is larger than a piece is none that anybody would see as one.
    let piled = format!("e{}", "\u{301}".repeat(9));
    let pieces = by_chars(&piled, 4);
    assert_eq!(pieces.concat(), piled);
    assert_eq!(pieces.iter().map(|piece| piece.chars().count()).collect::<Vec<_>>(), [4, 4, 2]);
}

#[test]
fn code_that_is_cut_is_closed_and_opened_again() {
    let found = by_cost("before\n\n  ```rust\n  first();\n  second();\n  ```\nafter", 40);
    assert_eq!(found, ["before", "  ```rust\n  first();\n  ```", "  ```rust\n  second();\n  ```\nafter"]);

    let text = "see\n```rust\n    one();\n    two();\n    three();\n```\nend";
    assert_eq!(
        by_chars(text, 30),
        ["see\n```rust\n    one();\n```", "```rust\n    two();\n```", "```rust\n    three();\n```\nend"]
    );
    let long_line = by_chars("```\naaaaaaaaa", 12);
    assert_eq!(long_line, ["```\naaa\n```", "```\naaa\n```", "```\naaa\n```"]);
}

#[test]
fn no_empty_code_block_is_left_at_a_cut() {
    let opening_last = "aaaaaaaaaaaaaaa\n```\nbbbbbbbbbbbb\n```";
    assert_eq!(by_chars(opening_last, 24)[0], "aaaaaaaaaaaaaaa");
    let closing_first = "```\naaaaaaaaaa\nbbbbbbbbbb\n```\nend";
    assert_eq!(by_chars(closing_first, 30), ["```\naaaaaaaaaa\nbbbbbbbbbb\n```", "end"]);
}

#[test]
fn code_behind_a_long_line_is_cut_as_the_text_that_readers_see() {
    let opening = format!("```{}\n", "a".repeat(250));
    let whole = format!("{opening}| h |\n|---|\n```\nend");
    assert_eq!(by_chars(&whole, 300), [whole.as_str()], "and whole where it fits");
    let table = "| h |\n|---|\n| 1 |\n\n";
    let found = by_chars(&format!("{opening}{}```\nend", table.repeat(20)), 300);
    assert_eq!(found[0], opening.trim_end());
    let tables: Vec<_> = found.iter().map(|piece| piece.matches("|---|").count()).collect();
    assert_eq!(tables, [0, 3, 3, 3, 3, 3, 3, 2, 0], "{found:?}");
}

#[test]
fn a_table_that_is_cut_gets_its_headings_again() {
    let found = by_cost("| h |\n|---|\n| 1 |\n| 2 |\n| 3 |\n| 4 |", 42);
    assert_eq!(found, ["| h |\n|---|\n| 1 |\n| 2 |\n| 3 |", "| h |\n|---|\n| 4 |"]);
    let wide = "| h |\n|---|\n| 1234567890123456789012345 |";
    assert_eq!(by_chars(wide, 20), ["| h |\n|---|", "| 123456789012345678", "9012345 |"], "cut like prose");
}

#[test]
fn the_fourth_table_goes_into_the_next_piece() {
    let text = "| h |\n|---|\n| 1 |\n\n".repeat(7);
    let found = by_cost(&text, 10_000);
    let tables: Vec<_> = found.iter().map(|piece| piece.matches("|---|").count()).collect();
    assert_eq!(tables, [3, 3, 1]);
}

/// Lines as models write them, and as they should not.
fn markdown() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "[a-z\"\\\\]{1,12}( [a-z字。]{1,12}){0,20}",
        prop::sample::select(vec!["```rust", "~~~", "    ```", "- item", "````", "", "> | a |\n> |---|"])
            .prop_map(str::to_owned),
        Just("| a | b |\n|---|---|\n| c | d |".to_owned()),
        ".{0,40}",
        "[字🚀👩👍🏽\u{200d}\u{301}]{0,400}",
        "[| -]{0,400}",
        "(```|~~~)[a-z]{200,260}",
        "`{201,400}",
    ];
    prop::collection::vec(line, 0..60).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn pieces_keep_the_limits_and_lose_nothing(text in markdown()) {
        let limit = Size { chars: 300, cost: 700 };
        let pieces = within(limit.chars, limit.cost, &text);
        for piece in &pieces {
            prop_assert!(Size::of(piece).fits(limit), "{piece:?}");
            prop_assert!(!piece.trim().is_empty());
            let tables = blocks(piece).iter().filter(|block| matches!(block.kind, Kind::Table { .. })).count();
            prop_assert!(tables <= 3, "{tables} tables in {piece:?}");
        }
        let shown = pieces.concat();
        let mut shown = shown.chars();
        prop_assert!(text.chars().filter(|c| !c.is_whitespace()).all(|c| shown.any(|other| other == c)));
    }

    #[test]
    fn prose_is_cut_between_what_readers_see(text in "[a字🚀👩👍🏽🇨🇳\u{200d}\u{301}]{0,400}") {
        let pieces = by_chars(&text, 150);
        prop_assume!(text.graphemes(true).all(|cluster| cluster.chars().count() <= 150));
        let seen: Vec<_> = pieces.iter().flat_map(|piece| piece.graphemes(true)).collect();
        prop_assert!(seen.into_iter().eq(text.graphemes(true)));
    }
}

use markdown::Weight as _;
use proptest::prelude::*;

use super::*;
use crate::size::Size;

fn one(markdown: &str) -> Dressed {
    let mut all = dress(markdown);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn plain_short_words_go_out_as_text() {
    for (markdown, form) in [
        ("好的，已经办好了。", Form::Text),
        ("two\nlines - with a dash, 3.5 of them", Form::Text),
        ("a **bold** word", Form::Markdown),
        ("- a list", Form::Markdown),
        ("1. a list", Form::Markdown),
        ("> a quote", Form::Markdown),
        ("see https://example.com", Form::Markdown),
        ("a\n---\nb", Form::Markdown),
    ] {
        assert_eq!(one(markdown).form, form, "{markdown}");
    }
    assert_eq!(dress(&"长".repeat(PLAIN_MAX + 1))[0].form, Form::Markdown);
}

#[test]
fn blank_words_give_no_message() {
    for blank in ["", " ", "\n\n \t\r\n"] {
        assert!(dress(blank).is_empty(), "{blank:?}");
    }
}

#[test]
fn a_table_becomes_a_code_block() {
    let text = one("before\n\n| a | b |\n|---|:-:|\n| 1 | 2 |\n\nafter").text;
    assert_eq!(text, "before\n\n```\n| a | b |\n|---|:-:|\n| 1 | 2 |\n```\n\nafter");
    let with_ticks = one("| a | b |\n|---|---|\n| ```x``` | 2 |").text;
    assert!(with_ticks.starts_with("````\n") && with_ticks.ends_with("\n````"), "{with_ticks}");
    let in_code = "```\n| a | b |\n|---|---|\n```";
    assert_eq!(one(in_code).text, in_code);
    let quoted = "> | a | b |\n> |---|---|\n> | 1 | 2 |";
    assert_eq!(one(quoted).text, quoted.replace('\n', "  \n"));
    for no_table in ["a | b\nc | d", "a\n---|", "| a |\n| : |"] {
        assert!(!one(no_table).text.contains("```"), "{no_table}");
    }
}

#[test]
fn line_breaks_of_prose_get_two_spaces_and_code_gets_none() {
    let text = one("# T\none\ntwo \n\nthree\n```\na\nb\n```\nfour\nfive").text;
    assert_eq!(text, "# T\none  \ntwo \n\nthree\n```\na\nb\n```\nfour  \nfive");
}

#[test]
fn titles_are_the_heading_or_the_first_words() {
    for (markdown, expected) in [
        ("intro\n\n## The **plan**\nx", "The plan"),
        ("*one* two", "one two"),
        ("> the quick brown foxes jump", "the quick brown"),
        ("**一二三四五六七八九十一二三四五六七八九十一二**", "一二三四五六七八九十一二三四五六七八九十"),
        ("```\n# no heading\n```", "Reply"),
        ("***", "回复"),
        ("- item", "item"),
    ] {
        assert_eq!(title(markdown), expected, "{markdown}");
    }
}

/// Whether the characters of `part` occur in `whole` in this order.
fn is_subsequence(part: &str, whole: &str) -> bool {
    let mut whole = whole.chars();
    part.chars().filter(|c| !c.is_whitespace()).all(|c| whole.any(|other| other == c))
}

fn check(markdown: &str) -> Result<(), TestCaseError> {
    let all = dress(markdown);
    prop_assert_eq!(&all, &dress(markdown), "the same words give the same pieces");
    for piece in &all {
        prop_assert!(Size::of(&piece.text).fits(LIMITS.weight));
        prop_assert!(piece.title.chars().count() <= TITLE_MAX);
        prop_assert!(!piece.text.trim().is_empty());
    }
    let shown: String = all.iter().map(|piece| piece.text.as_str()).collect();
    prop_assert!(is_subsequence(markdown, &shown), "words are lost");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_text_keeps_the_limit_and_loses_nothing(text in "(?s).{0,300}", repeat in 1_usize..40) {
        check(&text.repeat(repeat))?;
    }

    #[test]
    fn any_markdown_keeps_the_limit_and_loses_nothing(
        parts in proptest::collection::vec(
            prop_oneof![
                Just("```\n".to_owned()), Just("~~~~rust\n".to_owned()), Just("\n\n".to_owned()),
                Just("| a | b |\n|---|---|\n".to_owned()), Just("| 1 | 2 |\n".to_owned()),
                Just("\n``".to_owned()), Just("\"\\\u{1}".repeat(40)),
                "# [a-z]{1,12}\n", "[a-z ]{0,60}\n", "[一-龥]{0,80}", "[🚀-🛸]{0,80}",
            ],
            0..400,
        ),
    ) {
        check(&parts.concat())?;
    }
}

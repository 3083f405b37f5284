//! What is wrong with the text of the file, in plain language, with the line itself; and what else is wrong with the file.

use std::{collections::BTreeMap, path::Path};

use super::PLATFORMS;

/// What is said of a file of this text, line by line.
fn told(text: &str) -> Vec<String> {
    let file = Path::new("company.toml");
    let mistakes = settings::parse(text, Some(file), &BTreeMap::new(), &PLATFORMS).err().unwrap_or_default();
    let told: Vec<_> = mistakes.to_string().lines().map(str::to_owned).collect();
    assert!(told.iter().all(|line| !line.contains("hidden")), "{told:?}");
    told
}

/// A text in which only this line, the second, is faulty: what is said of it.
fn assert_line(line: &str, expected: &str) {
    let told = told(&format!("[bots.desk]\n{line}\n"));
    let (at, said) = told[0].split_once(": ").unwrap_or_default();
    assert!(at.starts_with("company.toml:2:"), "{line}: {told:?}");
    assert_eq!(said, expected, "{line}");
    assert!(told[1].starts_with("    2 | "), "{line}: {told:?}");
}

#[test]
fn a_faulty_line_is_explained_in_plain_language() {
    for (line, said) in [
        ("platform = feishu", "found a text without quotes; wanted `platform = \"feishu\"`"),
        (
            "  platform = feishu  # the app",
            "found a text without quotes; wanted `platform = \"feishu\" # the app`",
        ),
        (
            "platform = “feishu”",
            "found `“`, `”` in place of an ASCII character; wanted `platform = \"feishu\"`",
        ),
        ("platform = \"feishu”", "found `”` in place of an ASCII character; wanted `platform = \"feishu\"`"),
        (
            "platform ＝ \"feishu\"",
            "found `＝` in place of an ASCII character; wanted `platform = \"feishu\"`",
        ),
        (
            "models = [\"a\"，\"b\"]",
            "found `，` in place of an ASCII character; wanted `models = [\"a\",\"b\"]`",
        ),
        (
            "\u{3000}platform = \"feishu\"",
            "found U+3000 in place of an ASCII character; wanted `platform = \"feishu\"`",
        ),
        ("platform = \"feishu", "found a text without its closing quote; wanted `platform = \"feishu\"`"),
        ("platform: feishu", "found `:` between key and value; wanted `platform = \"feishu\"`"),
        ("platform feishu", "found a key without `=`; wanted `platform = \"feishu\"`"),
        ("platform == \"feishu\"", "found `=` twice; wanted `platform = \"feishu\"`"),
        (
            "platform = \"feishu\",",
            "found a comma or semicolon behind the value; wanted `platform = \"feishu\"`",
        ),
        (
            "platform = \"feishu\" // x",
            "found a comment that begins with `//`; wanted `platform = \"feishu\"`",
        ),
    ] {
        assert_line(line, said);
    }
}

#[test]
fn a_value_and_a_table_that_are_no_toml_are_explained_in_plain_language() {
    for (line, said) in [
        ("platform =", "found `platform` without a value; wanted a value, or the line left out"),
        ("merge = True", "found `True`; wanted `merge = true`"),
        ("merge = yes", "found `yes`; wanted `merge = true`"),
        (
            "persona = null",
            "found `null`, which TOML does not have; wanted the line left out, which means the default",
        ),
        ("merge_seconds = 2s", "found a number with a unit; wanted `merge_seconds = 2`"),
        ("models = [a, b]", "found a list with texts without quotes; wanted `models = [\"a\", \"b\"]`"),
        ("models = [\"a\", \"b\"", "found a list without its closing `]`; wanted `models = [\"a\", \"b\"]`"),
        (
            "persona = \"C:\\magpie\"",
            "found a backslash in double quotes, where it begins a special character; wanted single quotes: \
             `persona = 'C:\\magpie'`, or `/` in place of `\\`",
        ),
        ("// a comment", "found a comment that does not begin with `#`; wanted `#` before it"),
        ("[bots.other", "found a table without its closing `]`; wanted `[bots.other]`"),
        (
            "[bots.服务台]",
            "found the name `服务台`; wanted a name of 1 to 64 lower-case letters, digits and inner hyphens",
        ),
        (
            "[bots.Help Desk]",
            "found the name `Help Desk`; wanted a name of 1 to 64 lower-case letters, digits and inner hyphens",
        ),
        (
            "[bots.desk]",
            "found the table `[bots.desk]` a second time; the first is in line 1; wanted one table of this name: put both into one, or give this one another name",
        ),
    ] {
        assert_line(line, said);
    }
}

#[test]
fn a_key_that_is_there_twice_is_told_with_both_lines() {
    let told = told("[bots.desk]\nplatform = \"feishu\"\nkeys = \"demo\"\nplatform = \"dingtalk\"\n");
    assert_eq!(
        told,
        [
            "company.toml:4:1: found the key `platform` a second time; the first is in line 2; wanted the key once in its table",
            "    4 | platform = \"dingtalk\"",
        ]
    );
}

#[test]
fn a_file_in_another_format_is_told_as_that() {
    for (text, format) in
        [("{\n  \"bots\": {}\n}", "JSON"), ("---\nbots:\n", "YAML"), ("<!DOCTYPE html>\n", "XML or HTML")]
    {
        let told = told(text);
        assert!(told[0].contains(&format!("found a file in the format {format}; wanted TOML")), "{told:?}");
    }
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_fine() {
    let text = "\u{feff}[bots.desk]\r\nplatform = \"feishu\"\r\nkeys = \"demo\"\r\n";
    assert_eq!(told(text), [""; 0]);
}

#[test]
fn what_may_be_a_secret_is_not_in_the_line_that_is_shown() {
    for line in [
        "keys = hidden",
        "keys = “hidden”",
        "key: hidden",
        "token hidden",
        "app_secret = \"hidden",
        "base_url = https://me:hidden@h.example",
        "base_url = https://h.example/?token=hidden",
        "hidden",
    ] {
        let told = told(&format!("[bots.desk]\n{line}\n"));
        assert!(told[0].starts_with("company.toml:2:"), "{told:?}");
    }
}

#[test]
fn all_faulty_lines_and_all_wrong_values_are_told_in_one_run() {
    let text = "[bots.desk]\n\
                platform = feishu\n\
                keys = \"secret:\"\n\
                [bots.Help_Desk]\n\
                platform = \"slack\"\n\
                merge ＝ true\n\
                [endpoints.office]\n\
                place = local\n\
                url = \"http://localhost:8000/v1/v1/chat/completions\"\n\
                model =\n\
                [memory]\n\
                days = 0\n";
    let told: Vec<_> = told(text).into_iter().filter(|line| line.starts_with("company")).collect();
    let starts = [
        "company.toml:2:12: found a text without quotes",
        "company.toml:6:",
        "company.toml:8:9: found a text without quotes",
        "company.toml:10:",
        "company.toml: bots.desk.keys: found `secret:` without a name",
        "company.toml: bots.Help_Desk: found the name `Help_Desk`",
        "company.toml: bots.Help_Desk.platform: found `slack`",
        "company.toml: bots.Help_Desk.keys: found nothing",
        "company.toml: endpoints.office.url: found an address with a part of its path twice",
        "company.toml: memory.days: found 0",
    ];
    assert_eq!(told.len(), starts.len(), "{told:#?}");
    for start in starts {
        assert!(told.iter().any(|line| line.starts_with(start)), "{start}: {told:#?}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_told_in_plain_language() {
    let folder = tempfile::tempdir().unwrap();
    let load = |path: &Path| {
        settings::load(Some(path), &BTreeMap::new(), &PLATFORMS).unwrap_err().0[0].found.clone()
    };
    let path = folder.path().join("magpie.toml");
    assert_eq!(load(&path), "no file of this name");
    assert_eq!(load(folder.path()), "a folder");
    std::fs::write(&path, b"\xFF\xFE[\0b\0").unwrap();
    assert_eq!(load(&path), "a file in UTF-16, which Notepad calls Unicode");
    std::fs::write(&path, b"# \xC5\xE4\xD6\xC3\n").unwrap();
    assert_eq!(load(&path), "a file that is not in UTF-8 (see line 1)");
}

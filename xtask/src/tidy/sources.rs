//! What may not stand in a source file, how long it may be, what it may be called.

use super::{Finding, TextFile};

/// A file that everything passes through ends up under one of these names. A name says what is in it.
const NAMELESS: &[&str] = &["common", "helper", "helpers", "misc", "util", "utils"];

/// No source file is longer: beyond this, nobody reads it in one sitting.
const LINES_IN_A_FILE: usize = 500;

/// A function's program is wiring: past this, comments and blank lines apart, it does something that wants a test, and it has none.
const LINES_OF_WIRING: usize = 40;

/// Crates to which time, randomness and the environment are handed.
const PURE: &[&str] = &[
    "shared/chat/",
    "shared/markdown/",
    "shared/webhook/",
    "shared/platform/",
    "shared/platforms/",
    "shared/turn/",
];

/// What those crates may not ask the machine for.
const IMPURE: &[&str] = &["SystemTime", "Instant::now", "std::env", "getrandom", "host::"];

/// Folders at the root of some machine. A path there means nothing on another one.
const MACHINES: &[&str] = &["home", "root", "work", "Users"];

/// Looks at every file.
pub(crate) fn check(files: &[TextFile]) -> Vec<Finding> {
    files.iter().flat_map(check_file).collect()
}

fn check_file(file: &TextFile) -> Vec<Finding> {
    let mut findings: Vec<_> = [name(file)].into_iter().flatten().collect();
    findings.extend(machine_paths(file));
    if file.path.ends_with(".rs") {
        findings.extend([length(file), opening(file), wiring(file)].into_iter().flatten());
        findings.extend(nameless_modules(file));
        findings.extend(impurities(file));
    }
    findings
}

/// How long source files are, in one line.
pub(crate) fn lengths(files: &[TextFile]) -> String {
    let sources = files.iter().filter(|file| file.path.ends_with(".rs"));
    let mut lines: Vec<_> = sources.map(|file| (file.text.lines().count(), file.path.as_str())).collect();
    lines.sort_unstable();
    let at = |percent: usize| lines.get(lines.len() * percent / 100).map_or(0, |(count, _)| *count);
    let (longest, path) = lines.last().copied().unwrap_or_default();
    format!(
        "{} source files: median {}, p90 {}, longest {longest} lines ({path})",
        lines.len(),
        at(50),
        at(90)
    )
}

fn at_line(file: &TextFile, index: usize, what: String, mend: &'static str) -> Finding {
    Finding { place: format!("{}:{}", file.path, index + 1), what, mend }
}

fn whole(file: &TextFile, what: String, mend: &'static str) -> Finding {
    Finding { place: file.path.clone(), what, mend }
}

fn name(file: &TextFile) -> Option<Finding> {
    let stem = |part: &str| part.split('.').next().unwrap_or_default().to_owned();
    let bad = file.path.split('/').map(stem).find(|part| NAMELESS.contains(&part.as_str()))?;
    Some(whole(
        file,
        format!("`{bad}` says nothing"),
        "name it after what it holds, or move what it holds home",
    ))
}

fn nameless_modules(file: &TextFile) -> impl Iterator<Item = Finding> {
    let module = |line: &str| {
        let rest = line.trim_start().trim_start_matches("pub(crate) ").trim_start_matches("pub ");
        let name: String =
            rest.strip_prefix("mod ")?.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        NAMELESS.contains(&name.as_str()).then_some(name)
    };
    file.text.lines().enumerate().filter_map(move |(index, line)| {
        let what = format!("a module named `{}`", module(line)?);
        Some(at_line(file, index, what, "name it after what it holds, or move what it holds home"))
    })
}

fn length(file: &TextFile) -> Option<Finding> {
    let count = file.text.lines().count();
    let what = format!("{count} lines, and {LINES_IN_A_FILE} are the most");
    (count > LINES_IN_A_FILE).then(|| whole(file, what, "split it by meaning"))
}

fn opening(file: &TextFile) -> Option<Finding> {
    let root = file.path.ends_with("src/lib.rs") || file.path.ends_with("src/main.rs");
    let silent = root && !file.text.starts_with("//! ");
    silent.then(|| {
        whole(file, "does not begin with `//!`".to_owned(), "say what the crate is, in its first line")
    })
}

fn wiring(file: &TextFile) -> Option<Finding> {
    let function = file.path.starts_with("functions/") && file.path.ends_with("src/main.rs");
    let code = file.text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
    let count = code.count();
    let what = format!("{count} lines of code, and a function's wiring has {LINES_OF_WIRING} at most");
    (function && count > LINES_OF_WIRING)
        .then(|| whole(file, what, "move what it does to where it can be tested"))
}

/// What a pure crate asks the machine for, its tests apart. Clippy finds most of it; this also finds what is only
/// named.
fn impurities(file: &TextFile) -> Vec<Finding> {
    let pure = PURE.iter().any(|folder| file.path.starts_with(folder)) && file.path.contains("/src/");
    if !pure || file.path.ends_with("/tests.rs") {
        return Vec::new();
    }
    let code = file.text.lines().enumerate().take_while(|(_, line)| line.trim() != "#[cfg(test)]");
    let code = code.filter(|(_, line)| !line.trim_start().starts_with("//"));
    let found = code.filter_map(|(index, line)| {
        let named = IMPURE.iter().find(|name| contains_word(line, name))?;
        Some(at_line(
            file,
            index,
            format!("`{named}` in a pure crate"),
            "take it as an argument: `chat::Clock`, `chat::Entropy`",
        ))
    });
    found.collect()
}

fn machine_paths(file: &TextFile) -> impl Iterator<Item = Finding> {
    file.text.lines().enumerate().filter_map(move |(index, line)| {
        let found =
            MACHINES.iter().map(|folder| format!("/{folder}/")).find(|path| contains_word(line, path))?;
        let what = format!("a path that begins with `{found}`");
        Some(at_line(file, index, what, "write it relative to the repository, or leave it out"))
    })
}

/// Whether `word` stands in `line` and is not the end of a longer name or path.
fn contains_word(line: &str, word: &str) -> bool {
    let part_of_a_name =
        |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '~' | '}' | '$');
    line.match_indices(word).any(|(at, _)| !line[..at].ends_with(part_of_a_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        let file = TextFile { path: path.to_owned(), text: text.to_owned() };
        check(&[file]).into_iter().map(|finding| format!("{}: {}", finding.place, finding.what)).collect()
    }

    #[test]
    fn good_files_are_left_alone() {
        for (path, text) in [
            ("shared/chat/src/lib.rs", "//! Words.\n\nuse std::time::Duration;\n"),
            ("shared/host/src/lib.rs", "//! The machine.\nuse std::time::SystemTime;\n"),
            (
                "shared/turn/src/run.rs",
                "// SystemTime is not read here\n#[cfg(test)]\nmod tests { use host::SystemClock; }\n",
            ),
            ("shared/turn/tests/whole.rs", "let key = std::env::var(\"KEY\");\n"),
            ("README.md", "see https://example.com/home/page and ./work/x and $HOME/root/y\n"),
            ("functions/feishu/src/main.rs", "//! The receiving function.\n\nfn main() {}\n"),
        ] {
            assert_eq!(found(path, text), [""; 0], "{path}");
        }
    }

    #[test]
    fn names_that_say_nothing_are_found() {
        for path in
            ["shared/utils/Cargo.toml", "shared/turn/src/helpers.rs", "tests/common/start.py", "docs/misc.md"]
        {
            assert_eq!(found(path, "").len(), 1, "{path}");
        }
        assert_eq!(
            found("shared/turn/src/run.rs", "\npub mod util;\n"),
            ["shared/turn/src/run.rs:2: a module named `util`"]
        );
        assert_eq!(found("shared/turn/src/run.rs", "mod utility;\nmod commonplace {}\n"), [""; 0]);
    }

    #[test]
    fn long_files_are_found() {
        assert_eq!(found("a/src/x.rs", &"\n".repeat(500)), [""; 0]);
        assert_eq!(found("a/src/x.rs", &"\n".repeat(501)), ["a/src/x.rs: 501 lines, and 500 are the most"]);
        let program = |lines| format!("//! Wiring.\n\n{}", "call();\n".repeat(lines));
        assert_eq!(found("functions/worker/src/main.rs", &program(40)), [""; 0]);
        assert_eq!(found("functions/worker/src/main.rs", &program(41)).len(), 1);
    }

    #[test]
    fn a_crate_that_does_not_say_what_it_is_is_found() {
        for path in ["shared/chat/src/lib.rs", "functions/worker/src/main.rs"] {
            assert_eq!(found(path, "use std::fmt;\n"), [format!("{path}: does not begin with `//!`")]);
        }
    }

    #[test]
    fn a_pure_crate_that_asks_the_machine_is_found() {
        for line in [
            "let now = std::time::SystemTime::now();",
            "use std::time::{Duration, SystemTime};",
            "let now = Instant::now();",
            "let key = std::env::var(\"KEY\");",
            "let now = host::SystemClock.now();",
        ] {
            for path in
                ["shared/chat/src/time.rs", "shared/platforms/feishu/src/sign.rs", "shared/turn/src/run.rs"]
            {
                assert_eq!(found(path, line).len(), 1, "{path}: {line}");
            }
        }
    }

    #[test]
    fn paths_of_a_machine_are_found() {
        for folder in MACHINES {
            for text in
                [format!("cp /{folder}/me/x ."), format!("\"/{folder}/x\""), format!("(see /{folder}/x)")]
            {
                assert_eq!(found("docs/x.md", &text).len(), 1, "{text}");
            }
        }
    }

    #[test]
    fn the_report_names_the_longest() {
        let file = |path: &str, lines| TextFile { path: path.to_owned(), text: "\n".repeat(lines) };
        let report = lengths(&[file("a.rs", 1), file("b.rs", 20), file("c.rs", 3), file("d.md", 99)]);
        assert_eq!(report, "3 source files: median 3, p90 20, longest 20 lines (b.rs)");
    }
}

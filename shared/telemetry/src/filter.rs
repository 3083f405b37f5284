//! Which events are logged: levels, for everything or by module.

use std::str::FromStr;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

use crate::escape;

/// The words for levels, from nothing to everything.
const LEVELS: [(&str, LevelFilter); 6] = [
    ("off", LevelFilter::OFF),
    ("error", LevelFilter::ERROR),
    ("warn", LevelFilter::WARN),
    ("info", LevelFilter::INFO),
    ("debug", LevelFilter::DEBUG),
    ("trace", LevelFilter::TRACE),
];

/// Which events are logged. Modules that the filter does not name are logged from its level without a module on, which
/// is `info` when there is none.
///
/// `EnvFilter` of `tracing-subscriber` could also select spans by their fields, for which it links a regex engine into
/// every function; Magpie has no spans. Its simpler `Targets` reads an unknown level as the name of a module, and then
/// logs nothing at all; so the text is read here.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter(pub(crate) Targets);

impl Default for Filter {
    /// `info` for everything.
    fn default() -> Self {
        Self(Targets::new().with_default(LevelFilter::INFO))
    }
}

/// Why a text is not a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{part}` {problem}; a filter is a level, or MODULE=LEVEL, or several of them with commas between, for example \
     `debug` or `warn,turn=debug`; the levels are off, error, warn, info, debug and trace"
)]
pub struct FilterError {
    /// The part that is wrong, without control characters.
    part: String,
    problem: &'static str,
}

impl FilterError {
    fn new(part: &str, problem: &'static str) -> Self {
        Self { part: escape::readable(part), problem }
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    /// A blank text is the default.
    fn from_str(text: &str) -> Result<Self, FilterError> {
        let mut targets = Self::default().0;
        if text.trim().is_empty() {
            return Ok(Self(targets));
        }
        for part in text.split(',') {
            targets = match part.split_once('=') {
                None => targets.with_default(level(part, "is not a level")?),
                Some((module, word)) => {
                    let module =
                        module_of(module).ok_or_else(|| FilterError::new(part, "names no module"))?;
                    targets.with_target(module, level(word, "is not a level")?)
                }
            };
        }
        Ok(Self(targets))
    }
}

fn level(word: &str, problem: &'static str) -> Result<LevelFilter, FilterError> {
    let found = LEVELS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word.trim()));
    found.map(|(_, level)| *level).ok_or_else(|| FilterError::new(word.trim(), problem))
}

/// The path of a module as events have it: packages are written with hyphens, and their modules with underscores.
fn module_of(text: &str) -> Option<String> {
    let text = text.trim().replace('-', "_");
    let is_module = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    (!text.is_empty() && text.chars().all(is_module)).then_some(text)
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    fn enabled(filter: &Filter, module: &str) -> LevelFilter {
        let levels = [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR];
        let most = levels.into_iter().find(|level| filter.0.would_enable(module, level));
        most.map_or(LevelFilter::OFF, LevelFilter::from_level)
    }

    #[test]
    fn a_filter_names_levels_and_modules() {
        for (text, of_turn, of_others) in [
            ("", LevelFilter::INFO, LevelFilter::INFO),
            (" ", LevelFilter::INFO, LevelFilter::INFO),
            ("debug", LevelFilter::DEBUG, LevelFilter::DEBUG),
            ("WARN", LevelFilter::WARN, LevelFilter::WARN),
            ("off", LevelFilter::OFF, LevelFilter::OFF),
            ("warn,turn=debug", LevelFilter::DEBUG, LevelFilter::WARN),
            ("turn=debug , warn", LevelFilter::DEBUG, LevelFilter::WARN),
            ("turn=off", LevelFilter::OFF, LevelFilter::INFO),
            ("turn::worker=trace,error", LevelFilter::TRACE, LevelFilter::ERROR),
        ] {
            let filter: Filter = text.parse().unwrap();
            assert_eq!(enabled(&filter, "turn::worker"), of_turn, "{text}");
            assert_eq!(enabled(&filter, "hyper"), of_others, "{text}");
        }
        let filter: Filter = "store-sqlite=debug".parse().unwrap();
        assert_eq!(enabled(&filter, "store_sqlite::queue"), LevelFilter::DEBUG);
    }

    #[test]
    fn what_is_no_filter_is_an_error_that_names_the_part_and_the_forms() {
        for (text, part) in [
            ("loud", "`loud` is not a level"),
            ("verbose", "`verbose` is not a level"),
            ("warn,turn=loud", "`loud` is not a level"),
            ("info,", "`` is not a level"),
            (",", "`` is not a level"),
            ("turn", "`turn` is not a level"),
            ("turn=", "`` is not a level"),
            ("=debug", "`=debug` names no module"),
            ("[span]=debug", "`[span]=debug` names no module"),
            ("warn;turn=debug", "`warn;turn=debug` names no module"),
            ("5", "`5` is not a level"),
            ("in\u{1b}[31mfo", "`in\\u{1b}[31mfo` is not a level"),
        ] {
            let said = text.parse::<Filter>().unwrap_err().to_string();
            assert!(said.starts_with(part), "{said}");
            assert!(said.contains("off, error, warn, info, debug and trace"), "{said}");
            assert!(said.contains("`warn,turn=debug`"), "{said}");
        }
    }

    /// The examples of both READMEs, read from them.
    #[test]
    fn documented_filters_are_filters() {
        for readme in [include_str!("../../../README.md"), include_str!("../../../README.zh-CN.md")] {
            let row = readme.lines().find(|line| line.starts_with("| `MAGPIE_LOG` |")).unwrap();
            let examples: Vec<_> = row.split('`').skip(3).step_by(2).collect();
            assert!(examples.len() >= 2, "{row}");
            for example in examples {
                assert!(example.parse::<Filter>().is_ok(), "{example}");
            }
        }
    }
}

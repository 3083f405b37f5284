//! The log: ECS-shaped JSON, one line per event, for collectors; plain lines for a terminal.
//!
//! Field names follow the Elastic Common Schema where it has one (`@timestamp`, `log.level`, `service.name`,
//! `event.action`); ours stand below `magpie.`.

use tracing::{Level, Subscriber};
use tracing_subscriber::{filter::Targets, layer::SubscriberExt as _};

use crate::{Note, Observer, Step, format::Format};

/// Writes notes to the log.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogObserver;

impl Observer for LogObserver {
    fn note(&self, note: &Note) {
        let action = note.step.name();
        let turn = note.turn.as_ref().map(chat::TurnKey::as_str);
        let detail = serde_json::to_string(&note.step).unwrap_or_default();
        match severity(&note.step) {
            Level::ERROR => tracing::error!(action, turn, detail, "{action}"),
            Level::WARN => tracing::warn!(action, turn, detail, "{action}"),
            Level::INFO => tracing::info!(action, turn, detail, "{action}"),
            _ => tracing::debug!(action, turn, detail, "{action}"),
        }
    }
}

/// Parked turns are errors somebody must look at; refusals and retries are warnings; the rest is the day's work.
const fn severity(step: &Step) -> Level {
    match step {
        Step::Ended { reason: Some(_), .. } => Level::ERROR,
        Step::Rejected { .. } | Step::NotQueued { .. } | Step::Returned { .. } => Level::WARN,
        Step::Answered { .. } | Step::Ended { .. } => Level::INFO,
        Step::Verified { .. }
        | Step::Ignored { .. }
        | Step::Queued { .. }
        | Step::Claimed { .. }
        | Step::Asked { .. }
        | Step::Sent { .. } => Level::DEBUG,
    }
}

/// Sets the process's log up as ECS JSON on standard output, which is what Lambda collects.
/// `filter` is a directive such as `info` or `warn,turn=debug`; one that cannot be read counts as `info`.
pub fn init_json(service: &'static str, filter: Option<&str>) {
    let lines = tracing_subscriber::fmt().event_format(Format::Ecs { service }).with_writer(std::io::stdout);
    set(lines.with_max_level(Level::TRACE).finish().with(directives(filter)));
}

/// Sets the process's log up as plain lines on standard error, for a person at a terminal.
pub fn init_terminal(filter: Option<&str>) {
    let lines = tracing_subscriber::fmt().event_format(Format::Plain).with_writer(std::io::stderr);
    set(lines.with_max_level(Level::TRACE).finish().with(directives(filter)));
}

/// Levels by module. `EnvFilter` could tell spans by their fields as well, for which it brings a whole regex engine
/// into every function; Magpie has no spans.
fn directives(filter: Option<&str>) -> Targets {
    let read = filter.and_then(|text| text.parse().ok());
    read.unwrap_or_else(|| Targets::new().with_default(Level::INFO))
}

/// The first log of a process stays; a second one (two runtimes in one test process) changes nothing.
fn set(subscriber: impl Subscriber + Send + Sync) {
    let _ = tracing::subscriber::set_global_default(subscriber);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_names_levels_and_modules() {
        for (filter, of_turn, of_others) in [
            (None, Level::INFO, Level::INFO),
            (Some("debug"), Level::DEBUG, Level::DEBUG),
            (Some("warn,turn=debug"), Level::DEBUG, Level::WARN),
            (Some("turn=loud"), Level::INFO, Level::INFO),
        ] {
            let directives = directives(filter);
            for level in [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE] {
                assert_eq!(
                    directives.would_enable("turn::worker", &level),
                    level <= of_turn,
                    "{filter:?} {level}"
                );
                assert_eq!(
                    directives.would_enable("hyper", &level),
                    level <= of_others,
                    "{filter:?} {level}"
                );
            }
        }
    }
}

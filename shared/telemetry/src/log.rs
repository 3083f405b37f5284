//! The log: ECS-shaped JSON, one line per event, for collectors; plain lines for a terminal.
//!
//! Field names follow the Elastic Common Schema where it has one (`@timestamp`, `log.level`, `service.name`,
//! `event.action`); ours stand below `magpie.`.

use tracing::{Level, Subscriber};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::{Filter, Note, Observer, Step, format::Format};

/// Writes notes to the log.
///
/// A filter selects them as it does other events: what befalls a webhook is of the module `receive`, what befalls a turn
/// of `turn`, and what befalls a question through the gateway of `gateway`.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogObserver;

/// Logs a note at its level as an event of one module. Both are constants of the place that logs, so there is a place for
/// each.
macro_rules! log_as {
    ($module:literal, $note:expr) => {{
        let note: &Note = $note;
        let action = note.step.name();
        let turn = note.turn.as_ref().map(chat::TurnKey::as_str);
        // Evaluated only when the event is logged.
        match severity(&note.step) {
            Level::ERROR => tracing::error!(target: $module, action, turn, detail = detail(note), "{action}"),
            Level::WARN => tracing::warn!(target: $module, action, turn, detail = detail(note), "{action}"),
            Level::INFO => tracing::info!(target: $module, action, turn, detail = detail(note), "{action}"),
            _ => tracing::debug!(target: $module, action, turn, detail = detail(note), "{action}"),
        }
    }};
}

impl Observer for LogObserver {
    fn note(&self, note: &Note) {
        match &note.step {
            Step::Verified { .. }
            | Step::UrlVerified { .. }
            | Step::Rejected { .. }
            | Step::UnknownBot { .. }
            | Step::UnknownShape { .. }
            | Step::Queued { .. }
            | Step::NotQueued { .. } => log_as!("receive", note),
            Step::Ignored { .. } if note.turn.is_none() => log_as!("receive", note),
            Step::Asked { .. } if note.turn.is_none() => log_as!("gateway", note),
            Step::Ignored { .. }
            | Step::Claimed { .. }
            | Step::Asked { .. }
            | Step::Answered { .. }
            | Step::Sent { .. }
            | Step::Ended { .. }
            | Step::Returned { .. } => log_as!("turn", note),
        }
    }
}

fn detail(note: &Note) -> String {
    serde_json::to_string(&note.step).unwrap_or_default()
}

/// Parked turns are errors somebody must look at; refusals and retries are warnings; the rest is the day's work.
const fn severity(step: &Step) -> Level {
    match step {
        Step::Ended { reason: Some(_), .. } => Level::ERROR,
        // Of what was answered all the same one line is enough; what was not is somebody's message.
        Step::UnknownShape { answered: false, .. } => Level::WARN,
        Step::UnknownShape { answered: true, .. } => Level::INFO,
        Step::Asked { failed: true, .. }
        | Step::Rejected { .. }
        | Step::UnknownBot { .. }
        | Step::NotQueued { .. }
        | Step::Returned { .. } => Level::WARN,
        Step::UrlVerified { .. } | Step::Answered { .. } | Step::Ended { .. } => Level::INFO,
        Step::Verified { .. }
        | Step::Ignored { .. }
        | Step::Queued { .. }
        | Step::Claimed { .. }
        | Step::Asked { .. }
        | Step::Sent { .. } => Level::DEBUG,
    }
}

// None of them reports a line that cannot be written: that would go to standard error, and writing there panics when it is
// a file on a full disk, in the middle of whatever was logged.

/// Sets the process's log up as ECS JSON on standard output, which is what Lambda collects. `filter` is read as a
/// [`Filter`]. One that cannot be read does not stop a function, whose webhooks would be lost with it: `info` stands in
/// for it, and the first line is an error that says so.
pub fn init_function(service: &'static str, filter: Option<&str>) {
    let read = filter.unwrap_or_default().parse();
    let lines = tracing_subscriber::fmt()
        .log_internal_errors(false)
        .event_format(Format::Ecs { service })
        .with_writer(std::io::stdout);
    let lines = lines.with_max_level(Level::TRACE).finish();
    set(lines.with(read.clone().unwrap_or_else(|_| Filter::default()).0));
    if let Err(error) = read {
        tracing::error!(%error, "MAGPIE_LOG is not understood; `info` stands in for it");
    }
}

/// Sets the process's log up as ECS JSON on standard error, for a process whose standard output is a person's.
pub fn init_json(service: &'static str, filter: Filter) {
    let lines = tracing_subscriber::fmt()
        .log_internal_errors(false)
        .event_format(Format::Ecs { service })
        .with_writer(std::io::stderr);
    set(lines.with_max_level(Level::TRACE).finish().with(filter.0));
}

/// Sets the process's log up as plain lines on standard error, for a person at a terminal.
pub fn init_terminal(filter: Filter) {
    let lines = tracing_subscriber::fmt()
        .log_internal_errors(false)
        .event_format(Format::Plain)
        .with_writer(std::io::stderr);
    set(lines.with_max_level(Level::TRACE).finish().with(filter.0));
}

/// The first log of a process stays; a second one (two runtimes in one test process) changes nothing.
fn set(subscriber: impl Subscriber + Send + Sync) {
    let _ = tracing::subscriber::set_global_default(subscriber);
}

#[cfg(test)]
mod tests {
    use chat::{BotId, PlatformId, Timestamp};

    use super::*;
    use crate::format::tests::logged;

    fn note(turn: bool, step: Step) -> Note {
        let key = "\"".to_owned() + &"a".repeat(64) + "\"";
        let turn = turn.then(|| serde_json::from_str(&key).unwrap());
        Note { turn, at: Timestamp::from_millis(0), step }
    }

    /// As the filter `warn,turn=debug` selects them.
    #[test]
    fn steps_are_events_of_the_module_that_they_happen_in() {
        let (platform, bot) = (PlatformId::parse("feishu").unwrap(), BotId::parse("b").unwrap());
        let verified = Step::Verified { platform: platform.clone(), bot: bot.clone() };
        let ignored = |platform, bot| Step::Ignored { platform, bot, what: "w" };
        for (note, module) in [
            (note(true, verified), "receive"),
            (note(true, Step::Queued { millis: 1 }), "receive"),
            (note(false, ignored(platform.clone(), bot.clone())), "receive"),
            (note(true, ignored(platform, bot)), "turn"),
            (note(true, Step::Claimed { fence: 1 }), "turn"),
            (note(true, Step::Sent { segment: 1, of: 1, millis: 1 }), "turn"),
        ] {
            let line = logged(Format::Ecs { service: "s" }, || LogObserver.note(&note));
            let json: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!(json["log.logger"], module, "{line}");
        }
    }
}

//! The log: ECS-shaped JSON, one line per event, for collectors; plain lines for a terminal.
//!
//! Field names follow the Elastic Common Schema where it has one (`@timestamp`, `log.level`, `service.name`,
//! `event.action`); ours stand below `magpie.`.

use std::fmt::Write as _;

use jiff::Timestamp as Instant;
use serde_json::{Map, Value};
use tracing::{Event, Level, Subscriber, field::Field, field::Visit};
use tracing_subscriber::{
    EnvFilter,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use crate::{Note, Observer, Step};

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
    let subscriber = tracing_subscriber::fmt()
        .event_format(Ecs { service })
        .with_env_filter(directives(filter, "info"))
        .with_writer(std::io::stdout)
        .finish();
    set(subscriber);
}

/// Sets the process's log up as plain lines on standard error, for a person at a terminal.
pub fn init_terminal(filter: Option<&str>) {
    let subscriber = tracing_subscriber::fmt()
        .event_format(Plain)
        .with_env_filter(directives(filter, "info"))
        .with_writer(std::io::stderr)
        .finish();
    set(subscriber);
}

fn directives(filter: Option<&str>, otherwise: &str) -> EnvFilter {
    filter.and_then(|text| EnvFilter::try_new(text).ok()).unwrap_or_else(|| EnvFilter::new(otherwise))
}

/// The first log of a process stays; a second one (two runtimes in one test process) changes nothing.
fn set(subscriber: impl Subscriber + Send + Sync) {
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Formats events as ECS JSON.
struct Ecs {
    service: &'static str,
}

impl<S, N> FormatEvent<S, N> for Ecs
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    #[expect(
        clippy::disallowed_methods,
        reason = "a log line says when it was written, whatever time the code works with"
    )]
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut line = Map::new();
        line.insert("@timestamp".into(), Instant::now().to_string().into());
        line.insert("log.level".into(), event.metadata().level().as_str().to_lowercase().into());
        line.insert("message".into(), fields.message.into());
        line.insert("ecs.version".into(), "8.11.0".into());
        line.insert("service.name".into(), self.service.into());
        line.insert("log.logger".into(), event.metadata().target().into());
        line.extend(fields.others);
        writeln!(writer, "{}", Value::Object(line))
    }
}

/// Formats events for a person: the time, what happened, and its details as `name=value`.
struct Plain;

impl<S, N> FormatEvent<S, N> for Plain
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    #[expect(
        clippy::disallowed_methods,
        reason = "a log line says when it was written, whatever time the code works with"
    )]
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = event.metadata().level();
        write!(writer, "{} {level:>5} {}", Instant::now().strftime("%H:%M:%S%.3f"), fields.message)?;
        for (name, value) in &fields.others {
            match (name.as_str(), value) {
                ("event.action", _) => {}
                ("trace.id", Value::String(turn)) => {
                    write!(writer, " turn={}", turn.get(..8).unwrap_or(turn))?;
                }
                (_, Value::Object(details)) => {
                    for (name, value) in details.iter().filter(|(_, value)| !value.is_null()) {
                        write!(writer, " {name}={}", bare(value))?;
                    }
                }
                (name, value) => {
                    write!(writer, " {}={}", name.strip_prefix("magpie.").unwrap_or(name), bare(value))?;
                }
            }
        }
        writeln!(writer)
    }
}

/// A text without its quotation marks; anything else as JSON has it.
fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Collects an event's fields under their ECS names.
#[derive(Default)]
struct Fields {
    message: String,
    others: Map<String, Value>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        let name = match field.name() {
            "action" => "event.action".to_owned(),
            "turn" => "trace.id".to_owned(),
            other => format!("magpie.{other}"),
        };
        self.others.insert(name, value);
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.message, "{value:?}");
        } else {
            self.put(field, format!("{value:?}").into());
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        // A note's detail is JSON already: it becomes fields, not a text inside a text.
        let parsed = (field.name() == "detail").then(|| serde_json::from_str::<Value>(value).ok()).flatten();
        match parsed.as_ref().and_then(|step| step.get("detail")) {
            Some(detail) => self.put(field, detail.clone()),
            None => self.put(field, value.into()),
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use chat::{BotId, PlatformId, Timestamp};
    use tracing_subscriber::{Registry, fmt::format::DefaultFields};

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What a note looks like in this format.
    fn logged<F>(format: F) -> String
    where
        F: FormatEvent<Registry, DefaultFields> + Send + Sync + 'static,
    {
        let sink = Sink::default();
        let writer = sink.clone();
        let subscriber =
            tracing_subscriber::fmt().event_format(format).with_writer(move || writer.clone()).finish();
        let step = Step::Rejected {
            platform: PlatformId::parse("feishu").unwrap(),
            bot: BotId::parse("b").unwrap(),
            cause: "signature",
        };
        let note = Note { turn: None, at: Timestamp::from_millis(0), step };
        tracing::subscriber::with_default(subscriber, || LogObserver.note(&note));
        String::from_utf8(sink.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_note_is_one_line_that_a_person_can_read() {
        let line = logged(Plain);
        assert!(line.ends_with("  WARN rejected bot=b cause=signature platform=feishu\n"), "{line}");
    }

    #[test]
    fn a_note_becomes_one_ecs_line() {
        let line = logged(Ecs { service: "magpie-test" });
        let json: Value = serde_json::from_str(line.trim()).unwrap();
        assert_eq!(json["log.level"], "warn");
        assert_eq!(json["event.action"], "rejected");
        assert_eq!(json["service.name"], "magpie-test");
        assert_eq!(json["magpie.detail"]["cause"], "signature");
    }
}

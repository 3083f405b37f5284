//! Events as lines.

use std::fmt::Write as _;

use jiff::Timestamp as Instant;
use serde_json::{Map, Value};
use tracing::{Event, Metadata, Subscriber, field::Field, field::Visit};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use crate::escape;

/// How an event is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Format {
    /// As ECS JSON, for a collector.
    Ecs {
        /// Who writes.
        service: &'static str,
    },
    /// The time, what happened, and its details as `name=value`, for a person.
    Plain,
}

impl<S, N> FormatEvent<S, N> for Format
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    #[expect(
        clippy::disallowed_methods,
        reason = "a line says when it was written, whatever time the code works with"
    )]
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let line = match self {
            Self::Ecs { service } => ecs(service, Instant::now(), event.metadata(), fields),
            Self::Plain => plain(Instant::now(), event.metadata(), &fields),
        };
        writeln!(writer, "{line}")
    }
}

fn ecs(service: &str, at: Instant, metadata: &Metadata<'_>, fields: Fields) -> String {
    let mut line = Map::new();
    line.insert("@timestamp".into(), at.to_string().into());
    line.insert("log.level".into(), metadata.level().as_str().to_lowercase().into());
    line.insert("message".into(), fields.message.into());
    line.insert("ecs.version".into(), "8.11.0".into());
    line.insert("service.name".into(), service.into());
    line.insert("log.logger".into(), metadata.target().into());
    line.extend(fields.others);
    escape::json(&escape::bounded(Value::Object(line)))
}

/// The date and the time in UTC (RFC 3339), the level, what happened, and the details.
fn plain(at: Instant, metadata: &Metadata<'_>, fields: &Fields) -> String {
    let at = at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
    let mut line = format!("{at} {:>5} {}", metadata.level(), escape::readable(&fields.message));
    for (name, value) in &fields.others {
        match (name.as_str(), value) {
            // The message says it already.
            ("event.action", Value::String(action)) if *action == fields.message => {}
            ("event.action", value) => detail(&mut line, "action", &bare(value)),
            ("trace.id", Value::String(turn)) => detail(&mut line, "turn", turn.get(..8).unwrap_or(turn)),
            (_, Value::Object(details)) => {
                for (name, value) in details.iter().filter(|(_, value)| !value.is_null()) {
                    detail(&mut line, name, &bare(value));
                }
            }
            (name, value) => detail(&mut line, name.strip_prefix("magpie.").unwrap_or(name), &bare(value)),
        }
    }
    line
}

fn detail(line: &mut String, name: &str, value: &str) {
    // Writing to a text cannot fail.
    let _ = write!(line, " {name}={}", escape::quoted(value));
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
pub(crate) mod tests;

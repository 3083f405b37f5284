use std::sync::{Arc, Mutex};

use chat::{BotId, PlatformId, Timestamp};

use super::*;
use crate::{LogObserver, Note, Observer as _, Step};

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

const JSON: Format = Format::Ecs { service: "magpie-test" };

/// What `act` logs in this format.
pub(crate) fn logged(format: Format, act: impl FnOnce()) -> String {
    let sink = Sink::default();
    let writer = sink.clone();
    let subscriber = tracing_subscriber::fmt()
        .event_format(format)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, act);
    String::from_utf8(sink.0.lock().unwrap().clone()).unwrap()
}

fn rejected() {
    let step = Step::Rejected {
        platform: PlatformId::parse("feishu").unwrap(),
        bot: BotId::parse("b").unwrap(),
        cause: "body too large",
    };
    LogObserver.note(&Note { turn: None, at: Timestamp::from_millis(0), step });
}

#[test]
fn a_note_is_one_line_that_a_person_can_read() {
    let line = logged(Format::Plain, rejected);
    assert!(line.ends_with("  WARN rejected bot=b cause=\"body too large\" platform=feishu\n"), "{line}");
}

#[test]
fn a_line_begins_with_the_date_and_the_time_in_utc() {
    let line = logged(Format::Plain, rejected);
    let (at, rest) = line.split_once(' ').unwrap();
    assert!(at.ends_with('Z') && at.len() == "2026-11-28T16:33:40.123Z".len(), "{at}");
    assert!(at.parse::<jiff::Timestamp>().is_ok(), "{at}");
    assert!(rest.starts_with(" WARN"), "{rest}");
}

#[test]
fn a_note_becomes_one_ecs_line() {
    let line = logged(JSON, rejected);
    let json: Value = serde_json::from_str(line.trim()).unwrap();
    assert_eq!(json["log.level"], "warn");
    assert_eq!(json["event.action"], "rejected");
    assert_eq!(json["service.name"], "magpie-test");
    assert_eq!(json["magpie.detail"]["cause"], "body too large");
}

/// Values that would begin a line of their own, or act on the terminal.
#[test]
fn no_value_forges_a_line_or_steers_a_terminal() {
    let forged = "x\n2026-11-28T16:33:40.123Z ERROR forged\r\u{1b}]0;title\u{7}\u{9b}2J";
    for format in [Format::Plain, JSON] {
        let lines = logged(format, || {
            tracing::warn!(value = forged, shown = %forged, debugged = ?forged, "said {forged}");
        });
        assert_eq!(lines.matches('\n').count(), 1, "{lines:?}");
        assert!(!lines.trim_end_matches('\n').contains(escape::is_unsafe), "{lines:?}");
        assert!(lines.contains("forged"), "{lines}");
    }
}

#[test]
fn no_value_makes_a_line_long() {
    let long = "x".repeat(100_000);
    for format in [Format::Plain, JSON] {
        let line = logged(format, || tracing::warn!(value = long, "said"));
        assert!(line.len() < 2_000, "{}", line.len());
    }
}

#[test]
fn a_name_of_an_event_beside_its_sentence_is_shown() {
    let line = logged(Format::Plain, || tracing::info!(action = "breaker.closed", "it answers again"));
    assert!(line.ends_with(" INFO it answers again action=breaker.closed\n"), "{line}");
}

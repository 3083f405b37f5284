//! Notes and answers to the page, as server-sent events.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::{Stream, StreamExt as _, stream};
use serde_json::{Value, json};
use simulator::Sent;
use telemetry::{LogObserver, Note, Observer};
use tokio::sync::{broadcast, watch};
use tokio_stream::wrappers::BroadcastStream;

use super::Playground;

/// How many events wait for a slow page. One that falls further behind misses some; the log has them all.
const BACKLOG: usize = 1024;

/// How often a silent stream shows that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Hands notes on: to the log, and to whoever watches.
#[derive(Clone)]
pub(crate) struct Feed {
    notes: broadcast::Sender<Arc<Note>>,
}

impl Feed {
    pub(crate) fn new() -> Self {
        Self { notes: broadcast::Sender::new(BACKLOG) }
    }
}

impl Observer for Feed {
    fn note(&self, note: &Note) {
        LogObserver.note(note);
        if self.notes.receiver_count() > 0 {
            // Nobody listening any more is no failure.
            let _ = self.notes.send(Arc::new(note.clone()));
        }
    }
}

/// `GET /playground/events`: every step of every message, and every answer that a demo bot shows.
pub(super) async fn events(
    State(playground): State<Playground>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let notes = BroadcastStream::new(playground.feed.notes.subscribe())
        .filter_map(async |note| note.ok().map(|note| note_event(&note)));
    let sent = BroadcastStream::new(playground.simulator.watch());
    let demo = playground.demo.clone();
    let messages = sent.filter_map(move |sent| {
        let event = sent.ok().and_then(|sent| message_event(&sent, demo.bot_of(&sent.app)?));
        async move { event }
    });
    let all = stream::select(notes.boxed(), messages.boxed())
        .map(|value| Ok(Event::default().data(value.to_string())))
        .take_until(stopped(playground.stop));
    Sse::new(all).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is the end as well.
    let _ = stop.wait_for(|stop| *stop).await;
}

fn note_event(note: &Note) -> Value {
    let mut value = serde_json::to_value(note).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.insert("kind".to_owned(), "note".into());
    }
    value
}

fn message_event(sent: &Sent, bot: &str) -> Option<Value> {
    let mut value = serde_json::to_value(sent).ok()?;
    let object = value.as_object_mut()?;
    object.insert("kind".to_owned(), "message".into());
    object.insert("bot".to_owned(), json!(bot));
    Some(value)
}

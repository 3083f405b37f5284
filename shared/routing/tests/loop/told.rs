//! What operators hear of: every attempt when it ends, and every breaker that opens or closes.

use std::{
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};

use chat::Pause as _;
use routing::{Ask, Attempt, Context, Listener, Prompt, Route, Strategy};
use transport::NetError;

use crate::net::{Does, ask, endpoint, net, router, say, setup};

/// Hears attempts, each as endpoint, outcome, status and message.
#[derive(Default)]
struct Attempts(Mutex<Vec<Told>>);

type Told = (String, &'static str, Option<u16>, Option<String>);

impl Listener for Attempts {
    fn words(&self, _: &str) {}

    fn takes_back(&self) -> bool {
        true
    }

    fn attempted(&self, attempt: &Attempt) {
        let message = attempt.message.as_ref().map(ToString::to_string);
        let told = (attempt.endpoint.clone(), attempt.outcome.as_str(), attempt.status, message);
        self.0.lock().unwrap().push(told);
    }
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_told_once_when_it_ends() {
    let full = Does::Status(503, r#"{"error":{"message":"no slot is free"}}"#);
    let (router, _) = setup(&[("local", full), ("cloud", say("yes"))], Strategy::LocalFirst);
    let (prompt, context, attempts) = (Prompt::question("q"), Context::default(), Attempts::default());
    let ask = Ask { listener: &attempts, ..Ask::whole(&prompt, &context, Duration::from_secs(90)) };
    assert_eq!(router.ask(&ask).await.unwrap().endpoint, "cloud");
    let told = attempts.0.lock().unwrap().clone();
    let failed = ("local".to_owned(), "server", Some(503), Some("no slot is free".to_owned()));
    // A 503 is tried again once.
    assert_eq!(told, [failed.clone(), failed, ("cloud".to_owned(), "answered", None, None)]);
}

/// Whoever drops a question learns of the attempts until then.
#[tokio::test(start_paused = true)]
async fn a_question_that_is_dropped_has_told_its_failures() {
    let (router, _) =
        setup(&[("local", Does::Fail(NetError::Unreachable)), ("cloud", Does::Hang)], Strategy::LocalFirst);
    let (prompt, context, attempts) = (Prompt::question("q"), Context::default(), Attempts::default());
    let ask = Ask { listener: &attempts, ..Ask::whole(&prompt, &context, Duration::from_secs(90)) };
    assert!(tokio::time::timeout(Duration::from_secs(5), router.ask(&ask)).await.is_err());
    let told = attempts.0.lock().unwrap().clone();
    assert_eq!(told, [("local".to_owned(), "unreachable", None, None)]);
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_breaker_is_logged_once_when_it_opens_and_once_when_it_closes() {
    let sink = Sink::default();
    let writer = sink.clone();
    let log = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _log = tracing::subscriber::set_default(log);
    let down = Does::Status(401, r#"{"error":{"message":"the key has expired"}}"#);
    let net = net(&[("local", &[down, say("back")]), ("cloud", &[say("c")])]);
    let router = router(vec![endpoint("local"), endpoint("cloud")], Route::default(), &net).unwrap();
    for _ in 0..5 {
        ask(&router, 90).await.unwrap();
    }
    net.pause(Duration::from_secs(400)).await;
    for _ in 0..2 {
        assert_eq!(ask(&router, 90).await.unwrap().endpoint, "local");
    }
    let log = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    let of = |action: &str| log.lines().filter(|line| line.contains(action)).collect::<Vec<_>>();
    let (opened, closed) = (of("breaker.opened"), of("breaker.closed"));
    assert_eq!((opened.len(), closed.len()), (1, 1), "{log}");
    for part in ["WARN", "\"local\"", "auth", "401", "the key has expired", "until=\"1970-01-01T00:"] {
        assert!(opened[0].contains(part), "{part} is not in {}", opened[0]);
    }
    assert!(closed[0].contains("INFO") && closed[0].contains("\"local\""), "{}", closed[0]);
}

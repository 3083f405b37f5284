//! Bots that answer as they should, and bots that do not, under the whole load test: the good one must pass, and each of
//! the others must be found wanting for what it does.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its bots must fail")]

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use chat::{BotId, Message, Timestamp};
use gateways::client::{Address, Connection};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use load::{
    arrivals::Arrivals,
    clock,
    closed::{self, Span},
    genuine,
    judge::{Judged, Limits, judge},
    mock::{self, Behaviour, RECORD_PATH},
    open,
    webhook::{Maker, answer, credentials, question_in},
};
use platform::{ConnectOptions, Event, KeyRing, Keys, Moment, Platform, RawRequest};
use serde_json::json;
use tokio::net::TcpListener;

/// What a bot does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Good,
    /// Acknowledges every tenth message and forgets it.
    Forgets,
    /// Refuses every tenth message.
    Refuses,
    /// Answers every tenth message twice.
    Repeats,
    /// Apologises for every tenth message.
    Apologises,
    /// Acknowledges whatever comes.
    BelievesAll,
}

struct Bot {
    manner: Manner,
    platform: Arc<dyn Platform>,
    mock: SocketAddr,
}

impl Bot {
    async fn start(manner: Manner, mock: SocketAddr) -> SocketAddr {
        let keys = Keys::from_json(&credentials().to_string()).unwrap();
        let platform = (feishu::KIND.connect)(&KeyRing::new(keys, None), &ConnectOptions::default()).unwrap();
        let bot = Arc::new(Self { manner, platform, mock });
        let listener = mock::listen(0).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(bot.serve(listener));
        address
    }

    async fn serve(self: Arc<Self>, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let bot = Arc::clone(&self);
            let service = service_fn(move |request| Arc::clone(&bot).respond(request));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    }

    async fn respond(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let status = match self.read(&RawRequest { headers: parts.headers, query: Vec::new(), body }) {
            Some(message) => self.answer(&message).await,
            None if self.manner == Manner::BelievesAll => StatusCode::OK,
            None => StatusCode::UNAUTHORIZED,
        };
        let mut response = Response::new(Full::default());
        *response.status_mut() = status;
        Ok(response)
    }

    fn read(&self, request: &RawRequest) -> Option<Message> {
        let now = Timestamp::from_millis(i64::try_from(clock::micros() / 1000).unwrap());
        let moment = Moment { bot: BotId::parse("load").unwrap(), now, nonce: [0; 16] };
        let verified = self.platform.verify(request, now).ok()?;
        let Event::Message(message) = self.platform.parse(verified, &moment).ok()?.event else { return None };
        Some(*message)
    }

    /// Answers before it acknowledges, so that every answer is there once everything is acknowledged.
    async fn answer(&self, message: &Message) -> StatusCode {
        let question = question_in(message.text.as_bytes()).unwrap();
        let right = answer(question);
        // Nine of ten messages are answered as they should be, by every bot.
        let manner = if question.is_multiple_of(10) { self.manner } else { Manner::Good };
        let (status, texts) = match manner {
            Manner::Forgets => (StatusCode::OK, vec![]),
            Manner::Refuses => (StatusCode::SERVICE_UNAVAILABLE, vec![]),
            Manner::Repeats => (StatusCode::OK, vec![right.clone(), right]),
            Manner::Apologises => (StatusCode::OK, vec!["sorry".to_owned()]),
            Manner::Good | Manner::BelievesAll => (StatusCode::OK, vec![right]),
        };
        for text in texts {
            let path = format!("/open-apis/im/v1/messages/{}/reply", message.event.as_str());
            let body = json!({"msg_type": "text", "content": json!({ "text": text }).to_string()});
            assert_eq!(call(self.mock, &path, body.to_string()).await.0, StatusCode::OK);
        }
        status
    }
}

async fn call(socket: SocketAddr, path: &str, body: String) -> (StatusCode, Bytes) {
    let mut address = Address::with_token(socket, "none").unwrap();
    path.clone_into(&mut address.path);
    let heard = Connection::to(socket).ask(&address, Bytes::from(body)).await.unwrap();
    (heard.status, heard.body)
}

async fn start_mock(questions: usize) -> SocketAddr {
    let listener = mock::listen(0).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(mock::serve(listener, Behaviour { model_time: Duration::ZERO, questions }));
    address
}

fn maker() -> Maker {
    Maker::new(20, clock::micros() / 1000)
}

/// What the load test says about a bot that got 30 messages.
async fn judged(manner: Manner) -> Judged {
    let mock = start_mock(30).await;
    let (bot, maker) = (Bot::start(manner, mock).await, maker());
    let (start, started) = (Instant::now(), clock::micros());
    let address = maker.address(bot).unwrap();
    let deliveries = open::run(address, maker.make_all(30), Arrivals::at_rate(2_000.0, 30, 1), start).await;
    let report = serde_json::from_slice(&call(mock, RECORD_PATH, String::new()).await.1).unwrap();
    // As long as it takes: a busy machine is not what is looked at here.
    let limits = Limits { acknowledgement: Duration::MAX, answer: Duration::MAX };
    judge(&deliveries, &report, started, limits)
}

#[tokio::test]
async fn a_good_bot_is_found_good() {
    let judged = judged(Manner::Good).await;
    assert_eq!(judged.faults, [""; 0]);
    assert_eq!((judged.sent, judged.acknowledged, judged.answered, judged.late), (30, 30, 30, 0));
    assert!(judged.answers.percentile(0.5) > 0.0, "an answer takes its time");
}

#[tokio::test]
async fn bots_that_do_not_answer_as_they_should_are_found() {
    for (manner, faults) in [
        (Manner::Forgets, vec!["3 not answered"]),
        (Manner::Refuses, vec!["3 not acknowledged: status 503 Service Unavailable", "3 not answered"]),
        (Manner::Repeats, vec!["3 answered more than once"]),
        (Manner::Apologises, vec!["3 not answered", "3 replies that are not the answer to their question"]),
    ] {
        assert_eq!(judged(manner).await.faults, faults);
    }
}

#[tokio::test]
async fn a_bot_that_believes_all_is_not_measured() {
    let (mock, maker) = (start_mock(2).await, maker());
    let good = Bot::start(Manner::Good, mock).await;
    genuine::check(&maker.address(good).unwrap(), &maker, 0).await.unwrap();
    let believes = Bot::start(Manner::BelievesAll, mock).await;
    let error = genuine::check(&maker.address(believes).unwrap(), &maker, 0).await.unwrap_err().to_string();
    assert!(error.starts_with("a forged webhook was acknowledged with 200 OK"), "{error}");
}

#[tokio::test]
async fn a_closed_loop_sends_each_webhook_once_and_counts_what_is_refused() {
    let (mock, maker) = (start_mock(30).await, maker());
    let span = Span { warm_up: Duration::ZERO, counted: Duration::from_secs(600), connections: 4 };
    for (manner, acknowledged) in [(Manner::Good, 30), (Manner::Refuses, 27)] {
        let address = maker.address(Bot::start(manner, mock).await).unwrap();
        let counted = closed::run(&address, &maker.make_all(30), span, &[std::process::id()]).await;
        assert_eq!(counted.acknowledged, acknowledged);
        assert_eq!(counted.faults, vec!["status 503 Service Unavailable"; 30 - acknowledged]);
    }
    let report: mock::record::Report =
        serde_json::from_slice(&call(mock, RECORD_PATH, String::new()).await.1).unwrap();
    assert_eq!((report.answered, report.repeated), (30, 27), "the bots answered the same questions");
}

#[tokio::test]
async fn the_model_answers_the_last_question() {
    let mock = start_mock(0).await;
    let asked = json!({"model": mock::MODEL, "stream": true, "messages": [
        {"role": "user", "content": answer(3)}, {"role": "assistant", "content": answer(3)},
        {"role": "user", "content": answer(12)},
    ]});
    let (status, body) = call(mock, "/v1/chat/completions", asked.to_string()).await;
    assert_eq!((status, question_in(&body)), (StatusCode::OK, Some(12)));
    assert!(body.ends_with(b"data: [DONE]\n\n"));
}

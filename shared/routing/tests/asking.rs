//! How a call is made again when a server does not take all of it, and signed where there is no key.
#![expect(clippy::unwrap_used, reason = "a test that cannot lay its table has failed")]

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use http::{HeaderMap, StatusCode, header};
use routing::{
    Answer, Ask, AttemptOutcome, Clocks, Context, Endpoint, Failure, NoAnswer, Place, Ports, Prompt,
    Protocol, Route, Router, Signer,
};
use serde_json::Value;
use transport::{Limits, NetError, OutRequest, OutResponse, Transport, Via};

const REFUSES_STREAM_OPTIONS: &str =
    r#"{"error":{"message":"Unrecognized request argument supplied: stream_options","code":null}}"#;
const REFUSES_MAX_TOKENS: &str = r#"{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","param":"max_tokens","code":"unsupported_parameter"}}"#;
const ANSWERS: &str = r#"{"choices":[{"message":{"content":"yes"},"finish_reason":"stop"}]}"#;

/// Answers as the test says, one after the other, and keeps what was asked.
#[derive(Default)]
struct Net {
    answers: Mutex<VecDeque<(u16, &'static str)>>,
    asked: Mutex<Vec<OutRequest>>,
}

impl Net {
    fn new(answers: &[(u16, &'static str)]) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers.iter().copied().collect()), ..Self::default() })
    }

    fn bodies(&self) -> Vec<Value> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
    }
}

#[async_trait]
impl Transport for Net {
    async fn call(&self, request: OutRequest, _: Limits) -> Result<OutResponse, NetError> {
        self.asked.lock().unwrap().push(request);
        let (status, body) = self.answers.lock().unwrap().pop_front().ok_or(NetError::TooLarge)?;
        let status = StatusCode::from_u16(status).unwrap();
        Ok(OutResponse { status, headers: HeaderMap::new(), body: body.into() })
    }
}

fn router(net: &Arc<Net>, endpoint: Endpoint) -> Router {
    let ports = Ports {
        transport: net.clone(),
        clock: Arc::new(host::SystemClock),
        pause: Arc::new(host::SystemPause),
        entropy: Arc::new(host::SystemEntropy),
        board: None,
    };
    Router::new(vec![endpoint], Route::default(), Clocks::default(), ports).unwrap()
}

fn endpoint(protocol: Protocol, url: &str) -> Endpoint {
    let endpoint = Endpoint::new("office", Place::Local, url.parse().unwrap(), protocol, "m");
    Endpoint { max_tokens: Some(100), ..endpoint }
}

fn chat() -> Endpoint {
    endpoint(Protocol::ChatCompletions, "http://h/v1/chat/completions")
}

async fn ask(router: &Router) -> Result<Answer, NoAnswer> {
    let (prompt, context) = (Prompt::question("hi"), Context::default());
    router.ask(&Ask::whole(&prompt, &context, Duration::from_secs(60))).await
}

#[tokio::test]
async fn a_server_that_does_not_count_is_asked_without_it_and_from_then_on() {
    let net = Net::new(&[(400, REFUSES_STREAM_OPTIONS), (200, ANSWERS), (200, ANSWERS)]);
    let router = router(&net, chat());
    let answer = ask(&router).await.unwrap();
    assert_eq!(answer.text, "yes");
    assert_eq!(answer.attempts.len(), 1, "the refusal is no attempt of its own");
    assert!(answer.usage.estimated);
    assert!(ask(&router).await.is_ok());
    let wished: Vec<_> = net.bodies().iter().map(|body| body.get("stream_options").is_some()).collect();
    assert_eq!(wished, [true, false, false]);
}

#[tokio::test]
async fn a_model_that_knows_the_newer_limit_only_is_given_it() {
    let net = Net::new(&[(400, REFUSES_MAX_TOKENS), (200, ANSWERS)]);
    assert!(ask(&router(&net, chat())).await.is_ok());
    let bodies = net.bodies();
    assert_eq!((&bodies[0]["max_tokens"], &bodies[0]["max_completion_tokens"]), (&100.into(), &Value::Null));
    assert_eq!((&bodies[1]["max_tokens"], &bodies[1]["max_completion_tokens"]), (&Value::Null, &100.into()));
}

#[tokio::test]
async fn several_complaints_are_met_one_by_one_and_an_endless_one_is_given_up() {
    let net = Net::new(&[(400, REFUSES_STREAM_OPTIONS), (400, REFUSES_MAX_TOKENS), (200, ANSWERS)]);
    assert!(ask(&router(&net, chat())).await.is_ok());
    let net = Net::new(&[(400, REFUSES_STREAM_OPTIONS); 5]);
    let failed = ask(&router(&net, chat())).await.unwrap_err();
    let outcomes: Vec<_> = failed.attempts.iter().map(|attempt| attempt.outcome).collect();
    assert_eq!(outcomes, [AttemptOutcome::Failed(Failure::BadRequest(400))]);
    assert_eq!(net.bodies().len(), 2);
}

/// Whatever the protocol, and whatever the address looks like.
#[tokio::test]
async fn a_local_endpoint_is_never_called_through_a_proxy() {
    for &protocol in Protocol::ALL.iter().filter(|&&protocol| protocol != Protocol::Echo) {
        for (place, via) in [(Place::Local, Via::Direct), (Place::Cloud, Via::Proxy)] {
            let net = Net::new(&[]);
            let called = endpoint(protocol, "https://api.example.com/v1/m");
            let failed = ask(&router(&net, Endpoint { place, ..called })).await;
            assert!(failed.is_err());
            let asked = net.asked.lock().unwrap();
            assert!(!asked.is_empty() && asked.iter().all(|call| call.via == via), "{protocol:?}, {place:?}");
        }
    }
}

struct Role;

#[async_trait]
impl Signer for Role {
    async fn sign(&self, request: OutRequest) -> OutRequest {
        request.with_secret_header(header::AUTHORIZATION, "signed")
    }
}

#[tokio::test]
async fn only_a_call_of_bedrock_without_a_key_is_signed() {
    let bedrock = || endpoint(Protocol::Converse, "https://h/model/m/converse-stream");
    let keyed = |endpoint| Endpoint { key: Some("key".into()), ..endpoint };
    for (endpoint, authorization) in
        [(bedrock(), Some("signed")), (keyed(bedrock()), Some("Bearer key")), (chat(), None)]
    {
        let net = Net::new(&[(404, "{}")]);
        let failed = ask(&router(&net, endpoint).signed(Arc::new(Role))).await;
        assert!(failed.is_err());
        let asked = net.asked.lock().unwrap();
        let sent = asked[0].headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap());
        assert_eq!(sent, authorization);
    }
}

/// The instruction of a prompt whose memory begins with the model's words, in every protocol that has a place for it.
#[tokio::test]
async fn who_does_not_know_the_role_system_is_told_before_the_first_question_from_then_on() {
    let refuses =
        r#"{"object":"error","message":"System role not supported","type":"BadRequestError","code":400}"#;
    let jinja = r#"{"error":{"code":500,"message":"Jinja Exception: System role not supported","type":"server_error"}}"#;
    for (status, refusal) in [(400, refuses), (500, jinja)] {
        let net = Net::new(&[(status, refusal), (200, ANSWERS), (200, ANSWERS)]);
        let router = router(&net, chat());
        let mut prompt = Prompt::question("hi");
        prompt.system = Some("be kind".to_owned());
        let context = Context::default();
        for _ in 0..2 {
            let answer = router.ask(&Ask::whole(&prompt, &context, Duration::from_secs(60))).await.unwrap();
            assert_eq!(answer.attempts.len(), 1, "what is learned is no failed attempt");
        }
        let roles = |body: &Value| {
            let messages = body["messages"].as_array().unwrap();
            messages.iter().map(|message| message["role"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let bodies = net.bodies();
        assert_eq!(
            bodies.iter().map(roles).collect::<Vec<_>>(),
            [vec!["system", "user"], vec!["user"], vec!["user"]]
        );
        assert_eq!(bodies[2]["messages"][0]["content"], "be kind\n\nhi");
    }
}

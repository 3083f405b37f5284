//! The gateway: other programs ask along the company's route, as they would ask OpenAI's chat completions.
//!
//! There is one only where a token is configured, and every call must show one. Nothing is remembered here: a program
//! sends its whole conversation each time.
//!
//! # Layout
//!
//! - this file: the routes
//! - [`tokens`]: which program asks
//! - [`body`]: what it sends, as bytes; [`request`]: read; [`question`]: what that asks of the router
//! - [`stream`]: an answer that goes out as it comes; [`gather`]: its chunks together; [`wire`]: answers as bytes
//! - [`mod@refusal`]: what it is told instead of an answer
//! - [`books`]: what is written down of it; [`purse`]: what it may spend

mod body;
mod books;
mod gather;
pub(crate) mod purse;
mod question;
mod refusal;
mod request;
mod stream;
pub(crate) mod tokens;
mod wire;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::{
    Json, Router as Routes,
    body::Body,
    extract::{Path, Request as HttpRequest, State},
    response::{IntoResponse as _, Response},
    routing::{any, get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chat::Entropy;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use routing::{Ask, Endpoint, LiveRouter, Meter, NoAnswer, Nobody, Route, Router, Strategy};
use serde_json::{Value, json};
use settings::GatewayToken;

use self::{
    books::Books,
    purse::Purse,
    question::{AUTO, Question},
    refusal::Refusal,
    request::Request,
    stream::Coming,
    tokens::Tokens,
    wire::Head,
};
use crate::unread;

/// Names the endpoint that answered.
const ENDPOINT: HeaderName = HeaderName::from_static("x-magpie-endpoint");

/// Who owns a model, in the list: what stands behind a name is the operator's affair.
const OWNER: &str = "magpie";

/// What the gateway needs.
#[derive(Clone)]
pub(crate) struct Gateway {
    tokens: Arc<Tokens>,
    router: Arc<LiveRouter>,
    purse: Purse,
    entropy: Arc<dyn Entropy>,
    /// How long all attempts for one question may take.
    budget: Duration,
    /// By which strategies a question may be routed.
    strategies: Arc<[Strategy]>,
    /// When it was started, in seconds since the epoch: what stands for the age of a model.
    since: i64,
}

impl Gateway {
    /// A gateway for the programs with these tokens.
    pub(crate) fn new(
        tokens: &[GatewayToken],
        router: Arc<LiveRouter>,
        route: &Route,
        purse: Purse,
        entropy: Arc<dyn Entropy>,
        budget: Duration,
    ) -> Self {
        let since = purse.clock.now().as_seconds();
        let of_rules = route.rules.iter().filter_map(|rule| rule.then.strategy);
        let strategies = of_rules.chain([route.strategy]).collect();
        Self { tokens: Arc::new(Tokens::new(tokens)), router, purse, entropy, budget, strategies, since }
    }

    pub(crate) fn routes(self) -> Routes {
        Routes::new()
            .route("/v1/chat/completions", post(chat_completions))
            .route("/v1/models", get(models))
            .route("/v1/models/{*model}", get(model))
            .route("/v1/{*other}", any(unknown))
            .with_state(self)
    }

    fn program(&self, headers: &HeaderMap) -> Result<&str, Refusal> {
        self.tokens.program(headers).ok_or_else(Refusal::no_token)
    }

    fn head(&self) -> Head {
        let mut id = [0; 15];
        self.entropy.fill(&mut id);
        Head {
            id: format!("chatcmpl-{}", URL_SAFE_NO_PAD.encode(id)),
            created: self.purse.clock.now().as_seconds(),
        }
    }

    async fn whole(&self, question: Question, mut books: Books) -> Result<Response, Refusal> {
        let head = self.head();
        let meter = Meter::new(&question.prompt, books.noting(Nobody));
        books.watch(meter.count());
        let ask = Ask { listener: &meter, ..Ask::whole(&question.prompt, &question.context, self.budget) };
        let router = self.router.current();
        let result = router.ask(&ask).await;
        books.close(&result).await;
        let answer = result.map_err(|no_answer| refusal(&router, &no_answer, &ask))?;
        let headers = headers("application/json", &answer.endpoint);
        Ok((headers, wire::whole(&head, &answer)).into_response())
    }

    async fn streamed(&self, question: Question, books: Books) -> Result<Response, Refusal> {
        let question = Arc::new(question);
        let asked = Arc::clone(&question);
        let router = self.router.current();
        let coming = Coming::new(Arc::clone(&router), asked, self.budget, self.head(), books);
        let coming = coming.begin().await.map_err(|no_answer| {
            refusal(&router, &no_answer, &Ask::whole(&question.prompt, &question.context, self.budget))
        })?;
        let mut headers = headers("text/event-stream", &coming.endpoint());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        Ok((headers, Body::from_stream(coming)).into_response())
    }

    /// The names of endpoints and their models, as far as the route's strategy or that of a rule lets anybody ask them.
    fn models<'r>(&'r self, router: &'r Router) -> impl Iterator<Item = &'r str> {
        let may_be_asked = |endpoint: &&Endpoint| {
            endpoint.bots.is_none() && self.strategies.iter().any(|one| one.allows(endpoint.place))
        };
        let endpoints = router.endpoints().iter().filter(may_be_asked);
        let names = endpoints.flat_map(|endpoint| [endpoint.name.as_str(), endpoint.model.as_str()]);
        names.filter(|name| !name.is_empty())
    }
}

fn refusal(router: &Router, no_answer: &NoAnswer, ask: &Ask<'_>) -> Refusal {
    let left_out: Vec<_> = router.plan(ask).left_out.into_iter().map(|(_, why)| why).collect();
    Refusal::no_answer(no_answer, &left_out)
}

fn headers(kind: &'static str, endpoint: &str) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(3);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(endpoint) = HeaderValue::from_str(endpoint) {
        headers.insert(ENDPOINT, endpoint);
    }
    headers
}

async fn chat_completions(State(gateway): State<Gateway>, request: HttpRequest) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let program = match gateway.program(&parts.headers) {
        Ok(program) => program,
        Err(refusal) => {
            unread::pour_away(&parts.headers, body).await;
            return Err(refusal);
        }
    };
    let body = body::read(&parts.headers, body).await?;
    let mut question = Question::new(Request::read(&body)?, program)?;
    drop(body);
    let router = gateway.router.current();
    if !router.has_model() {
        return Err(Refusal::no_model());
    }
    if let Some(model) = &question.context.model
        && !gateway.models(&router).any(|name| name == model)
    {
        return Err(Refusal::unknown_model(model));
    }
    gateway.purse.allow(program, &mut question.context).await?;
    let books = Books::open(program, gateway.purse.clone());
    if question.stream {
        gateway.streamed(question, books).await
    } else {
        gateway.whole(question, books).await
    }
}

async fn models(State(gateway): State<Gateway>, headers: HeaderMap) -> Result<Json<Value>, Refusal> {
    gateway.program(&headers)?;
    let router = gateway.router.current();
    let models: BTreeSet<_> = gateway.models(&router).collect();
    let names = AUTO.into_iter().take(1).chain(models);
    let list: Vec<_> = names.map(|name| described(name, gateway.since)).collect();
    Ok(Json(json!({ "object": "list", "data": list })))
}

async fn model(
    State(gateway): State<Gateway>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    gateway.program(&headers)?;
    let router = gateway.router.current();
    if !AUTO.contains(&name.as_str()) && !gateway.models(&router).any(|known| known == name) {
        return Err(Refusal::unknown_model(&name));
    }
    Ok(Json(described(&name, gateway.since)))
}

fn described(name: &str, since: i64) -> Value {
    json!({ "id": name, "object": "model", "created": since, "owned_by": OWNER })
}

async fn unknown(State(gateway): State<Gateway>, headers: HeaderMap, body: Body) -> Refusal {
    unread::pour_away(&headers, body).await;
    gateway.program(&headers).err().unwrap_or_else(Refusal::unknown_url)
}

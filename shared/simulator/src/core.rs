//! The state behind every route, and the one way a call takes through it.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    extract::{RawPathParams, Request},
    response::Response,
    routing::{MethodFilter, on},
};
use bytes::Bytes;
use chat::{Clock, Entropy, Timestamp};
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;
use tokio::sync::broadcast;

use crate::{Call, Fault, Sent, Target, answer::Answer, bounded::Latest, faults};

/// How much of what happened is remembered, of each kind.
const KEEP: usize = 4096;

/// How many entries a slow watcher may lag behind before it misses some.
const WATCH: usize = 1024;

/// Bytes of a request that are read. Above every platform's own limit, so that those are what a caller meets first.
const BODY_MAX: usize = 4 << 20;

/// Everything the simulator knows.
pub(crate) struct State {
    pub(crate) feishu: crate::feishu::State,
    pub(crate) dingtalk: crate::dingtalk::State,
    pub(crate) sent: Latest<Sent>,
    pub(crate) calls: Latest<Call>,
    pub(crate) model_requests: Latest<Value>,
    pub(crate) scripts: HashMap<Target, VecDeque<Fault>>,
}

/// The state with its sources of time and chance.
pub(crate) struct Core {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    state: Mutex<State>,
    watch: broadcast::Sender<Sent>,
}

/// The state at one moment, locked.
pub(crate) struct World<'a> {
    pub(crate) now: Timestamp,
    pub(crate) entropy: &'a dyn Entropy,
    pub(crate) state: MutexGuard<'a, State>,
    watch: &'a broadcast::Sender<Sent>,
}

impl World<'_> {
    /// Lets people see something.
    pub(crate) fn show(&mut self, sent: Sent) {
        // Nobody watching is no error.
        let _ = self.watch.send(sent.clone());
        self.state.sent.push(sent);
    }
}

/// A request as the endpoints see it.
pub(crate) struct Incoming {
    pub(crate) path: String,
    /// The variable part of the path; empty when there is none.
    pub(crate) id: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Incoming {
    /// The first value of this name in the query, percent-decoded, where a plus is a space.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn bearer(&self) -> Option<&str> {
        self.header(header::AUTHORIZATION.as_str())?.strip_prefix("Bearer ")
    }

    /// The body when it is a JSON object.
    pub(crate) fn object(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok().filter(Value::is_object)
    }
}

/// One call of an API.
#[derive(Clone, Copy)]
pub(crate) struct Endpoint {
    pub(crate) target: Target,
    /// Whether the credentials are good, for the record; `serve` decides for itself.
    pub(crate) authorized: fn(&World<'_>, &Incoming) -> bool,
    /// Carries the call out. The fault is one that `faults::instead` left to it.
    pub(crate) serve: fn(&mut World<'_>, &Incoming, Option<&Fault>) -> Answer,
    /// Whether scripted faults apply.
    pub(crate) faulty: bool,
}

/// A path and what is there.
pub(crate) type Route = (MethodFilter, &'static str, Endpoint);

impl Core {
    pub(crate) fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let state = State {
            feishu: crate::feishu::State::new(),
            dingtalk: crate::dingtalk::State::new(),
            sent: Latest::new(KEEP),
            calls: Latest::new(KEEP),
            model_requests: Latest::new(KEEP / 4),
            scripts: HashMap::new(),
        };
        Self { clock, entropy, state: Mutex::new(state), watch: broadcast::channel(WATCH).0 }
    }

    /// Locks the state. Never held across an await: every endpoint is synchronous.
    pub(crate) fn world(&self) -> World<'_> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        World { now: self.clock.now(), entropy: &*self.entropy, state, watch: &self.watch }
    }

    pub(crate) fn watch(&self) -> broadcast::Receiver<Sent> {
        self.watch.subscribe()
    }

    /// Records the call and takes the fault that is due.
    fn begin(&self, endpoint: &Endpoint, incoming: &Incoming) -> Option<Fault> {
        let mut world = self.world();
        let authorized = (endpoint.authorized)(&world, incoming);
        let call = Call { target: endpoint.target, path: incoming.path.clone(), at: world.now, authorized };
        world.state.calls.push(call);
        if !endpoint.faulty {
            return None;
        }
        world.state.scripts.get_mut(&endpoint.target)?.pop_front()
    }

    async fn run(&self, endpoint: &Endpoint, incoming: &Incoming) -> Answer {
        let fault = self.begin(endpoint, incoming);
        if let Some(answer) = fault.as_ref().and_then(|fault| faults::instead(endpoint.target, fault)) {
            return answer;
        }
        if let Some(Fault::Hang(time)) = fault {
            tokio::time::sleep(time).await;
        }
        let answer = (endpoint.serve)(&mut self.world(), incoming, fault.as_ref());
        match fault {
            Some(Fault::AcceptThenLose) => Answer::lost(),
            Some(Fault::Cut) => answer.cut(),
            Some(Fault::Stall(time)) => answer.stall(time),
            _ => answer,
        }
    }
}

/// A router of these routes.
pub(crate) fn router(core: &Arc<Core>, routes: impl IntoIterator<Item = Route>) -> Router {
    routes.into_iter().fold(Router::new(), |router, (method, path, endpoint)| {
        let core = Arc::clone(core);
        let handler = move |params: RawPathParams, request: Request| {
            let core = Arc::clone(&core);
            async move { handle(&core, &endpoint, &params, request).await }
        };
        router.route(path, on(method, handler))
    })
}

async fn handle(core: &Core, endpoint: &Endpoint, params: &RawPathParams, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_MAX).await else {
        return Answer::page(StatusCode::PAYLOAD_TOO_LARGE.as_u16()).into_response();
    };
    let query = url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
    let incoming = Incoming {
        path: head.uri.path().to_owned(),
        id: params.iter().next().map(|(_, value)| value.to_owned()).unwrap_or_default(),
        query: query.into_owned().collect(),
        headers: head.headers,
        body,
    };
    core.run(endpoint, &incoming).await.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl Clock for Nothing {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(0)
        }
    }

    impl Entropy for Nothing {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    #[tokio::test]
    async fn memory_is_bounded() {
        let core = Core::new(Arc::new(Nothing), Arc::new(Nothing));
        let incoming = Incoming {
            path: "/v1/chat/completions".to_owned(),
            id: String::new(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Bytes::from_static(br#"{"messages":[{"role":"user","content":"hi"}]}"#),
        };
        let (_, _, endpoint) = crate::model::routes().remove(0);
        for _ in 0..=KEEP {
            core.run(&endpoint, &incoming).await;
        }
        let world = core.world();
        assert_eq!(world.state.calls.iter().count(), KEEP);
        assert_eq!(world.state.model_requests.iter().count(), KEEP / 4);
    }
}

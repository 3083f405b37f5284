//! What is looked at in the background once this process serves: whether each endpoint responds and knows its model, and
//! whether the platforms accept the bots' credentials.
//!
//! All of it is a warning and none of it keeps anything from starting: a server may start later, and a platform may be
//! away for a moment.

use std::{fmt, sync::Arc, time::Duration};

use chat::Clock;
use futures_util::{StreamExt as _, stream};
use http::StatusCode;
use platform::TokenError;
use routing::{Endpoint, Router};
use settings::{Bot, Bots};
use transport::{Limits, NetError, OutRequest, Transport, Via};

use crate::discover::{
    kind::ModelKind,
    listing::{self, Listed, Listing, NoListing, same},
    report::names,
};

/// What a list of models may take. Clouds need a second or two.
const LIST: Duration = Duration::from_secs(10);

/// What a platform's answer about a bot's credentials may take.
const LIMITS: Limits = Limits { total: Duration::from_secs(10), bytes: 64 * 1024 };

/// How many servers are asked at the same time.
const AT_ONCE: usize = 8;

/// How similar a listed name must be to be suggested, from 0 to 1.
const SIMILAR: f64 = 0.75;

/// What is wrong with an endpoint, as far as a look at its server's models tells.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Finding {
    /// It does not respond.
    Silent(NetError),
    /// It rejects the key.
    KeyRejected(StatusCode),
    /// It fails.
    Failing(StatusCode),
    /// It is asked for no model, and its server has these.
    NoModel(Vec<String>),
    /// It does not list its model; one that it lists may be meant.
    UnknownModel { has: Vec<String>, meant: Option<String> },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent(error) => write!(f, "the endpoint does not respond ({error})"),
            Self::KeyRejected(status) => {
                write!(
                    f,
                    "the endpoint answers {} to the list of its models: check its `key`",
                    status.as_u16()
                )
            }
            Self::Failing(status) => {
                write!(
                    f,
                    "the endpoint answers {} to the list of its models; it may still be starting",
                    status.as_u16()
                )
            }
            Self::NoModel(has) => write!(f, "the endpoint names no model; its server has {}", models(has)),
            Self::UnknownModel { has, meant } => {
                write!(f, "the endpoint's server does not list its model; it has {}", models(has))?;
                match meant {
                    Some(meant) => write!(f, "; `{meant}`, if that is what you meant"),
                    None => Ok(()),
                }
            }
        }
    }
}

fn models(has: &[String]) -> String {
    if has.is_empty() { "no models".to_owned() } else { names(has) }
}

/// Looks at all endpoints and all bots, and logs what is wrong.
pub(crate) async fn look(
    router: Arc<Router>,
    bots: Arc<Bots>,
    is_demo: impl Fn(&str) -> bool,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
) {
    let transport = &*transport;
    let endpoints = router.endpoints().iter().filter(|endpoint| endpoint.bots.is_none());
    stream::iter(endpoints)
        .for_each_concurrent(AT_ONCE, |endpoint| async move {
            if let Some(finding) = look_at_endpoint(transport, endpoint).await {
                tracing::warn!(endpoint = endpoint.name, model = endpoint.model, "{finding}");
            }
        })
        .await;
    for (platform, name) in bots.list().into_iter().filter(|(_, name)| !is_demo(name.as_str())) {
        if let Some(bot) = bots.find(platform.as_str(), name.as_str(), clock.now()).await
            && let Some(finding) = look_at_bot(transport, &bot).await
        {
            tracing::warn!(%platform, bot = %name, "{finding}");
        }
    }
}

async fn look_at_endpoint(transport: &dyn Transport, endpoint: &Endpoint) -> Option<Finding> {
    let listing = listing::list(transport, endpoint, LIST).await;
    if listing != Err(NoListing::Unlisted) {
        return judge(endpoint, listing);
    }
    // Whether it responds can be seen without a list: any answer will do.
    let mut origin = endpoint.url.clone();
    origin.set_path("/");
    origin.set_query(None);
    let limits = Limits { total: LIST, ..LIMITS };
    transport.call(OutRequest::get(origin).via(endpoint.place.via()), limits).await.err().and_then(silent)
}

/// A connection that could be made is a server that responds, whatever became of its answer.
fn silent(error: NetError) -> Option<Finding> {
    (error != NetError::TooLarge).then_some(Finding::Silent(error))
}

/// What a list of models, or its absence, says about an endpoint. A server without a list, or with one that cannot be
/// read or is not whole, proves nothing.
fn judge(endpoint: &Endpoint, listing: Result<Listing, NoListing>) -> Option<Finding> {
    let listing = match listing {
        Ok(listing) => listing,
        Err(NoListing::Net(error)) => return silent(error),
        Err(NoListing::Status(status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN))) => {
            return Some(Finding::KeyRejected(status));
        }
        Err(NoListing::Status(StatusCode::NOT_IMPLEMENTED)) => return None,
        Err(NoListing::Status(status)) if status.is_server_error() => return Some(Finding::Failing(status)),
        Err(NoListing::Status(_) | NoListing::Unreadable | NoListing::Unlisted) => return None,
    };
    let has = || listing.models.iter().map(|model| model.id.clone()).collect::<Vec<_>>();
    if endpoint.model.is_empty() {
        return Some(Finding::NoModel(has()));
    }
    let is_listed = listing.models.iter().any(|model| same(&model.id, &endpoint.model));
    // llama.cpp's server of one model answers with it, whatever it is asked for.
    let takes_any = listing.owner.as_deref() == Some("llamacpp") && listing.models.len() == 1;
    if is_listed || takes_any || listing.is_partial {
        return None;
    }
    Some(Finding::UnknownModel { has: has(), meant: meant(&endpoint.model, &listing.models) })
}

/// The listed chat model whose name is like this one.
fn meant(model: &str, listed: &[Listed]) -> Option<String> {
    let lower = model.to_lowercase();
    let likeness = |other: &Listed| {
        let other = other.id.to_lowercase();
        let is_part = other.starts_with(&lower) || other.rsplit('/').next() == Some(&lower);
        if is_part { 1.0 } else { strsim::jaro_winkler(&other, &lower) }
    };
    let chat = listed.iter().filter(|other| other.kind == ModelKind::Chat);
    let (likeness, best) =
        chat.map(|other| (likeness(other), other)).max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (likeness >= SIMILAR).then(|| best.id.clone())
}

/// What is wrong with a bot's credentials, as far as its platform says.
async fn look_at_bot(transport: &dyn Transport, bot: &Bot) -> Option<String> {
    let keys = &bot.settings.keys;
    match transport.call(bot.platform.token_request().via(Via::Proxy), LIMITS).await {
        Ok(answer) => match bot.platform.token_answer(&answer) {
            Ok(_) => None,
            Err(error @ TokenError::Refused(_)) => Some(format!(
                "{error}: no answer can be sent until the keys in `{keys}` are those of the app"
            )),
            Err(error @ TokenError::Unavailable(_)) => {
                Some(format!("{error}: whether it accepts the keys in `{keys}` is not known"))
            }
        },
        Err(error) => Some(format!(
            "the platform's API cannot be reached ({error}): no answer can be sent until it can"
        )),
    }
}

#[cfg(test)]
mod tests {
    use routing::{Place, Protocol};
    use serde_json::json;

    use super::*;

    fn endpoint(model: &str) -> Endpoint {
        let url = "http://localhost:8000/v1/chat/completions".parse().unwrap();
        Endpoint::new("office", Place::Local, url, Protocol::ChatCompletions, model)
    }

    fn listing(owner: &str, ids: &[&str]) -> Result<Listing, NoListing> {
        let data: Vec<_> =
            ids.iter().map(|id| json!({ "id": id, "object": "model", "owned_by": owner })).collect();
        Ok(listing::read(&json!({ "object": "list", "data": data })).unwrap())
    }

    fn told(model: &str, listing: Result<Listing, NoListing>) -> Option<String> {
        judge(&endpoint(model), listing).map(|finding| finding.to_string())
    }

    #[test]
    fn an_endpoint_that_does_not_know_its_model_is_told_with_those_it_has() {
        let has = "the endpoint's server does not list its model; it has";
        for (model, ids, said) in [
            (
                "qwen3-32b",
                &["Qwen/Qwen3-32B", "bge-m3"][..],
                Some("Qwen/Qwen3-32B, bge-m3; `Qwen/Qwen3-32B`, if that is what you meant"),
            ),
            ("qwen3-23b", &["qwen3-32b"], Some("qwen3-32b; `qwen3-32b`, if that is what you meant")),
            ("gpt-4o", &["llama3.2:latest"], Some("llama3.2:latest")),
            ("m", &[], Some("no models")),
            ("qwen3", &["qwen3:latest"], None),
            ("Qwen3-32B", &["qwen3-32b"], None),
        ] {
            assert_eq!(told(model, listing("x", ids)), said.map(|said| format!("{has} {said}")), "{model}");
        }
        let said = told("", listing("x", &["a", "b"])).unwrap();
        assert_eq!(said, "the endpoint names no model; its server has a, b");
    }

    #[test]
    fn what_proves_nothing_is_not_told() {
        for listing in [
            Err(NoListing::Status(StatusCode::NOT_FOUND)),
            Err(NoListing::Status(StatusCode::METHOD_NOT_ALLOWED)),
            Err(NoListing::Status(StatusCode::FOUND)),
            Err(NoListing::Status(StatusCode::NOT_IMPLEMENTED)),
            Err(NoListing::Unreadable),
            Err(NoListing::Net(NetError::TooLarge)),
            listing("llamacpp", &["/models/qwen3.gguf"]),
            Ok(Listing { is_partial: true, ..listing("x", &["a"]).unwrap() }),
        ] {
            assert_eq!(told("m", listing.clone()), None, "{listing:?}");
        }
    }

    #[test]
    fn an_endpoint_that_does_not_respond_or_rejects_the_key_is_told() {
        for (listing, said) in [
            (
                Err(NoListing::Net(NetError::Unreachable)),
                "the endpoint does not respond (the connection could not be made)",
            ),
            (
                Err(NoListing::Status(StatusCode::UNAUTHORIZED)),
                "the endpoint answers 401 to the list of its models: check its `key`",
            ),
            (
                Err(NoListing::Status(StatusCode::SERVICE_UNAVAILABLE)),
                "the endpoint answers 503 to the list of its models; it may still be starting",
            ),
        ] {
            assert_eq!(told("m", listing).as_deref(), Some(said));
        }
    }
}

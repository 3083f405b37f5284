//! API Gateway's event to a [`RawRequest`] and back.

use std::sync::Arc;

use bytes::Bytes;
use host::{SystemClock, SystemEntropy};
use lambda_http::{Body, Error, Request, RequestExt as _, Response, service_fn};
use platform::{HookAnswer, Kind, RawRequest};
use receive::Receiver;
use settings::{Environment as _, ProcessEnvironment};
use store_dynamodb::{DynamoStore, SqsQueue};
use telemetry::LogObserver;

use crate::start::{QUEUE_URL, Start, TABLE};

/// Serves the webhooks of one platform until Lambda ends the process.
///
/// # Errors
///
/// What kept the function from starting; Lambda logs it and the platform delivers the event again.
pub fn serve_webhook(service: &'static str, kind: Kind) -> anyhow::Result<()> {
    telemetry::log::init_function(service, ProcessEnvironment.get("MAGPIE_LOG").as_deref());
    // One event at a time is all that Lambda gives a process: one thread starts sooner than a pool of them.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let receiver = Arc::new(receiver(kind).await?);
        lambda_http::run(service_fn(|request: Request| handle(Arc::clone(&receiver), request)))
            .await
            .map_err(|error| anyhow::anyhow!(error))
    })
}

async fn receiver(kind: Kind) -> anyhow::Result<Receiver> {
    let start = Start::new(&[kind]).await?;
    let queue = SqsQueue::new(start.sqs(), start.require(QUEUE_URL)?);
    let store = DynamoStore::new(start.dynamodb(), start.require(TABLE)?);
    Ok(Receiver {
        bots: Arc::clone(&start.bots),
        queue: Arc::new(queue),
        signals: Arc::new(store),
        vault: Arc::clone(&start.vault),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        observer: Arc::new(LogObserver),
        unknown: receive::UnknownBots::default(),
    })
}

async fn handle(receiver: Arc<Receiver>, request: Request) -> Result<Response<Body>, Error> {
    let path = request.raw_http_path().to_owned();
    let answer = match address(&path) {
        Some((platform, bot)) => receiver.receive(platform, bot, raw(request)).await,
        None => HookAnswer::empty(http::StatusCode::NOT_FOUND),
    };
    let mut response = Response::builder().status(answer.status);
    if !answer.body.is_empty() {
        response = response.header(http::header::CONTENT_TYPE, "application/json; charset=utf-8");
    }
    Ok(response.body(Body::Text(answer.body))?)
}

/// Platform and bot of `/webhook/{platform}/{bot}`, behind whatever stage name the gateway puts first.
fn address(path: &str) -> Option<(&str, &str)> {
    let (_, rest) = path.split_once("/webhook/")?;
    rest.split_once('/')
        .filter(|(platform, bot)| !platform.is_empty() && !bot.is_empty() && !bot.contains('/'))
}

/// The request as it arrived at the gateway: `lambda_http` has undone the gateway's Base64 already.
fn raw(request: Request) -> RawRequest {
    let query = request
        .query_string_parameters()
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let (parts, body) = request.into_parts();
    let body = match body {
        Body::Empty => Bytes::new(),
        Body::Text(text) => Bytes::from(text),
        Body::Binary(bytes) => Bytes::from(bytes),
        other => Bytes::copy_from_slice(other.as_ref()),
    };
    RawRequest { headers: parts.headers, query, body }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_exactly_platform_and_bot() {
        assert_eq!(address("/webhook/feishu/helpdesk"), Some(("feishu", "helpdesk")));
        assert_eq!(address("/prod/webhook/dingtalk/b"), Some(("dingtalk", "b")));
        for bad in ["/webhook/feishu", "/webhook/feishu/", "/webhook//b", "/webhook/a/b/c", "/hook/a/b", ""] {
            assert_eq!(address(bad), None, "{bad}");
        }
    }
}

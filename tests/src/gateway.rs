//! What API Gateway makes of a webhook, and a gateway that hands webhooks over HTTP to receiving functions.

use std::{collections::HashMap, sync::Arc};

use anyhow::Context as _;
use axum::{
    Router,
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::post,
};
use serde_json::{Map, Value, json};
use simulator::Served;

use crate::runtime::Bootstrap;

/// API Gateway's event for a webhook: HTTP API, payload 2.0.
#[must_use]
pub fn event(path: &str, query: &str, headers: &[(String, String)], body: &str) -> Value {
    let headers: Map<String, Value> =
        headers.iter().map(|(name, value)| (name.to_lowercase(), json!(value))).collect();
    let parameters: Map<String, Value> = url::form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (name.into_owned(), json!(value)))
        .collect();
    json!({
        "version": "2.0", "routeKey": "POST /webhook/{platform}/{bot}", "rawPath": path,
        "rawQueryString": query, "queryStringParameters": parameters, "headers": headers,
        "requestContext": {
            "accountId": "000000000000", "apiId": "api", "domainName": "api.example.com", "domainPrefix": "api",
            "http": { "method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "platform" },
            "requestId": "r1", "routeKey": "POST /webhook/{platform}/{bot}", "stage": "$default",
            "time": "22/Nov/2026:00:00:00 +0000", "timeEpoch": 1_795_305_600_000_i64
        },
        "body": body, "isBase64Encoded": false
    })
}

/// Receiving functions, by platform.
type Functions = Arc<HashMap<String, Bootstrap>>;

/// Serves `/webhook/{platform}/{bot}` with the function of each platform.
///
/// # Errors
///
/// When no port can be had.
pub async fn serve(functions: HashMap<String, Bootstrap>) -> anyhow::Result<Served> {
    let router =
        Router::new().route("/webhook/{platform}/{bot}", post(webhook)).with_state(Arc::new(functions));
    Ok(simulator::serve(router).await?)
}

async fn webhook(
    State(functions): State<Functions>,
    Path((platform, bot)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match pass(&functions, (&platform, &bot), query.as_deref().unwrap_or_default(), &headers, &body).await {
        Ok(answer) => answer,
        // As API Gateway answers when a function failed.
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn pass(
    functions: &Functions,
    (platform, bot): (&str, &str),
    query: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> anyhow::Result<Response> {
    let function = functions.get(platform).context("no such platform")?;
    let headers: Vec<_> = headers
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    let path = format!("/webhook/{platform}/{bot}");
    let answer = function.invoke(&event(&path, query, &headers, std::str::from_utf8(body)?)).await?;
    let status = answer["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
    let status = StatusCode::from_u16(status.context("an answer has a status")?)?;
    Ok((status, answer["body"].as_str().unwrap_or_default().to_owned()).into_response())
}

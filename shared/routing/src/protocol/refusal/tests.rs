use std::time::Duration;

use http::header;

use super::*;

pub(super) fn response(
    status: u16,
    headers: &[(header::HeaderName, &'static str)],
    body: &str,
) -> OutResponse {
    let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
    OutResponse { status: StatusCode::from_u16(status).unwrap(), headers, body: body.to_owned().into() }
}

/// What the row is about, the status, the body as the server writes it, what it means.
type Row = (&'static str, u16, &'static str, Failure);

fn check(table: &[Row]) {
    for &(what, status, body, failure) in table {
        assert!(serde_json::from_str::<Value>(body).is_ok(), "{what}");
        assert_eq!(of_response(&response(status, &[], body)).failure, failure, "{what}");
    }
}

const LIMITED: Failure = Failure::RateLimited { retry_after: None };

const OPENAI_AND_AZURE: &[Row] = &[
    (
        "length by code",
        400,
        r#"{"error":{"message":"too many","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
        Failure::ContextTooLong,
    ),
    (
        "length by words",
        400,
        r#"{"error":{"message":"This model's maximum context length is 8192 tokens.","type":"invalid_request_error","code":null}}"#,
        Failure::ContextTooLong,
    ),
    (
        "policy",
        400,
        r#"{"error":{"message":"rejected","type":"invalid_request_error","code":"content_policy_violation"}}"#,
        Failure::ContentFiltered,
    ),
    (
        "Azure's policy",
        400,
        r#"{"error":{"message":"The response was filtered","param":"prompt","code":"content_filter","innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
        Failure::ContentFiltered,
    ),
    (
        "Azure's inner code alone",
        400,
        r#"{"error":{"code":"BadRequest","innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
        Failure::ContentFiltered,
    ),
    (
        "key",
        401,
        r#"{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","code":"invalid_api_key"}}"#,
        Failure::Auth(401),
    ),
    (
        "region",
        403,
        r#"{"error":{"message":"Country not supported","type":"request_forbidden","code":null}}"#,
        Failure::Auth(403),
    ),
    (
        "quota",
        429,
        r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#,
        LIMITED,
    ),
    (
        "model",
        404,
        r#"{"error":{"message":"The model does not exist","type":"invalid_request_error","code":"model_not_found"}}"#,
        Failure::BadRequest(404),
    ),
    (
        "failing",
        500,
        r#"{"error":{"message":"The server had an error","type":"server_error","code":null}}"#,
        Failure::Server(500),
    ),
    ("a code that 429 outranks", 429, r#"{"error":{"code":"content_filter"}}"#, LIMITED),
    ("a code that 401 outranks", 401, r#"{"error":{"code":"context_length_exceeded"}}"#, Failure::Auth(401)),
];

#[test]
fn refusals_of_openai_and_azure_are_told_apart() {
    check(OPENAI_AND_AZURE);
}

const LOCAL_SERVERS: &[Row] = &[
    (
        "vLLM, older",
        400,
        r#"{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000.","type":"BadRequestError","param":null,"code":400}"#,
        Failure::ContextTooLong,
    ),
    (
        "vLLM, newer",
        400,
        r#"{"error":{"message":"The decoder prompt (length 5000) is longer than the maximum model length of 4096.","type":"BadRequestError","param":null,"code":400}}"#,
        Failure::ContextTooLong,
    ),
    (
        "vLLM, else",
        400,
        r#"{"object":"error","message":"temperature must be non-negative","type":"BadRequestError","param":null,"code":400}"#,
        Failure::BadRequest(400),
    ),
    (
        "llama.cpp by type",
        400,
        r#"{"error":{"code":400,"message":"too long","type":"exceed_context_size_error","n_prompt_tokens":5000,"n_ctx":4096}}"#,
        Failure::ContextTooLong,
    ),
    (
        "llama.cpp by words",
        400,
        r#"{"error":{"code":400,"message":"the request exceeds the available context size. try increasing it","type":"invalid_request_error"}}"#,
        Failure::ContextTooLong,
    ),
    (
        "llama.cpp amid an answer",
        500,
        r#"{"error":{"code":500,"message":"Context size has been exceeded.","type":"server_error"}}"#,
        Failure::ContextTooLong,
    ),
    (
        "llama.cpp, loading",
        503,
        r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#,
        Failure::Starting,
    ),
    (
        "Ollama, model",
        404,
        r#"{"error":{"message":"model \"x\" not found, try pulling it first","type":"not_found_error","param":null,"code":null}}"#,
        Failure::BadRequest(404),
    ),
    ("Ollama, native", 500, r#"{"error":"llama runner process has terminated"}"#, Failure::Server(500)),
    (
        "LM Studio",
        400,
        r#"{"error":"Trying to keep the first 5000 tokens. However, the model is loaded with context length of only 4096 tokens."}"#,
        Failure::ContextTooLong,
    ),
];

#[test]
fn refusals_of_local_servers_are_told_apart() {
    check(LOCAL_SERVERS);
}

const OTHER_CLOUDS: &[Row] = &[
    (
        "Alibaba, policy",
        400,
        r#"{"error":{"code":"data_inspection_failed","message":"may contain inappropriate content","type":"data_inspection_failed"}}"#,
        Failure::ContentFiltered,
    ),
    (
        "Alibaba, length",
        400,
        r#"{"error":{"code":"invalid_parameter_error","message":"<400> Range of input length should be [1, 30720]","type":"invalid_request_error"}}"#,
        Failure::ContextTooLong,
    ),
    ("Zhipu, policy", 400, r#"{"error":{"code":"1301","message":"…"}}"#, Failure::ContentFiltered),
    (
        "Volcengine, policy",
        400,
        r#"{"error":{"code":"InputTextSensitiveContentDetected","message":"","type":"BadRequest"}}"#,
        Failure::ContentFiltered,
    ),
    ("words alone", 400, r#"{"error":"Input is too long"}"#, Failure::ContextTooLong),
    (
        "a policy behind 403",
        403,
        r#"{"error":{"type":"content_filter","message":"no"}}"#,
        Failure::ContentFiltered,
    ),
];

#[test]
fn refusals_of_other_clouds_are_told_apart() {
    check(OTHER_CLOUDS);
}

#[test]
fn without_a_body_the_status_speaks() {
    for (status, failure) in [
        (301, Failure::BadRequest(301)),
        (402, Failure::Auth(402)),
        (408, Failure::Timeout),
        (424, Failure::Server(424)),
        (400, Failure::BadRequest(400)),
        (401, Failure::Auth(401)),
        (403, Failure::Auth(403)),
        (404, Failure::BadRequest(404)),
        (413, Failure::ContextTooLong),
        (429, Failure::RateLimited { retry_after: None }),
        (500, Failure::Server(500)),
        (502, Failure::Server(502)),
        (529, Failure::Server(529)),
    ] {
        for body in ["", "<html>maximum context length</html>", "[1", "null", "[]"] {
            assert_eq!(of_response(&response(status, &[], body)).failure, failure, "{status} {body:?}");
        }
    }
}

#[test]
fn retry_after_is_seconds_or_a_date_against_the_servers_own_clock() {
    const NOW: (header::HeaderName, &str) = (header::DATE, "Sun, 22 Nov 2026 08:00:00 GMT");
    let after = |value| (header::RETRY_AFTER, value);
    for (headers, seconds) in [
        (vec![after("2")], Some(2)),
        (vec![after(" 20 ")], Some(20)),
        (vec![after("0")], Some(0)),
        (vec![after("-1")], None),
        (vec![after("1")], Some(1)),
        (vec![after("soon")], None),
        (vec![NOW, after("Sun, 22 Nov 2026 08:01:30 GMT")], Some(90)),
        (vec![NOW, after("Sun, 22 Nov 2026 07:59:00 GMT")], Some(0)),
        (vec![after("Sun, 22 Nov 2026 08:01:30 GMT")], None),
        (vec![NOW], None),
    ] {
        let expected = Failure::RateLimited { retry_after: seconds.map(Duration::from_secs) };
        assert_eq!(of_response(&response(429, &headers, "")).failure, expected, "{headers:?}");
    }
}

const ANTHROPIC: &[Row] = &[
    (
        "length",
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"},"request_id":"req_1"}"#,
        Failure::ContextTooLong,
    ),
    (
        "length with the answer's limit",
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000"}}"#,
        Failure::ContextTooLong,
    ),
    (
        "policy",
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"Output blocked by content filtering policy"}}"#,
        Failure::ContentFiltered,
    ),
    (
        "else",
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: field required"}}"#,
        Failure::BadRequest(400),
    ),
    (
        "key",
        401,
        r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#,
        Failure::Auth(401),
    ),
    (
        "money",
        402,
        r#"{"type":"error","error":{"type":"billing_error","message":"credit balance"}}"#,
        Failure::Auth(402),
    ),
    (
        "size",
        413,
        r#"{"type":"error","error":{"type":"request_too_large","message":"Request exceeds the maximum size"}}"#,
        Failure::ContextTooLong,
    ),
    ("rate", 429, r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}"#, LIMITED),
    (
        "overloaded",
        529,
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
        Failure::Server(529),
    ),
];

#[test]
fn refusals_of_anthropic_are_told_apart() {
    check(ANTHROPIC);
}

const GOOGLE: &[Row] = &[
    (
        "key",
        400,
        r#"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}}"#,
        Failure::Auth(400),
    ),
    (
        "length, in a list",
        400,
        r#"[{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}]"#,
        Failure::ContextTooLong,
    ),
    (
        "quota",
        429,
        r#"{"error":{"code":429,"message":"You exceeded your current quota","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.5s"}]}}"#,
        Failure::RateLimited { retry_after: Some(Duration::from_millis(34_500)) },
    ),
    (
        "overloaded",
        503,
        r#"{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#,
        Failure::Server(503),
    ),
    (
        "model",
        404,
        r#"{"error":{"code":404,"message":"models/x is not found","status":"NOT_FOUND"}}"#,
        Failure::BadRequest(404),
    ),
];

#[test]
fn refusals_of_google_are_told_apart() {
    check(GOOGLE);
}

const AMAZON: &[Row] = &[
    ("length", 400, r#"{"message":"Input is too long for requested model."}"#, Failure::ContextTooLong),
    (
        "length, by the model",
        400,
        r#"{"message":"The model returned the following errors: Too many input tokens. Max input tokens: 8192"}"#,
        Failure::ContextTooLong,
    ),
    ("model", 400, r#"{"message":"The provided model identifier is invalid."}"#, Failure::BadRequest(400)),
    (
        "role",
        403,
        r#"{"Message":"User: arn:aws:sts::1:assumed-role/x is not authorized to perform: bedrock:InvokeModelWithResponseStream"}"#,
        Failure::Auth(403),
    ),
    ("time", 408, r#"{"message":"The request took too long to process."}"#, Failure::Timeout),
    (
        "a model that failed",
        424,
        r#"{"message":"The request failed due to an error while processing the model."}"#,
        Failure::Server(424),
    ),
    ("rate", 429, r#"{"message":"Too many requests, please wait before trying again."}"#, LIMITED),
];

#[test]
fn refusals_of_amazon_are_told_apart() {
    check(AMAZON);
}

#[test]
fn an_overloaded_server_that_says_for_how_long_is_left_alone_so_long() {
    let after = [(header::RETRY_AFTER, "7")];
    let limited = Failure::RateLimited { retry_after: Some(Duration::from_secs(7)) };
    for status in [429, 503, 529] {
        assert_eq!(of_response(&response(status, &after, "")).failure, limited, "{status}");
    }
    assert_eq!(of_response(&response(500, &after, "")).failure, Failure::Server(500));
}

/// Under a good status or in the middle of a stream, what an error calls itself stands for the status.
#[test]
fn errors_in_streams_are_told_apart_by_their_kind() {
    for (error, failure) in [
        (r#"{"error":{"type":"overloaded_error"}}"#, Failure::Server(529)),
        (r#"{"error":{"type":"rate_limit_error"}}"#, LIMITED),
        (r#"{"error":{"type":"authentication_error"}}"#, Failure::Auth(401)),
        (r#"{"error":{"type":"invalid_request_error"}}"#, Failure::BadRequest(400)),
        (r#"{"error":{"code":"429","message":"slow"}}"#, LIMITED),
        (r#"{"error":{"code":502}}"#, Failure::Server(502)),
        (r#"{"error":{"code":7,"status":"UNAVAILABLE"}}"#, Failure::Server(503)),
        (r#"{"error":"out of memory"}"#, Failure::Server(200)),
        (r#"{"type":"error","code":"server_error","message":""}"#, Failure::Server(500)),
        (r#"{"response":{"error":{"code":"rate_limit_exceeded"}}}"#, LIMITED),
        (r#"{"error":null,"response":{"error":null}}"#, Failure::Server(200)),
        ("not JSON", Failure::Server(200)),
    ] {
        assert_eq!(told(error.as_bytes()).failure, failure, "{error}");
    }
}

use super::{
    super::{of_response, tests::response},
    *,
};
use crate::Failure;

/// What servers say of a prompt that is too long: the status, the body, and the window and prompt that it names.
type Figures = (&'static str, u16, &'static str, (Option<u32>, Option<u32>));

const OVERFLOWS: &[Figures] = &[
    (
        "vLLM",
        400,
        r#"{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4500 in the messages, 500 in the completion). Please reduce the length of the messages or completion.","type":"BadRequestError","code":400}"#,
        (Some(4096), Some(4500)),
    ),
    (
        "vLLM, newest",
        400,
        r#"{"error":{"message":"This model's maximum context length is 4096 tokens. However, you requested 500 output tokens and your prompt contains at least 3597 input tokens, for a total of at least 4097 tokens.","type":"BadRequestError","param":"input_tokens","code":400}}"#,
        (Some(4096), Some(3597)),
    ),
    (
        "vLLM, the decoder prompt",
        400,
        r#"{"error":{"message":"The decoder prompt (length 5000) is longer than the maximum model length of 4096.","type":"BadRequestError","code":400}}"#,
        (Some(4096), Some(5000)),
    ),
    (
        "OpenAI",
        400,
        r#"{"error":{"message":"This model's maximum context length is 128000 tokens. However, your messages resulted in 130,500 tokens.","code":"context_length_exceeded"}}"#,
        (Some(128_000), Some(130_500)),
    ),
    (
        "OpenAI's responses",
        400,
        r#"{"error":{"message":"Your input exceeds the context window of this model. Please adjust your input and try again.","type":"invalid_request_error","code":null}}"#,
        (None, None),
    ),
    (
        "llama.cpp",
        400,
        r#"{"error":{"code":400,"message":"request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":5000,"n_ctx":4096}}"#,
        (Some(4096), Some(5000)),
    ),
    (
        "LM Studio",
        400,
        r#"{"error":"Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens."}"#,
        (Some(4096), Some(5000)),
    ),
    (
        "LM Studio, newer",
        400,
        r#"{"error":"The number of tokens to keep from the initial prompt is greater than the context length. Try to load the model with a larger context length"}"#,
        (None, None),
    ),
    (
        "text-generation-inference",
        422,
        r#"{"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 `inputs` tokens and 500 `max_new_tokens`","error_type":"validation"}"#,
        (Some(4096), Some(4000)),
    ),
    (
        "text-generation-inference, the prompt alone",
        422,
        r#"{"error":{"message":"Input validation error: `inputs` must have less than 4095 tokens. Given: 5000","http_status_code":422}}"#,
        (Some(4095), Some(5000)),
    ),
    (
        "text-generation-inference behind a gateway",
        400,
        r#"{"message":"inputs tokens + max_new_tokens must be <= 2048"}"#,
        (None, None),
    ),
    (
        "SGLang",
        400,
        r#"{"object":"error","message":"Requested token count exceeds the model's maximum context length of 8192 tokens. You requested a total of 9000 tokens: 8500 tokens from the input messages and 500 tokens for the completion.","type":"BadRequestError","code":400}"#,
        (Some(8192), Some(8500)),
    ),
    (
        "MiniMax, under 200 where it is told",
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"invalid params, context window exceeds limit (2013)"}}"#,
        (None, None),
    ),
    (
        "Poolside",
        400,
        r#"{"error":{"message":"Input length 140000 exceeds the maximum allowed input length of 131072 tokens","type":"invalid_request_error"}}"#,
        (None, None),
    ),
    (
        "DeepInfra",
        400,
        r#"{"detail":{"error":"Requested input length 140000 exceeds maximum input length 131072"}}"#,
        (Some(131_072), Some(140_000)),
    ),
    (
        "FastAPI's form",
        422,
        r#"{"detail":[{"type":"value_error","loc":["body","messages"],"msg":"Value error, prompt is too long: 9000 tokens > 8192 maximum","input":"x"}]}"#,
        (Some(8192), Some(9000)),
    ),
    (
        "Groq, under 413",
        413,
        r#"{"error":{"message":"Request too large for model `llama` on tokens per minute (TPM): Limit 6000, Requested 10000, please reduce your message size and try again.","type":"tokens","code":"rate_limit_exceeded"}}"#,
        (None, None),
    ),
    ("a proxy", 413, r#""Payload Too Large""#, (None, None)),
    (
        "OpenRouter, with what the provider said",
        400,
        r#"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"error\":{\"message\":\"This endpoint's maximum context length is 32768 tokens. However, you requested about 42832 tokens (42000 of text input, 832 in the output).\"}}","provider_name":"P"}}}"#,
        (Some(32_768), Some(42_000)),
    ),
    (
        "Mistral",
        400,
        r#"{"object":"error","message":"Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length","type":"invalid_request_error","code":"3051"}"#,
        (Some(32_768), Some(40_000)),
    ),
    (
        "Anthropic, the sum",
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length"}}"#,
        (Some(200_000), Some(188_240)),
    ),
    (
        "Vertex AI",
        400,
        r#"{"error":{"code":400,"message":"Unable to submit request because the input token count is 32825 but model only supports up to 32768.","status":"INVALID_ARGUMENT"}}"#,
        (Some(32_768), Some(32_825)),
    ),
];

#[test]
fn an_overflow_is_known_by_its_wording_and_names_its_figures() {
    for &(what, status, body, (window, prompt)) in OVERFLOWS {
        assert!(serde_json::from_str::<Value>(body).is_ok(), "{what}");
        let error = of_response(&response(status, &[], body));
        assert_eq!(error.failure, Failure::ContextTooLong, "{what}");
        assert_eq!(error.status, Some(status), "{what}");
        if window.is_some() || prompt.is_some() {
            assert_eq!(error.overflow, Overflow { window, prompt }, "{what}");
        }
    }
}

/// Parameters have lengths and limits too.
#[test]
fn not_every_limit_is_an_overflow() {
    for body in [
        r#"{"error":{"message":"max_tokens is too large: 99999. This model supports at most 16384 completion tokens"}}"#,
        r#"{"error":{"message":"Rate limit: too many tokens per minute","code":"rate_limit_exceeded"}}"#,
        r#"{"detail":[{"type":"string_too_long","loc":["body","user"],"msg":"String should have at most 64 characters"}]}"#,
    ] {
        assert_eq!(of_response(&response(400, &[], body)).failure, Failure::BadRequest(400), "{body}");
    }
}

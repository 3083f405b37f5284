//! How servers say it, in lower case. Each with the server that says so.

/// Kinds that say: too long.
const TOO_LONG: [&str; 4] = [
    "context_length_exceeded",   // OpenAI and its clones
    "exceed_context_size_error", // llama.cpp
    "string_above_max_length",   // OpenAI
    "1261",                      // Zhipu
];

/// Words that say so where the kind does not.
const TOO_LONG_WORDS: [&str; 17] = [
    "maximum context length",            // vLLM, OpenAI, DeepSeek, Mistral
    "maximum model length", // vLLM: "the decoder prompt (length …) is longer than the maximum model length"
    "model's context length", // SGLang: "the input (… tokens) is longer than the model's context length"
    "exceeds the available context", // llama.cpp
    "context size has been exceeded", // llama.cpp, while it generates
    "context length of only", // LM Studio
    "exceeds the context length", // Ollama
    "exceeded max context length", // Ollama's cloud
    "range of input length should", // Alibaba Cloud Model Studio
    "input is too long",    // Amazon, several clouds
    "too many input tokens", // Amazon
    "prompt is too long",   // Anthropic: "prompt is too long: … tokens > … maximum"
    "exceed context limit", // Anthropic: "input length and `max_tokens` exceed context limit"
    "maximum number of tokens allowed", // Gemini: "the input token count (…) exceeds the …"
    "reduce the length of the messages", // Groq
    "maximum prompt length", // xAI
    "exceeded model token limit", // Moonshot
];

/// Kinds that say: the content policy refuses.
const FILTERED: [&str; 8] = [
    "content_filter",                 // OpenAI, Azure, Moonshot
    "content_policy_violation",       // OpenAI
    "image_content_policy_violation", // OpenAI's responses
    "invalid_prompt",                 // OpenAI's reasoning models
    "responsibleaipolicyviolation",   // Azure's inner code
    "data_inspection_failed",         // Alibaba Cloud Model Studio
    "datainspectionfailed",           // its older interface
    "1301",                           // Zhipu
];

/// Volcengine's codes for the same, which carry the side (input or output) and the kind around this word.
const FILTERED_PART: &str = "sensitivecontentdetected";

/// Words that say so where the kind does not.
const FILTERED_WORDS: [&str; 1] = [
    "blocked by content filtering policy", // Anthropic: "output blocked by content filtering policy"
];

/// Kinds that say: the key is wrong, under a status that says less.
const KEY: [&str; 1] = [
    "api_key_invalid", // Gemini, under 400
];

/// Kinds that come without their status, in streams, and the status under which they come else.
const STATUSES: [(&str, u16); 33] = [
    // Anthropic
    ("invalid_request_error", 400),
    ("authentication_error", 401),
    ("billing_error", 402),
    ("permission_error", 403),
    ("not_found_error", 404),
    ("request_too_large", 413),
    ("rate_limit_error", 429),
    ("api_error", 500),
    ("timeout_error", 504),
    ("overloaded_error", 529),
    // OpenAI
    ("rate_limit_exceeded", 429),
    ("insufficient_quota", 429),
    ("too_many_requests", 429),
    ("server_error", 500),
    ("internal_error", 500),
    ("internal_server_error", 500),
    ("invalid_api_key", 401),
    // Google
    ("invalid_argument", 400),
    ("failed_precondition", 400),
    ("unauthenticated", 401),
    ("permission_denied", 403),
    ("not_found", 404),
    ("resource_exhausted", 429),
    ("internal", 500),
    ("unavailable", 503),
    ("deadline_exceeded", 504),
    // Amazon
    ("validationexception", 400),
    ("accessdeniedexception", 403),
    ("modeltimeoutexception", 408),
    ("modelstreamerrorexception", 424),
    ("throttlingexception", 429),
    ("internalserverexception", 500),
    ("serviceunavailableexception", 503),
];

/// The status under which this kind of error comes where it has one.
pub(super) fn status(kind: &str) -> Option<u16> {
    STATUSES.iter().find(|(known, _)| *known == kind).map(|&(_, status)| status)
}

pub(super) fn is_length(kind: &str) -> bool {
    TOO_LONG.contains(&kind)
}

pub(super) fn says_too_long(words: &str) -> bool {
    TOO_LONG_WORDS.iter().any(|said| words.contains(said))
}

pub(super) fn is_filter(kind: &str) -> bool {
    FILTERED.contains(&kind) || kind.contains(FILTERED_PART)
}

pub(super) fn says_filtered(words: &str) -> bool {
    FILTERED_WORDS.iter().any(|said| words.contains(said))
}

pub(super) fn is_key(kind: &str) -> bool {
    KEY.contains(&kind)
}

//! How servers say it, in lower case. Each with the server that says so.

/// Kinds that say: too long.
const TOO_LONG: [&str; 8] = [
    "context_length_exceeded",          // OpenAI and its clones
    "exceed_context_size_error",        // llama.cpp
    "string_above_max_length",          // OpenAI
    "model_max_prompt_tokens_exceeded", // GitHub Copilot
    "model_context_window_exceeded",    // Zhipu's newer interface
    "request_too_large",                // Anthropic, under 413
    "1261",                             // Zhipu
    "336007",                           // Baidu Qianfan
];

/// Words that say so where the kind does not.
const TOO_LONG_WORDS: [&str; 47] = [
    "maximum context length",            // vLLM, OpenAI, DeepSeek, Mistral, OpenRouter
    "maximum model length", // vLLM: "the decoder prompt (length …) is longer than the maximum model length"
    "model's context length", // SGLang: "the input (… tokens) is longer than the model's context length"
    "max_model_len",        // vLLM, where it says so of the prompt
    "exceeds the available context", // llama.cpp
    "context size has been exceeded", // llama.cpp, while it generates
    "context shift is disabled", // llama.cpp, while it generates
    "context length of only", // LM Studio
    "greater than the context length", // LM Studio
    "exceeds the context length", // Ollama
    "exceeded max context length", // Ollama's cloud
    "input length exceeds", // Ollama
    "range of input length should", // Alibaba Cloud Model Studio
    "input is too long",    // Amazon, several clouds
    "input too long",       // several clouds
    "too many input tokens", // Amazon
    "prompt is too long",   // Anthropic: "prompt is too long: … tokens > … maximum"
    "prompt too long",      // Ollama's cloud
    "exceed context limit", // Anthropic: "input length and `max_tokens` exceed context limit"
    "maximum number of tokens allowed", // Gemini: "the input token count (…) exceeds the …"
    "maximum number of input tokens", // Google's Vertex AI
    "but model only supports up to", // Google's Vertex AI
    "input token count exceeds", // Google
    "reduce the length of the messages", // Groq
    "reduce the length of the input", // several clouds
    "reduce your message size", // Groq, under 413
    "maximum prompt length", // xAI
    "exceeded model token limit", // Moonshot
    "`inputs` tokens + `max_new_tokens` must be", // text-generation-inference
    "inputs tokens + max_new_tokens must be", // text-generation-inference behind gateways
    "`inputs` must have less than", // text-generation-inference
    "must have less than", // text-generation-inference behind gateways: "inputs must have less than … tokens"
    "context window exceeds", // MiniMax: "invalid params, context window exceeds limit"
    "exceeds the context window", // OpenAI's responses
    "exceeds context window", // several gateways
    "exceeds model context window", // several gateways
    "exceeds the model's context", // several gateways
    "context window is full", // several local servers
    "maximum input length", // DeepInfra: "requested input length … exceeds maximum input length …"
    "maximum allowed input length", // Poolside
    "exceeds the maximum allowed input", // Poolside
    "exceeds the maximum input", // several clouds
    "exceeds maximum context", // Poolside, several gateways
    "too large for model with", // Mistral
    "length of all messages is too long", // Perplexity
    "context length exceeded", // several clouds
    "context_length_exceeded", // gateways that pass the code on in words
];

/// Words that say, under 503: the model is not loaded yet.
const STARTING_WORDS: [&str; 9] = [
    "loading model",     // llama.cpp: "Loading model"
    "currently loading", // Hugging Face: "Model … is currently loading"
    "is loading",        // LocalAI, llama-swap
    "still loading",
    "being loaded",
    "warming up",  // text-generation-inference
    "not ready",   // Triton: "Server is not ready"; KServe: "Model with name … is not ready"
    "is starting", // SGLang: "Server is starting"
    "starting up",
];

/// The same under 500, where it can stand in an error that does not pass as well.
const STARTING_WORDS_OF_OLLAMA: &str = "llm server loading model";

/// Kinds that say: the content policy refuses.
const FILTERED: [&str; 11] = [
    "content_filter",                 // OpenAI, Azure, Moonshot
    "content_policy_violation",       // OpenAI
    "image_content_policy_violation", // OpenAI's responses
    "invalid_prompt",                 // OpenAI's reasoning models
    "responsibleaipolicyviolation",   // Azure's inner code
    "data_inspection_failed",         // Alibaba Cloud Model Studio
    "datainspectionfailed",           // its older interface
    "1301",                           // Zhipu
    "minimax 1026",                   // MiniMax: the prompt
    "minimax 1027",                   // MiniMax: the answer
    "336104",                         // Baidu Qianfan
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
const STATUSES: [(&str, u16); 51] = [
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
    // llama.cpp
    ("unavailable_error", 503),
    ("not_supported_error", 501),
    ("exceed_context_size_error", 400),
    // text-generation-inference
    ("validation", 422),
    ("overloaded", 429),
    ("generation", 424),
    ("incomplete_generation", 424),
    // vLLM and SGLang
    ("badrequesterror", 400),
    ("notfounderror", 404),
    ("internalservererror", 500),
    // MiniMax
    ("minimax 1002", 429),
    ("minimax 1004", 401),
    ("minimax 1008", 402),
    ("minimax 1039", 429),
    ("minimax 1041", 429),
    ("minimax 2013", 400),
    ("minimax 2049", 401),
    ("minimax 2056", 429),
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

pub(super) fn is_starting(status: u16, words: &str) -> bool {
    match status {
        503 => STARTING_WORDS.iter().any(|said| words.contains(said)),
        500 => words.contains(STARTING_WORDS_OF_OLLAMA),
        _ => false,
    }
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

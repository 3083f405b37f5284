//! The figures in an error that says that the prompt is too long.

use serde_json::Value;

use crate::server_error::Overflow;

/// What stands before the context window, in lower case.
const WINDOW: [&str; 24] = [
    "maximum context length is ",         // vLLM, OpenAI, OpenRouter, DeepSeek
    "maximum context length of ",         // SGLang
    "maximum model length of ",           // vLLM
    "max_model_len is ",                  // vLLM
    "model's context length (",           // SGLang
    "context length of only ",            // LM Studio
    "context length of ",                 // LM Studio, Ollama's cloud
    "context length is only ",            // vLLM: "this model's context length is only … tokens"
    "available context size (",           // llama.cpp
    "`max_new_tokens` must be <= ",       // text-generation-inference
    "must have less than ",               // text-generation-inference
    "context limit: ",                    // Anthropic: the sum comes first, see `AFTER_SUM`
    "tokens > ",                          // Anthropic: "prompt is too long: … tokens > … maximum"
    "maximum number of tokens allowed (", // Gemini
    "supports up to ",                    // Google's Vertex AI
    "max input tokens: ",                 // Amazon
    "maximum input length of ",           // DeepInfra, vLLM
    "maximum input length ",              // DeepInfra
    "maximum prompt length is ",          // xAI
    "exceeded model token limit: ",       // Moonshot
    "too large for model with ",          // Mistral
    "exceeds the limit of ",              // GitHub Copilot
    "input length should be [1, ",        // Alibaba Cloud Model Studio
    "maximum allowed input length is ",   // Poolside
];

/// What stands before the tokens of the prompt.
const PROMPT_AFTER: [&str; 20] = [
    "messages resulted in ",          // OpenAI
    "prompt (length ",                // vLLM
    "prompt is too long: ",           // Anthropic
    "the input (",                    // SGLang
    "first ",                         // LM Studio: "trying to keep the first … tokens"
    "given: ",                        // text-generation-inference
    "input token count (",            // Gemini
    "input token count is ",          // Google's Vertex AI
    "context limit: ",                // Anthropic: "… exceed context limit: 188240 + 21333 > 200000"
    "prompt contains ",               // Mistral
    "prompt token count of ",         // GitHub Copilot
    "requested input length ",        // DeepInfra
    "your request contains ",         // xAI
    "request contains ",              // xAI
    "your prompt contains at least ", // vLLM
    "request (",                      // llama.cpp: "the request (… tokens) exceeds …"
    "requested a total of ",          // SGLang
    "you requested about ",           // OpenRouter
    "you requested ",                 // OpenAI, vLLM: the prompt and the answer together
    "requested: ",                    // Moonshot: "exceeded model token limit: 8192 (requested: 9000)"
];

/// What stands behind the tokens of the prompt, where the sum is named as well.
const PROMPT_BEFORE: [&str; 6] = [
    " in the messages",                // OpenAI, vLLM
    " in your prompt",                 // OpenAI
    " in the input",                   // OpenAI
    " tokens from the input messages", // SGLang
    " of text input",                  // OpenRouter
    " input tokens",                   // vLLM: "… your prompt contains at least 4000 input tokens"
];

/// The figures that an error names, in its fields (llama.cpp) or in its words.
pub(super) fn figures(error: &Value, words: &str) -> Overflow {
    let field = |name: &str| error.get(name).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    let words = words.to_lowercase();
    let window = || WINDOW.iter().find_map(|said| after(&words, said)).filter(|_| !words.contains(AFTER_SUM));
    let prompt = || {
        let before = PROMPT_BEFORE.iter().find_map(|said| before(&words, said));
        before.or_else(|| PROMPT_AFTER.iter().find_map(|said| after(&words, said)))
    };
    let behind_sum = || after(words.split_once(AFTER_SUM)?.1, " > ");
    Overflow {
        window: field("n_ctx").or_else(window).or_else(behind_sum),
        prompt: field("n_prompt_tokens").or_else(prompt),
    }
}

/// Behind this comes a sum, and the window behind that: "… exceed context limit: 188240 + 21333 > 200000".
const AFTER_SUM: &str = "exceed context limit:";

/// The number right behind these words.
fn after(words: &str, said: &str) -> Option<u32> {
    words.match_indices(said).find_map(|(at, _)| leading(&words[at + said.len()..]))
}

/// The number right before these words.
fn before(words: &str, said: &str) -> Option<u32> {
    let head = words.split_once(said)?.0;
    let from = head
        .rfind(|c: char| !is_part(c))
        .map_or(0, |at| at + head[at..].chars().next().map_or(1, char::len_utf8));
    leading(&head[from..])
}

/// The number with which a text begins: digits, perhaps with separators between thousands.
fn leading(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !is_part(c)).unwrap_or(text.len());
    let digits: String = text[..end].chars().filter(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|&number| number > 0)
}

const fn is_part(c: char) -> bool {
    matches!(c, '0'..='9' | ',' | '_')
}

#[cfg(test)]
mod tests;

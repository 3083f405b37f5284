//! One call of one endpoint.

use std::time::Duration;

use transport::{Limits, Transport};

use crate::{
    Endpoint, Failure, Prompt, Protocol, Usage, estimate,
    protocol::{Completion, chat_completions, completions, echo},
};

/// The largest answer body, in bytes. A long answer is some 100 KiB; its reasoning, escaped to six bytes a character,
/// can be ten times that. It also bounds what a broken server can make a small function hold.
const ANSWER_BYTES: usize = 4 << 20;

/// What one endpoint answered.
pub(crate) struct Spoken {
    pub(crate) text: String,
    pub(crate) model: String,
    pub(crate) usage: Usage,
}

/// Asks one endpoint once, for no longer than `total`.
pub(crate) async fn ask(
    transport: &dyn Transport,
    endpoint: &Endpoint,
    prompt: &Prompt,
    total: Duration,
) -> Result<Spoken, Failure> {
    let limits = Limits { total, bytes: ANSWER_BYTES };
    let completion = match endpoint.protocol {
        Protocol::ChatCompletions => {
            let response = transport.call(chat_completions::encode(endpoint, prompt), limits).await?;
            chat_completions::decode(&response)?
        }
        Protocol::Completions => {
            let response = transport.call(completions::encode(endpoint, prompt), limits).await?;
            completions::decode(&response)?
        }
        Protocol::Echo => echo::answer(prompt),
    };
    Ok(spoken(endpoint, prompt, completion))
}

/// The completion, with what the server did not tell filled in.
fn spoken(endpoint: &Endpoint, prompt: &Prompt, completion: Completion) -> Spoken {
    let usage = match completion.tokens {
        Some((prompt, completion)) => Usage { prompt, completion, estimated: false },
        None => estimate::usage(prompt, &completion.text),
    };
    let model = completion.model.unwrap_or_else(|| endpoint.model.clone());
    Spoken { text: completion.text, model, usage }
}

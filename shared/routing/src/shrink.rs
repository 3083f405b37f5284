//! One question as each endpoint gets it, where a model's context has no room for the whole conversation.

use std::collections::{BTreeMap, BTreeSet};

use chat::Timestamp;
use transport::Transport;

use crate::{
    Endpoint, Overflow, Prompt,
    window::{self, Fitted, fit},
};

/// What the endpoints of one question were sent.
#[derive(Debug, Default)]
pub(crate) struct Shrunk {
    sent: BTreeMap<usize, Sent>,
    /// Who is asked again with less.
    again: BTreeSet<usize>,
    /// Who is asked without any memory.
    bare: BTreeSet<usize>,
}

/// What an endpoint was sent last.
#[derive(Debug, Clone, Copy)]
struct Sent {
    /// By estimate.
    tokens: u32,
    /// Lines of memory.
    history: usize,
}

impl Shrunk {
    /// The prompt for this endpoint.
    pub(crate) fn fit<'a>(
        &mut self,
        index: usize,
        endpoint: &Endpoint,
        prompt: &'a Prompt,
        now: Timestamp,
    ) -> Fitted<'a> {
        let room = if self.bare.contains(&index) { Some(0) } else { window::room(endpoint, prompt, now) };
        let fitted = fit(prompt, room);
        let (tokens, history) = (fitted.tokens, fitted.prompt.history);
        self.sent.insert(index, Sent { tokens, history });
        fitted
    }

    /// This endpoint said that the prompt is too long. Learns how much it takes, and returns whether it can be asked again
    /// with less: first with what it should have room for, then with nothing but what is to be answered.
    pub(crate) async fn too_long(
        &mut self,
        index: usize,
        endpoint: &Endpoint,
        prompt: &Prompt,
        overflow: Overflow,
        (transport, now): (&dyn Transport, Timestamp),
    ) -> bool {
        let Some(&Sent { tokens, history }) = self.sent.get(&index) else { return false };
        endpoint.learned.refused(overflow, tokens, now);
        if history == 0 {
            return false;
        }
        if endpoint.learned.should_look(now)
            && let Some(window) = window::look(transport, endpoint).await
        {
            endpoint.learned.window(window, now);
        }
        let has_room = |endpoint| window::room(endpoint, prompt, now).is_none_or(|room| room >= tokens);
        if has_room(endpoint) {
            // No figure, or none that can be right.
            endpoint.learned.halve(tokens, now);
        }
        let shorter = fit(prompt, window::room(endpoint, prompt, now)).tokens < tokens;
        if !self.again.insert(index) || !shorter {
            self.bare.insert(index);
        }
        true
    }
}

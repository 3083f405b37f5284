//! How long a prompt an endpoint's model can take: learned while it is asked, and what of a conversation has room in it.
//!
//! A prompt says how many of its lines are memory ([`Prompt::history`]). Where a model's context has no room for all of
//! them, the oldest exchanges are left out; what is to be answered never is. A window is configured, or learned from the
//! figures in a refusal, or from what the server says of its models (`look`), and halved from what was refused where
//! nobody names a figure. Servers count tokens otherwise than we do, so how much otherwise is learned as well.
//!
//! - `fit`: a prompt without the exchanges for which there is no room
//! - `look`: asking a server how large its model's context is

mod fit;
mod look;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chat::Timestamp;

pub(crate) use self::{
    fit::{Fitted, fit},
    look::look,
};
use crate::{Endpoint, Overflow, Prompt, Usage, protocol::most_tokens};

/// For how long something learned is believed: a server may come back with a larger context.
const BELIEVED: Duration = Duration::from_secs(60 * 60);

/// The smallest window that is believed. A smaller figure is something else.
const SMALLEST: u32 = 64;

/// What is kept of a window for an answer whose length nobody limits, in tokens, and the largest part of the window.
const ANSWER: u32 = 2_048;
const ANSWER_PART: u32 = 4;

/// How many tokens a server counts for a hundred of ours, until it has counted.
const USUAL_SHARE: u32 = 120;

/// The shares that are believed.
const SHARES: std::ops::RangeInclusive<u32> = 40..=600;

/// Prompts with fewer tokens say nothing of a server's share: what its template adds is most of them.
const SHORT: u32 = 100;

/// What is known of an endpoint's context. Clones share what they learn.
#[derive(Debug, Clone, Default)]
pub struct Learned(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The window, in the server's tokens.
    window: Option<(u32, Timestamp)>,
    /// What was half of a prompt that was refused without a figure, in our tokens.
    half: Option<(u32, Timestamp)>,
    /// How many tokens the server counts for a hundred of ours.
    share: Option<u32>,
    /// When the server was asked for its window.
    looked: Option<Timestamp>,
}

impl Learned {
    /// Locks, also after a panic elsewhere: no operation leaves it half changed.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server names this window.
    pub(crate) fn window(&self, window: u32, now: Timestamp) {
        if window >= SMALLEST {
            self.state().window = Some((window, now));
        }
    }

    /// A prompt of so many of our tokens was refused as too long.
    pub(crate) fn refused(&self, overflow: Overflow, tokens: u32, now: Timestamp) {
        if let Some(counted) = overflow.prompt {
            self.counted(counted, tokens);
        }
        if let Some(window) = overflow.window {
            self.window(window, now);
        }
    }

    /// A prompt of so many of our tokens was too long, and nobody says how long it may be.
    pub(crate) fn halve(&self, tokens: u32, now: Timestamp) {
        self.state().half = Some((tokens / 2, now));
    }

    /// The server took a prompt of so many of our tokens and counted these.
    pub(crate) fn took(&self, usage: Usage, tokens: u32) {
        if usage.estimated {
            return;
        }
        self.counted(usage.prompt, tokens);
        let mut state = self.state();
        // It has a larger context now.
        state.window = state.window.filter(|&(window, _)| usage.prompt < window);
        state.half = state.half.filter(|&(half, _)| tokens <= half.saturating_mul(2));
    }

    /// Follows a rise at once and a fall slowly: leaving out too much harms less than a refusal.
    fn counted(&self, counted: u32, tokens: u32) {
        if tokens < SHORT {
            return;
        }
        let share = u64::from(counted) * 100 / u64::from(tokens);
        let Some(share) = u32::try_from(share).ok().filter(|share| SHARES.contains(share)) else { return };
        let mut state = self.state();
        let before = state.share.unwrap_or(share);
        state.share = Some(share.max((before * 7 + share) / 8));
    }

    /// Whether the server should be asked for its window; it is once in a while.
    pub(crate) fn should_look(&self, now: Timestamp) -> bool {
        let mut state = self.state();
        let should = believed(state.window, now).is_none()
            && state.looked.is_none_or(|then| now.since(then) >= BELIEVED);
        if should {
            state.looked = Some(now);
        }
        should
    }
}

fn believed(known: Option<(u32, Timestamp)>, now: Timestamp) -> Option<u32> {
    known.filter(|&(_, then)| now.since(then) < BELIEVED).map(|(known, _)| known)
}

/// The endpoint's window in its own tokens, configured or learned, whichever is smaller.
pub(crate) fn known(endpoint: &Endpoint, now: Timestamp) -> Option<u32> {
    let learned = believed(endpoint.learned.state().window, now);
    endpoint.window.into_iter().chain(learned).min()
}

/// How many of our tokens a prompt to this endpoint may have, as far as that is known.
pub(crate) fn room(endpoint: &Endpoint, prompt: &Prompt, now: Timestamp) -> Option<u32> {
    let window = known(endpoint, now).map(|window| {
        let most = window / ANSWER_PART;
        let answer = most_tokens(endpoint, prompt).map_or(ANSWER.min(most), |tokens| tokens.min(window / 2));
        let share = endpoint.learned.state().share.unwrap_or(USUAL_SHARE);
        let ours = u64::from(window - answer) * 100 / u64::from(share.max(1));
        u32::try_from(ours).unwrap_or(u32::MAX)
    });
    let half = believed(endpoint.learned.state().half, now);
    window.into_iter().chain(half).min()
}

#[cfg(test)]
mod tests;

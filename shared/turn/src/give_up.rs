//! What becomes of a message whose tries are used up.

use std::time::Duration;

use chat::Language;
use store::{ExchangeKind, ParkReason};

use crate::{
    content::Content,
    handled::{Again, GivenUp, Parked},
    kept, words,
    worker::{Claimed, Queued, Worker},
};

impl Worker {
    /// Gives up a message that failed in every try, within `budget`: the reply that was kept, or an apology where none
    /// was, is sent as far as the platform takes it now, and the turn is parked. Never fails: where the store or the
    /// platform's keys are gone too, the message itself is all that is left of it, and the caller moves it to where
    /// operators look.
    pub async fn give_up(&self, body: &str, budget: Duration) -> GivenUp {
        let Some(queued) = self.open(body) else { return GivenUp::DeadLetter };
        match self.last_words(&queued, budget).await {
            Ok(given_up) => given_up,
            Err(Again::FenceLost) => GivenUp::DeadLetter,
            Err(Again::Later { cause, .. }) => {
                tracing::error!(cause, turn = queued.turn.as_str(), "a turn could not be parked");
                GivenUp::DeadLetter
            }
        }
    }

    async fn last_words(&self, queued: &Queued<'_>, budget: Duration) -> Result<GivenUp, Again> {
        let Some(claimed) = self.claim(queued, budget).await? else { return Ok(GivenUp::Over) };
        let fence = claimed.record.fence;
        let result = self.park(queued, claimed).await;
        if let Err(Again::Later { .. }) = &result {
            // For whoever brings the message back; should this fail too, the lease ends by itself.
            let _ = self.ports.turns.release(&queued.turn, fence).await;
        }
        result
    }

    async fn park(&self, queued: &Queued<'_>, mut claimed: Claimed) -> Result<GivenUp, Again> {
        let (message, fence) = (queued.message(), claimed.record.fence);
        let standing = kept::find(&self.ports, message, &queued.turn, &claimed.record).await?;
        let reply = match standing {
            Some(reply) => reply,
            None => {
                let language = Language::detect(&claimed.text).or(message.client_language);
                let apology = apology(&claimed.text, language.unwrap_or(Language::En));
                kept::keep(&self.ports, message, &queued.turn, &mut claimed.record, apology).await?
            }
        };
        if reply.kind == ExchangeKind::Merged {
            // A later message's answer is for this one too.
            self.end(queued, fence, None).await?;
            return Ok(GivenUp::Over);
        }
        let parked = match self.send(&queued.turn, message, claimed, &reply).await {
            Ok(parked) => parked,
            Err(Again::Later { cause, .. }) => {
                Some(Parked { reason: ParkReason::TriesExhausted, cause: Some(cause) })
            }
            Err(lost @ Again::FenceLost) => return Err(lost),
        };
        let given_up = if parked.is_some() { GivenUp::DeadLetter } else { GivenUp::Over };
        self.end(queued, fence, parked).await?;
        Ok(given_up)
    }
}

fn apology(question: &str, language: Language) -> (Content, ExchangeKind) {
    let content = Content {
        question: question.to_owned(),
        reply: words::gave_up(language).to_owned(),
        parked: Some(ParkReason::TriesExhausted),
        cause: None,
        left_to: None,
    };
    (content, ExchangeKind::Notice)
}

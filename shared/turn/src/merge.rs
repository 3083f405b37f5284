//! Short messages in a row become one turn.
//!
//! Whoever writes three lines in three messages wants one answer. The first message's worker waits a moment, learns by a
//! signal of the next, and leaves the answer to it: it keeps its question without a reply and ends. The last of the burst
//! has those questions in its memory and answers them all. Each message keeps a turn of its own with its own claim, so a
//! crash anywhere loses nothing; and a signal is left only after its message is in the queue, so the next one does come.

use chat::{Audience, ChatKind, Command};
use settings::MergeSettings;
use store::{ExchangeKind, ReadFrom, SignalKind};

use crate::{
    handled::Again,
    ports::Ports,
    worker::{Claimed, Queued},
};

/// Whether the answer to a later message will be for this one too. Waits until it is known, if it is not yet.
pub(crate) async fn joins_next(ports: &Ports, queued: &Queued<'_>, claimed: &Claimed) -> Result<bool, Again> {
    let message = queued.message();
    let alone = message.chat_kind == ChatKind::Direct && message.audience == Audience::Bot;
    let question = Command::parse(&claimed.text).is_none() && !claimed.text.trim().is_empty();
    // A turn that an operator brings back is answered by itself: what came after it was answered long ago.
    let fresh = claimed.record.redrive == 0;
    match claimed.bot.settings.merge {
        Some(merge) if alone && question && fresh => next_is_coming(ports, queued, claimed, merge).await,
        Some(_) | None => Ok(false),
    }
}

async fn next_is_coming(
    ports: &Ports,
    queued: &Queued<'_>,
    claimed: &Claimed,
    merge: MergeSettings,
) -> Result<bool, Again> {
    let quiet_from = claimed.record.accepted_at.plus(merge.within);
    let wait = quiet_from.since(ports.clock.now()).min(merge.within);
    if !wait.is_zero() {
        ports.pause.pause(wait).await;
    }
    let (message, now) = (queued.message(), ports.clock.now());
    let conversation = message.conversation.key();
    let signals = ports.signals.signals(&conversation, message.sent_at, now).await?;
    let Some(next) = signals
        .first()
        .filter(|next| next.kind == SignalKind::Question && next.at.since(message.sent_at) <= merge.within)
    else {
        return Ok(false);
    };
    // The platform may have delivered them the other way round, and then the next one has been answered already.
    // Planted: nobody asks.
    if !cfg!(planted = "begun_forgotten") && ports.turns.begun(&next.turn).await? {
        return Ok(false);
    }
    let most = merge.most as usize;
    let waiting = ports.conversations.recent(&conversation, now, ReadFrom::Newest, most).await?;
    let before = waiting.iter().take_while(|exchange| exchange.kind == ExchangeKind::Merged).count();
    Ok(before + 1 < most)
}

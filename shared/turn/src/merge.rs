//! Short messages in a row become one turn.
//!
//! Whoever writes three lines in three messages wants one answer. The first message's worker waits a moment, learns by a
//! signal of the next, and leaves the answer to it: it keeps its question without a reply and ends. The last of the burst
//! has those questions in its memory and answers them all. Each message keeps a turn of its own with its own claim, so a
//! crash anywhere loses nothing; and a signal is left only after its message is in the queue, so the next one does come.
//!
//! Platforms deliver late, so a `/new` that was said before both may come between the two, and the later one would forget the
//! earlier one with all else. What is kept of a question therefore names the turn that it was left to, and the `/new` takes
//! the questions that are owed an answer with it, to behind the reset (`carry_over`).

use std::time::Duration;

use chat::{Audience, ChatKind, Command, Timestamp, TurnKey};
use settings::MergeSettings;
use store::{Exchange, ExchangeKind, ReadFrom, SignalKind};

use crate::{
    content::Content,
    handled::Again,
    ports::Ports,
    worker::{Claimed, Queued},
};

/// The most questions that a reset takes with it: more than any burst holds.
const CARRIED_MAX: usize = 20;

/// The later message whose answer will be for this one too, if there is one. Waits until it is known, if it is not yet.
pub(crate) async fn joins_next(
    ports: &Ports,
    queued: &Queued<'_>,
    claimed: &Claimed,
) -> Result<Option<TurnKey>, Again> {
    let message = queued.message();
    let alone = message.chat_kind == ChatKind::Direct && message.audience == Audience::Bot;
    let question = Command::parse(&claimed.text).is_none() && !claimed.text.trim().is_empty();
    // A turn that an operator brings back is answered by itself: what came after it was answered long ago.
    let fresh = claimed.record.redrive == 0;
    match claimed.bot.settings.merge {
        Some(merge) if alone && question && fresh => next_is_coming(ports, queued, claimed, merge).await,
        Some(_) | None => Ok(None),
    }
}

async fn next_is_coming(
    ports: &Ports,
    queued: &Queued<'_>,
    claimed: &Claimed,
    merge: MergeSettings,
) -> Result<Option<TurnKey>, Again> {
    let quiet_from = claimed.record.accepted_at.plus(merge.within);
    let wait = quiet_from.since(ports.clock.now()).min(merge.within);
    if !wait.is_zero() {
        ports.pause.pause(wait).await;
    }
    let (message, now) = (queued.message(), ports.clock.now());
    let conversation = message.conversation.key();
    let signals = ports.signals.signals(&conversation, message.sent_at, now).await?;
    let Some(next) = signals
        .into_iter()
        .next()
        .filter(|next| next.kind == SignalKind::Question && next.at.since(message.sent_at) <= merge.within)
    else {
        return Ok(None);
    };
    // The platform may have delivered them the other way round, and then the next one has been answered already.
    // Planted: nobody asks.
    if !cfg!(planted = "begun_forgotten") && ports.turns.begun(&next.turn).await? {
        return Ok(None);
    }
    let most = merge.most as usize;
    let waiting = ports.conversations.recent(&conversation, now, ReadFrom::Newest, most).await?;
    let before = waiting.iter().take_while(|exchange| exchange.kind == ExchangeKind::Merged).count();
    Ok((before + 1 < most).then_some(next.turn))
}

/// Takes the questions that are owed an answer to behind the reset that is about to be kept: they were left to a message
/// that nobody has begun, so it comes after this one, and its answer is for them whatever it forgets. Each is kept a second
/// time, as it is, right after the reset's place; done again after a crash, this changes nothing.
pub(crate) async fn carry_over(ports: &Ports, queued: &Queued<'_>, claimed: &Claimed) -> Result<(), Again> {
    let (conversation, now) = (queued.message().conversation.key(), ports.clock.now());
    let newest = ports.conversations.recent(&conversation, now, ReadFrom::Newest, 1).await?;
    // Planted: a reset takes away what is owed an answer.
    let Some(newest) =
        newest.first().filter(|newest| is_merged(newest) && !cfg!(planted = "burst_forgotten"))
    else {
        return Ok(());
    };
    let Some(last) = left_to(ports, queued, newest) else { return Ok(()) };
    if ports.turns.begun(&last).await? {
        // It was answered, or told that it will not be.
        return Ok(());
    }
    let waiting = ports.conversations.recent(&conversation, now, ReadFrom::Newest, CARRIED_MAX).await?;
    let mut owed: Vec<Exchange> = Vec::new();
    for exchange in waiting.into_iter().take_while(is_merged) {
        let to = left_to(ports, queued, &exchange);
        if to.is_some_and(|to| to == last || owed.iter().any(|later| later.turn == to)) {
            // Of one that was taken over before, the place that it had first counts.
            owed.retain(|later| later.turn != exchange.turn);
            owed.push(exchange);
        }
    }
    let place = claimed.record.accepted_at;
    for (number, exchange) in (1..).zip(owed.into_iter().rev()) {
        let copy = Exchange { at: place.plus(Duration::from_millis(number)), ..exchange };
        ports.conversations.keep(&conversation, &copy).await?;
    }
    Ok(())
}

/// Sees to it that the next answer finds this question, which was left to it. Messages that arrive within a few
/// milliseconds may be queued in one order and dated in the other, and then something stands before the question that was
/// dealt with before it: a reset, which hides it, or an answer that was not for it. So it is kept once more, behind that,
/// at places that are twice as far away each time; done again after a crash, this changes nothing.
pub(crate) async fn keep_in_sight(
    ports: &Ports,
    queued: &Queued<'_>,
    accepted_at: Timestamp,
) -> Result<(), Again> {
    let (conversation, turn) = (queued.message().conversation.key(), &queued.turn);
    let mut further = 1;
    // Planted: nobody looks whether it is.
    while !cfg!(planted = "burst_out_of_sight") && !is_in_sight(ports, queued).await? {
        let Some(kept) = ports.conversations.find(&conversation, accepted_at, turn).await? else { break };
        let at = accepted_at.plus(Duration::from_millis(further));
        if at > ports.clock.now() {
            break;
        }
        ports.conversations.keep(&conversation, &Exchange { at, ..kept }).await?;
        further *= 2;
    }
    Ok(())
}

/// Whether nothing but other questions of the burst stands before this one. The first is it nearly always, and one is all
/// that is read then.
async fn is_in_sight(ports: &Ports, queued: &Queued<'_>) -> Result<bool, Again> {
    let (conversation, now) = (queued.message().conversation.key(), ports.clock.now());
    for limit in [1, CARRIED_MAX] {
        let newest = ports.conversations.recent(&conversation, now, ReadFrom::Newest, limit).await?;
        if newest.iter().take_while(|one| is_merged(one)).any(|one| one.turn == queued.turn) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_merged(exchange: &Exchange) -> bool {
    exchange.kind == ExchangeKind::Merged
}

/// To whom a merged question was left. One that cannot be opened any more cannot be shown to a model either.
fn left_to(ports: &Ports, queued: &Queued<'_>, exchange: &Exchange) -> Option<TurnKey> {
    let conversation = queued.message().conversation.key();
    Content::open(exchange, &ports.vault, &conversation).ok()?.left_to
}

//! The reply that is kept for a turn.
//!
//! A turn that an operator brings back begins another round. An answer that was kept stays the reply, and is sent from
//! where sending stopped, under the same keys. An apology does not: the model is asked again, and what comes is kept
//! beside the apology, since what is kept is never changed. Its place in the conversation is that of the question, one
//! millisecond on for each redrive, and its segments have keys of their own.

use std::time::Duration;

use chat::{Message, Timestamp, TurnKey};
use store::{Exchange, ExchangeKind, Kept, TurnRecord};

use crate::{
    content::Content,
    handled::{AGAIN_SOON, Again},
    ports::Ports,
};

/// A kept reply.
pub(crate) struct Reply {
    pub(crate) content: Content,
    pub(crate) kind: ExchangeKind,
    /// The round it was kept in: 0 before the first redrive.
    pub(crate) round: u32,
}

/// Where the reply of a round is kept.
fn place(record: &TurnRecord, round: u32) -> Timestamp {
    record.accepted_at.plus(Duration::from_millis(round.into()))
}

/// The reply that stands for this turn, kept by an earlier run. The first run has none to look for. Of a turn that was
/// brought back, the latest round's counts, unless it is the apology of a round that is over.
pub(crate) async fn find(
    ports: &Ports,
    message: &Message,
    turn: &TurnKey,
    record: &TurnRecord,
) -> Result<Option<Reply>, Again> {
    if record.fence.0 == 1 {
        return Ok(None);
    }
    let conversation = message.conversation.key();
    for round in (0..=record.redrive).rev() {
        let found = ports.conversations.find(&conversation, place(record, round), turn).await?;
        let Some(exchange) = found else { continue };
        let content = open(ports, &exchange, message)?;
        let is_over = content.parked.is_some() && round < record.redrive;
        return Ok((!is_over).then_some(Reply { content, kind: exchange.kind, round }));
    }
    Ok(None)
}

/// Keeps the reply of this round, unless another run has kept one, which stands.
pub(crate) async fn keep(
    ports: &Ports,
    message: &Message,
    turn: &TurnKey,
    record: &mut TurnRecord,
    (content, kind): (Content, ExchangeKind),
) -> Result<Reply, Again> {
    if record.segments_sent > 0 {
        // They were segments of another round's reply.
        ports.turns.sent(turn, record.fence, 0).await?;
        record.segments_sent = 0;
    }
    let conversation = message.conversation.key();
    let days = Duration::from_secs(u64::from(ports.policy.memory.days) * 86_400);
    let exchange = Exchange {
        turn: turn.clone(),
        at: place(record, record.redrive),
        kind,
        sealed: content.seal(&ports.vault, &conversation, turn),
        keep_until: ports.clock.now().plus(days),
    };
    // Planted: the answer is sent before it is kept.
    if cfg!(planted = "answer_not_kept") {
        return Ok(Reply { content, kind, round: record.redrive });
    }
    let (content, kind) = match ports.conversations.keep(&conversation, &exchange).await? {
        Kept::New => (content, kind),
        Kept::Already(standing) => (open(ports, &standing, message)?, standing.kind),
    };
    Ok(Reply { content, kind, round: record.redrive })
}

fn open(ports: &Ports, exchange: &Exchange, message: &Message) -> Result<Content, Again> {
    Content::open(exchange, &ports.vault, &message.conversation.key())
        .map_err(|error| Again::later(AGAIN_SOON, &error.to_string()))
}

//! A stored question with its answer: what the store hands over, raw, and every stored form under a valid seal.

use std::sync::LazyLock;

use chat::{BotId, ChatId, Conversation, EventId, PlatformId, Timestamp, TurnKey};
use store::{Exchange, ExchangeKind};
use turn::content::Content;

use crate::{Reach, queued_message::VAULT};

static PLACE: LazyLock<(Conversation, TurnKey)> = LazyLock::new(|| {
    let conversation = Conversation {
        platform: PlatformId::parse("feishu").expect("a slug"),
        bot: BotId::parse("bot").expect("a slug"),
        chat: ChatId::parse("chat").expect("an id"),
        thread: None,
        user: None,
    };
    let turn = TurnKey::new(&conversation, &EventId::parse("event").expect("an id"));
    (conversation, turn)
});

/// The input as an envelope, and as what stands inside of one.
#[must_use]
pub fn run(data: &[u8]) -> Reach {
    assert!(open(data.to_vec()).is_none(), "a forged envelope opens");
    let (conversation, turn) = &*PLACE;
    let context = ["exchange", conversation.key().as_str(), turn.as_str()].concat();
    let Some(content) = open(VAULT.seal(context.as_bytes(), data)) else { return Reach::Door };
    let again = open(content.seal(&VAULT, &conversation.key(), turn));
    assert_eq!(again.as_ref(), Some(&content), "what was said survives the store");
    Reach::Inside
}

fn open(sealed: Vec<u8>) -> Option<Content> {
    let (conversation, turn) = &*PLACE;
    let (at, kind) = (Timestamp::from_millis(0), ExchangeKind::Answer);
    let exchange = Exchange { turn: turn.clone(), at, kind, sealed, keep_until: at };
    Content::open(&exchange, &VAULT, &conversation.key()).ok()
}

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chat::{BotId, ChatId, Conversation, Entropy, EventId, PlatformId, TurnKey};
use store::{Kept, MemoryStore};
use vault::DataKey;

use super::*;

struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

fn vault() -> Vault {
    let key = DataKey::from_base64("k", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
    Vault::new(vec![key], Arc::new(Fixed)).unwrap()
}

fn conversation() -> Conversation {
    Conversation {
        platform: PlatformId::parse("feishu").unwrap(),
        bot: BotId::parse("bot").unwrap(),
        chat: ChatId::parse("chat").unwrap(),
        thread: None,
        user: None,
    }
}

fn turn(number: usize) -> TurnKey {
    TurnKey::new(&conversation(), &EventId::parse(format!("event {number}")).unwrap())
}

/// A store that shows, of what may be missing, nothing that was written with the last `unseen` writes; and counts what it
/// hands out.
struct Behind {
    store: MemoryStore,
    written: Mutex<Vec<TurnKey>>,
    unseen: usize,
    /// For each reading, whether it was one of settled exchanges, and how many were wanted.
    readings: Mutex<Vec<(bool, usize)>>,
}

impl Behind {
    fn by(unseen: usize) -> Self {
        let (store, written, readings) = (MemoryStore::default(), Mutex::default(), Mutex::default());
        Self { store, written, unseen, readings }
    }
}

#[async_trait]
impl Conversations for Behind {
    async fn keep(&self, conversation: &ConversationKey, exchange: &Exchange) -> Result<Kept, StoreError> {
        self.written.lock().unwrap().push(exchange.turn.clone());
        self.store.keep(conversation, exchange).await
    }

    async fn find(
        &self,
        conversation: &ConversationKey,
        at: Timestamp,
        turn: &TurnKey,
    ) -> Result<Option<Exchange>, StoreError> {
        self.store.find(conversation, at, turn).await
    }

    async fn recent(
        &self,
        conversation: &ConversationKey,
        now: Timestamp,
        from: ReadFrom<'_>,
        limit: usize,
    ) -> Result<Vec<Exchange>, StoreError> {
        let settled = matches!(from, ReadFrom::SettledBehind(_));
        self.readings.lock().unwrap().push((settled, limit));
        let all = self.store.recent(conversation, now, from, usize::MAX).await?;
        let unseen: Vec<_> = self.written.lock().unwrap().iter().rev().take(self.unseen).cloned().collect();
        let seen = all.into_iter().filter(|exchange| !settled || !unseen.contains(&exchange.turn));
        Ok(seen.take(limit).collect())
    }
}

use ExchangeKind::{Answer, Merged, Notice, Reset};

/// Keeps exchanges with questions of so many tokens, and answers of as many, in this order.
async fn fill(store: &Behind, exchanges: &[(ExchangeKind, usize)]) {
    for (number, (kind, tokens)) in exchanges.iter().enumerate() {
        let (question, reply) = (said("问", number, *tokens), said("答", number, *tokens));
        let content = Content { question, reply, parked: None, cause: None, left_to: None };
        let at = Timestamp::from_millis(i64::try_from(number).unwrap());
        let key = conversation().key();
        let sealed = content.seal(&vault(), &key, &turn(number));
        let keep_until = Timestamp::from_millis(1_000_000);
        let exchange = Exchange { turn: turn(number), at, kind: *kind, sealed, keep_until };
        store.keep(&key, &exchange).await.unwrap();
    }
}

/// So many tokens that name their exchange.
fn said(word: &str, number: usize, tokens: usize) -> String {
    let name = format!("{number}");
    format!("{name}{}", word.repeat(tokens.saturating_sub(1)))
}

/// What the prompt holds, oldest first: `q3 a3` for the question and the answer of the exchange 3, `+` where questions are
/// joined.
async fn remembered(store: &Behind, (turns, tokens): (usize, u32)) -> String {
    let limits = MemorySettings { turns, tokens, days: 1 };
    let recall = Recall { conversations: store, vault: &vault(), limits: &limits };
    let now = Timestamp::from_millis(500);
    let prompt = recall.prompt(&conversation().key(), None, "现", now).await.unwrap();
    let name = |line: &Line| {
        let letter = if line.role == Role::User { "q" } else { "a" };
        let parts = line.text.split('\n').map(|part| part.trim_end_matches(['问', '答', '现']));
        letter.to_owned() + &parts.collect::<Vec<_>>().join("+")
    };
    prompt.lines.iter().map(name).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn memory_goes_back_until_a_limit_is_reached() {
    let store = Behind::by(0);
    fill(&store, &[(Answer, 10); 30]).await;
    for (limits, oldest, turns) in [
        ((20, 4000), 10, 20),
        ((30, 4000), 0, 30),
        ((99, 4000), 0, 30),
        ((3, 4000), 27, 3),
        ((1, 4000), 29, 1),
        ((0, 4000), 30, 0),
        ((20, 101), 25, 5),
        ((20, 100), 26, 4),
        ((20, 20), 30, 0),
        ((20, 0), 30, 0),
    ] {
        let words: Vec<_> = (oldest..30).map(|number| format!("q{number} a{number}")).collect();
        let expected = [words.join(" "), "q".to_owned()].join(" ");
        assert_eq!(remembered(&store, limits).await, expected.trim_start(), "{limits:?}");
        assert_eq!(words.len(), turns);
    }
}

#[tokio::test]
async fn what_does_not_fit_ends_the_memory() {
    let store = Behind::by(0);
    fill(&store, &[(Answer, 5), (Answer, 5), (Answer, 300), (Answer, 5)]).await;
    assert_eq!(remembered(&store, (20, 500)).await, "q3 a3 q");
    assert_eq!(remembered(&store, (20, 700)).await, "q0 a0 q1 a1 q2 a2 q3 a3 q");
}

#[tokio::test]
async fn memory_begins_anew_after_a_reset() {
    let store = Behind::by(0);
    for (kinds, expected) in [
        (vec![Answer, Reset], "q"),
        (vec![Answer, Reset, Answer], "q2 a2 q"),
        (vec![Answer, Reset, Answer, Notice, Answer, Answer], "q2 a2 q4 a4 q5 a5 q"),
        (vec![Answer, Reset, Answer, Answer, Answer, Answer, Answer], "q2 a2 q3 a3 q4 a4 q5 a5 q6 a6 q"),
    ] {
        let store = Behind { store: MemoryStore::default(), ..Behind::by(store.unseen) };
        fill(&store, &kinds.iter().map(|kind| (*kind, 4)).collect::<Vec<_>>()).await;
        assert_eq!(remembered(&store, (20, 4000)).await, expected, "{kinds:?}");
    }
}

#[tokio::test]
async fn an_exchange_that_cannot_be_opened_ends_the_memory() {
    let store = Behind::by(0);
    fill(&store, &[(Answer, 4), (Answer, 4)]).await;
    let key = conversation().key();
    let at = Timestamp::from_millis(50);
    let keep_until = Timestamp::from_millis(1_000_000);
    let sealed = b"of a key that is gone".to_vec();
    store.keep(&key, &Exchange { turn: turn(50), at, kind: Answer, sealed, keep_until }).await.unwrap();
    assert_eq!(remembered(&store, (20, 4000)).await, "q");
}

/// However far behind the store is with what may be missing: the exchange before this one is there, and so are all the
/// questions of a burst.
#[tokio::test]
async fn what_was_written_a_moment_ago_is_remembered() {
    for unseen in [0, 1, 3, 9, 99] {
        let store = Behind::by(unseen);
        fill(&store, &[(Answer, 4), (Answer, 4)]).await;
        assert_eq!(remembered(&store, (20, 4000)).await, "q0 a0 q1 a1 q", "{unseen}");
        let store = Behind::by(unseen);
        let burst = [&[(Answer, 4)][..], &[(Merged, 4); 7]].concat();
        fill(&store, &burst).await;
        assert_eq!(remembered(&store, (20, 4000)).await, "q0 a0 q1+2+3+4+5+6+7+", "{unseen}");
        let store = Behind::by(unseen);
        fill(&store, &[(Answer, 4), (Notice, 4), (Notice, 4), (Notice, 4), (Notice, 4)]).await;
        assert_eq!(remembered(&store, (20, 4000)).await, "q0 a0 q", "{unseen}");
        let store = Behind::by(unseen);
        fill(&store, &[(Answer, 4), (Reset, 4), (Notice, 4), (Notice, 4), (Notice, 4)]).await;
        assert_eq!(remembered(&store, (20, 4000)).await, "q", "{unseen}");
    }
}

#[tokio::test]
async fn a_store_that_is_behind_hides_no_more_than_old_exchanges() {
    for unseen in 0..=10 {
        let store = Behind::by(unseen);
        fill(&store, &[(Answer, 4); 8]).await;
        let told = remembered(&store, (20, 4000)).await;
        assert!(told.ends_with("q6 a6 q7 a7 q"), "{unseen}: {told}");
        assert_eq!(told.matches('a').count(), if unseen <= FRESH { 8 } else { 8 - (unseen - FRESH).min(6) });
    }
}

/// Reading is paid for by what is read, so no more is read than can be remembered, or little more.
#[tokio::test]
async fn no_more_is_read_than_there_is_room_for() {
    for (each, expected) in [
        (10, vec![(false, 2), (true, 18)]),
        (50, vec![(false, 2), (true, 18)]),
        (300, vec![(false, 2), (true, 4)]),
        (700, vec![(false, 2), (true, 1)]),
        (1900, vec![(false, 2)]),
    ] {
        let store = Behind::by(0);
        fill(&store, &[(Answer, each); 40]).await;
        remembered(&store, (20, 4000)).await;
        assert_eq!(*store.readings.lock().unwrap(), expected, "{each} tokens each");
    }
}

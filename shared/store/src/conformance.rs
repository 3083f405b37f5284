//! What every store must do, as one callable suite.
//!
//! Each implementation's own tests call the functions below. A case gets a store and a scope whose keys no other
//! case has, so the cases of one suite may share a table; only the queue's cases need an empty queue each.
//! Concurrency in a case is real where the test's runtime has several threads.
//!
//! # Layout
//!
//! - `claims`, `writes`, `reopening`: [`Turns`]
//! - `keeping`, `remembering`: [`Conversations`]
//! - `tokens`: [`Tokens`]
//! - `signals`: [`Signals`]
//! - `budgets`: [`Budgets`]
//! - `choices`: [`Choices`]
//! - `openings`: [`Openings`]
//! - `queueing`, `receiving`, `delivering`: [`Enqueue`] with [`Dequeue`]
//! - `parking`: [`Park`] with [`DeadLetters`], and the turns and the queue that a redrive touches ([`Parking`])
//!
//! # Example
//!
//! ```
//! use std::sync::Arc;
//! use store::{MemoryStore, conformance};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let store = MemoryStore::default();
//! conformance::turns(|| Arc::new(store.clone())).await;
//! conformance::queue(|| Arc::new(MemoryStore::default())).await;
//! # });
//! ```

#![expect(clippy::unwrap_used, reason = "a case that fails panics: it is a test that lives in a library")]
#![expect(clippy::panic, reason = "a case that fails panics: it is a test that lives in a library")]

mod budgets;
mod choices;
mod claims;
mod delivering;
mod keeping;
mod openings;
mod parking;
mod queueing;
mod receiving;
mod remembering;
mod reopening;
mod signals;
mod tokens;
mod writes;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use chat::{BotId, ChatId, Conversation, ConversationKey, EventId, PlatformId, Timestamp, TurnKey};

use crate::{
    Budgets, Choices, Conversations, DeadLetters, Dequeue, Enqueue, Openings, Park, QueueItem, Signals,
    Tokens, Turns,
};

/// A queue from both ends.
pub trait Queue: Enqueue + Dequeue {}

impl<Q: Enqueue + Dequeue> Queue for Q {}

/// Runs every case for [`Turns`].
///
/// # Panics
///
/// When a case fails; names all that do.
pub async fn turns(store: impl Fn() -> Arc<dyn Turns>) {
    check(&[claims::CASES, writes::CASES, reopening::CASES], store).await;
}

/// Runs every case for [`Conversations`].
///
/// # Panics
///
/// When a case fails; names all that do.
pub async fn conversations(store: impl Fn() -> Arc<dyn Conversations>) {
    check(&[keeping::CASES, remembering::CASES], store).await;
}

/// Runs every case for [`Tokens`].
///
/// # Panics
///
/// When a case fails; names all that do.
pub async fn tokens(store: impl Fn() -> Arc<dyn Tokens>) {
    check(&[tokens::CASES], store).await;
}

/// Runs every case for [`Budgets`].
///
/// # Panics
///
/// When a case fails; names all that do.
pub async fn budgets(store: impl Fn() -> Arc<dyn Budgets>) {
    check(&[budgets::CASES], store).await;
}

/// Runs every case for [`Choices`].
///
/// # Panics
///
/// When a case fails; names all that do.
pub async fn choices(store: impl Fn() -> Arc<dyn Choices>) {
    check(&[choices::CASES], store).await;
}

/// Runs every case for [`Signals`].
///
/// # Panics
///
/// When a case fails; names all that do.
pub async fn signals(store: impl Fn() -> Arc<dyn Signals>) {
    check(&[signals::CASES], store).await;
}

/// Runs every case for [`Openings`].
///
/// # Panics
///
/// When a case fails; names all that do.
pub async fn openings(store: impl Fn() -> Arc<dyn Openings>) {
    check(&[openings::CASES], store).await;
}

/// Runs every case for [`Enqueue`] with [`Dequeue`]. `store` must give an empty queue each time.
///
/// # Panics
///
/// When a case fails; names all that do.
pub async fn queue(store: impl Fn() -> Arc<dyn Queue>) {
    check(&[queueing::CASES, receiving::CASES, delivering::CASES], store).await;
}

/// Dead letters from both ends.
pub trait Letters: Park + DeadLetters {}

impl<L: Park + DeadLetters> Letters for L {}

/// The queue that a redrive puts messages into, as far as the cases look at it.
#[async_trait]
pub trait Line: Send + Sync {
    /// Puts a message in as a webhook does.
    async fn put(&self, item: QueueItem, now: Timestamp);

    /// Takes everything out, oldest first: group and body.
    async fn take_all(&self, now: Timestamp) -> Vec<(ConversationKey, String)>;
}

#[async_trait]
impl<Q: Enqueue + Dequeue> Line for Q {
    async fn put(&self, item: QueueItem, now: Timestamp) {
        self.enqueue(item, now).await.unwrap();
    }

    async fn take_all(&self, now: Timestamp) -> Vec<(ConversationKey, String)> {
        let mut taken = Vec::new();
        while let Some(delivery) = self.next(now, ms(1_000)).await.unwrap() {
            assert_eq!(delivery.tries, 1, "all tries are before it");
            self.done(&delivery.receipt).await.unwrap();
            taken.push((delivery.group, delivery.body));
        }
        taken
    }
}

/// Dead letters, with the turns and the queue that a redrive touches.
pub struct Parking {
    /// The dead letters.
    pub letters: Arc<dyn Letters>,
    /// The turns that are reopened.
    pub turns: Arc<dyn Turns>,
    /// The queue that messages go back into.
    pub queue: Arc<dyn Line>,
}

/// Runs every case for [`Park`] and [`DeadLetters`]. The cases run one after the other, so they may share a queue.
///
/// # Panics
///
/// When a case fails; names all that do.
pub async fn dead_letters(store: impl Fn() -> Parking) {
    check(&[parking::CASES], || Arc::new(store())).await;
}

type Run<S> = fn(Arc<S>, Scope) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// One thing that a store must do.
struct Case<S: ?Sized> {
    name: &'static str,
    run: Run<S>,
}

/// Lists functions as cases under their own names.
macro_rules! cases {
    ($store:ty: $($name:ident),* $(,)?) => {
        pub(super) const CASES: &[super::Case<$store>] = &[$(super::Case {
            name: stringify!($name),
            run: |store, scope| Box::pin($name(store, scope)),
        }),*];
    };
}
use cases;

/// Each case is a task of its own, so that one failure does not hide the next.
async fn check<S: ?Sized + Send + Sync + 'static>(lists: &[&[Case<S>]], store: impl Fn() -> Arc<S>) {
    let mut failed = Vec::new();
    let mut run = 0;
    for case in lists.iter().copied().flatten() {
        run += 1;
        if tokio::spawn((case.run)(store(), Scope { case: case.name })).await.is_err() {
            failed.push(case.name);
        }
    }
    assert!(failed.is_empty(), "{} of {run} cases failed: {}", failed.len(), failed.join(", "));
}

/// Runs `count` tasks at once and gives what they return.
async fn at_once<T: Send + 'static, F>(count: u64, task: impl Fn(u64) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = (0..count).map(|number| tokio::spawn(task(number))).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

/// Makes keys that no other case has.
#[derive(Debug, Clone, Copy)]
struct Scope {
    case: &'static str,
}

impl Scope {
    fn conversation_of(self, name: &str) -> Conversation {
        Conversation {
            platform: PlatformId::parse("conformance").unwrap(),
            bot: self.bot("bot"),
            chat: ChatId::parse(name).unwrap(),
            thread: None,
            user: None,
        }
    }

    fn conversation(self, name: &str) -> ConversationKey {
        self.conversation_of(name).key()
    }

    fn turn(self, name: &str) -> TurnKey {
        TurnKey::new(&self.conversation_of("chat"), &EventId::parse(name).unwrap())
    }

    /// A bot's name holds 64 characters and a case's name may be longer, so the case is known by its fingerprint.
    fn bot(self, name: &str) -> BotId {
        let case = self.case.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        BotId::parse(format!("{name}-{case:016x}")).unwrap()
    }
}

/// The moment at which most cases begin: some day in 2026, this many milliseconds on.
fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + millis)
}

/// A span in milliseconds.
const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

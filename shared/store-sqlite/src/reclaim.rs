//! What a process that died had in work.

use store::StoreError;

use crate::SqliteStore;

/// Leases end, and items that are hidden or put off show again, as if their time had come: until when is of a clock that may
/// have been set back since.
const RECLAIM: &str = "
    UPDATE turns SET state = 'free' WHERE state = 'held';
    UPDATE queue SET in_work = 0, due = 0 WHERE in_work = 1 OR due > 0;
";

impl SqliteStore {
    /// Frees whatever looks in work. For the start of a process that is known to be alone on this file: what looks in
    /// work then was left behind by one that died, and waiting for its leases to end would keep people waiting for
    /// minutes. Fences keep counting, so that were the other alive after all it could still write nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]; nothing is changed then.
    pub async fn reclaim(&self) -> Result<(), StoreError> {
        self.database.run(|connection| Ok(connection.execute_batch(RECLAIM)?)).await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chat::{BotId, ChatId, Conversation, EventId, PlatformId, Timestamp, TurnKey};
    use store::{Claim, ClaimRequest, Dequeue as _, Ending, Enqueue as _, QueueItem, Turns as _};

    use super::*;

    #[tokio::test]
    async fn what_a_dead_process_held_is_free_at_once_and_its_fence_is_worthless() {
        let conversation = Conversation {
            platform: PlatformId::parse("feishu").unwrap(),
            bot: BotId::parse("b").unwrap(),
            chat: ChatId::parse("c").unwrap(),
            thread: None,
            user: None,
        };
        let key = TurnKey::new(&conversation, &EventId::parse("e").unwrap());
        let now = Timestamp::from_millis(1_000);
        let hour = Duration::from_secs(3_600);
        let request = ClaimRequest { now, lease: hour, accepted_at: now, keep_until: now.plus(hour * 24) };
        let store = SqliteStore::open_in_memory().unwrap();
        let item = QueueItem { group: conversation.key(), dedup: key.clone(), body: "sealed".into() };
        store.enqueue(item, now).await.unwrap();
        assert!(store.next(now, hour).await.unwrap().is_some());
        let Claim::Granted(dead) = store.claim(&key, request).await.unwrap() else { panic!("it is new") };
        assert!(store.next(now, hour).await.unwrap().is_none());
        let other = Conversation { chat: ChatId::parse("d").unwrap(), ..conversation };
        let item = QueueItem { group: other.key(), dedup: key.clone(), body: "put off".into() };
        store
            .enqueue(QueueItem { dedup: TurnKey::new(&other, &EventId::parse("e").unwrap()), ..item }, now)
            .await
            .unwrap();
        let put_off = store.next(now, hour).await.unwrap().unwrap();
        store.again(&put_off.receipt, now.plus(hour)).await.unwrap();

        store.reclaim().await.unwrap();

        for body in ["sealed", "put off"] {
            let delivery = store.next(now, hour).await.unwrap().unwrap();
            assert_eq!((delivery.body.as_str(), delivery.tries), (body, 2));
        }
        let Claim::Granted(alive) = store.claim(&key, request).await.unwrap() else { panic!("it is free") };
        assert!(alive.fence > dead.fence);
        assert_eq!(store.end(&key, dead.fence, Ending::Done).await, Err(StoreError::FenceLost));
    }
}

//! Shared tokens.

use std::sync::Arc;

use chat::{BotId, PlatformId};

use super::{Scope, at, at_once, cases};
use crate::{SealedToken, TokenSlot, Tokens};

cases!(dyn Tokens:
    an_unused_slot_is_empty,
    any_token_comes_back,
    the_last_writer_wins,
    the_slots_of_a_bot_are_apart,
    bots_are_apart,
    platforms_are_apart,
    no_name_can_imitate_another,
    a_token_that_has_ended_still_comes_back,
    of_tokens_put_at_once_one_stands_whole,
);

fn platform(name: &str) -> PlatformId {
    PlatformId::parse(name).unwrap()
}

fn token(text: &str, ends: i64) -> SealedToken {
    SealedToken { sealed: text.as_bytes().to_vec(), ends_at: at(ends) }
}

async fn text(store: &Arc<dyn Tokens>, platform: &PlatformId, bot: &BotId, slot: TokenSlot) -> String {
    let token = store.token(platform, bot, slot).await.unwrap();
    token.map_or_else(String::new, |token| String::from_utf8(token.sealed).unwrap())
}

async fn an_unused_slot_is_empty(store: Arc<dyn Tokens>, scope: Scope) {
    for slot in [TokenSlot::Access, TokenSlot::Identity] {
        assert_eq!(store.token(&platform("p"), &scope.bot("a"), slot).await, Ok(None));
    }
}

async fn any_token_comes_back(store: Arc<dyn Tokens>, scope: Scope) {
    for sealed in [vec![], vec![0, 0xff], vec![7; 5_000]] {
        let token = SealedToken { sealed, ends_at: at(3) };
        store.put_token(&platform("p"), &scope.bot("a"), TokenSlot::Access, token.clone()).await.unwrap();
        assert_eq!(store.token(&platform("p"), &scope.bot("a"), TokenSlot::Access).await, Ok(Some(token)));
    }
}

async fn the_last_writer_wins(store: Arc<dyn Tokens>, scope: Scope) {
    let (platform, bot) = (platform("p"), scope.bot("a"));
    for (name, ends) in [("first", 9_000), ("second", 5_000)] {
        store.put_token(&platform, &bot, TokenSlot::Access, token(name, ends)).await.unwrap();
    }
    assert_eq!(store.token(&platform, &bot, TokenSlot::Access).await, Ok(Some(token("second", 5_000))));
}

async fn the_slots_of_a_bot_are_apart(store: Arc<dyn Tokens>, scope: Scope) {
    let (platform, bot) = (platform("p"), scope.bot("a"));
    store.put_token(&platform, &bot, TokenSlot::Access, token("access", 1)).await.unwrap();
    assert_eq!(store.token(&platform, &bot, TokenSlot::Identity).await, Ok(None));
    store.put_token(&platform, &bot, TokenSlot::Identity, token("identity", 1)).await.unwrap();
    assert_eq!(text(&store, &platform, &bot, TokenSlot::Access).await, "access");
    assert_eq!(text(&store, &platform, &bot, TokenSlot::Identity).await, "identity");
}

async fn bots_are_apart(store: Arc<dyn Tokens>, scope: Scope) {
    for name in ["a", "b"] {
        let bot = scope.bot(name);
        store.put_token(&platform("p"), &bot, TokenSlot::Access, token(name, 1)).await.unwrap();
    }
    assert_eq!(text(&store, &platform("p"), &scope.bot("a"), TokenSlot::Access).await, "a");
}

async fn platforms_are_apart(store: Arc<dyn Tokens>, scope: Scope) {
    for name in ["p", "q"] {
        let bot = scope.bot("a");
        store.put_token(&platform(name), &bot, TokenSlot::Access, token(name, 1)).await.unwrap();
    }
    assert_eq!(text(&store, &platform("p"), &scope.bot("a"), TokenSlot::Access).await, "p");
}

async fn no_name_can_imitate_another(store: Arc<dyn Tokens>, scope: Scope) {
    let rest = scope.bot("c");
    let longer = BotId::parse(format!("b-{rest}")).unwrap();
    store.put_token(&platform("a-b"), &rest, TokenSlot::Access, token("one", 1)).await.unwrap();
    store.put_token(&platform("a"), &longer, TokenSlot::Access, token("two", 1)).await.unwrap();
    assert_eq!(text(&store, &platform("a-b"), &rest, TokenSlot::Access).await, "one");
}

async fn a_token_that_has_ended_still_comes_back(store: Arc<dyn Tokens>, scope: Scope) {
    let (platform, bot) = (platform("p"), scope.bot("a"));
    store.put_token(&platform, &bot, TokenSlot::Access, token("old", -1_000_000)).await.unwrap();
    assert_eq!(store.token(&platform, &bot, TokenSlot::Access).await, Ok(Some(token("old", -1_000_000))));
}

async fn of_tokens_put_at_once_one_stands_whole(store: Arc<dyn Tokens>, scope: Scope) {
    at_once(8, |number| {
        let (store, bot) = (Arc::clone(&store), scope.bot("a"));
        let moment = i64::try_from(number).unwrap();
        async move {
            let token = token(&number.to_string(), moment);
            store.put_token(&platform("p"), &bot, TokenSlot::Access, token).await.unwrap();
        }
    })
    .await;
    let standing = store.token(&platform("p"), &scope.bot("a"), TokenSlot::Access).await.unwrap().unwrap();
    let number: i64 = String::from_utf8(standing.sealed).unwrap().parse().unwrap();
    assert_eq!(standing.ends_at, at(number), "value and end are of one writer");
}

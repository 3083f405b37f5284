//! Bots follow their keys: at the start, when they grow old, and when a verification fails.

#![expect(clippy::unwrap_used, reason = "a test's helpers may fail the test")]

mod fake;

use std::{sync::Arc, time::Duration};

use chat::{BotId, PlatformId, Timestamp};
use fake::{FAKE, Store};
use settings::{
    BotSettings, Bots, Mistakes,
    bots::{KEY_REFRESH, REFRESH_MIN},
};

const START: Timestamp = Timestamp::from_millis(1_000_000);
const KEYS: &str = r#"{"key": "first", "other": "x"}"#;
const RENEWED: &str = r#"{"key": "second", "other": "x"}"#;
const MOMENT: Duration = Duration::from_millis(1);

fn bot(name: &str, platform: &str) -> BotSettings {
    BotSettings {
        platform: PlatformId::parse(platform).unwrap(),
        bot: BotId::parse(name).unwrap(),
        keys: format!("env:{}", name.to_uppercase()).parse().unwrap(),
        base_url: None,
        persona: None,
        merge: None,
        models: Vec::new(),
    }
}

async fn connect(store: &Arc<Store>, bots: Vec<BotSettings>) -> Result<Bots, Mistakes> {
    let secrets: Arc<Store> = Arc::clone(store);
    Bots::connect(bots, &[FAKE], secrets, START).await
}

/// A store with one bot's keys, and that bot.
async fn one() -> (Arc<Store>, Bots) {
    let store = Arc::new(Store::default());
    store.put("env:A", KEYS, None);
    let bots = connect(&store, vec![bot("a", "fake")]).await.unwrap();
    (store, bots)
}

/// The keys that the bot is served with.
async fn served(bots: &Bots, now: Timestamp) -> String {
    bots.find("fake", "a", now).await.unwrap().platform.id().to_string()
}

#[tokio::test]
async fn a_function_connects_its_own_platform_only() {
    let store = Arc::new(Store::default());
    store.put("env:A", KEYS, None);
    let bots = connect(&store, vec![bot("a", "fake"), bot("b", "another")]).await.unwrap();
    assert_eq!(store.asked(), 1, "no other platform's secrets are fetched");
    let names: Vec<_> = bots.list().iter().map(|(p, b)| format!("{p}/{b}")).collect();
    assert_eq!(names, ["fake/a"]);
    for (platform, name) in [("another", "b"), ("fake", "b"), ("another", "a"), ("", ""), ("FAKE", "a")] {
        assert!(bots.find(platform, name, START).await.is_none(), "{platform}/{name}");
        assert!(bots.refreshed(platform, name, START).await.is_none(), "{platform}/{name}");
    }
}

#[tokio::test]
async fn the_base_address_reaches_the_platform() {
    let store = Arc::new(Store::default());
    store.put("env:A", KEYS, None);
    let settings = BotSettings { base_url: Some("http://localhost:1".parse().unwrap()), ..bot("a", "fake") };
    let bots = connect(&store, vec![settings]).await.unwrap();
    assert_eq!(served(&bots, START).await, "first-localhost");
}

#[tokio::test]
async fn all_key_problems_of_all_bots_are_told_together() {
    let store = Arc::new(Store::default());
    store.put("env:A", r#"{"key": "", "note": "hidden"}"#, None);
    store.put("env:B", "hidden", None);
    store.put("env:D", KEYS, None);
    let settings = ["a", "b", "c", "d"].map(|name| bot(name, "fake")).to_vec();
    let mistakes = connect(&store, settings).await.unwrap_err();
    let told: Vec<_> = mistakes.0.iter().map(|m| (m.key.as_str(), m.found.as_str())).collect();
    assert_eq!(
        told,
        [
            ("bots.a.keys", "`env:A`, where `key` is empty"),
            ("bots.a.keys", "`env:A`, where the keys have no `other`"),
            ("bots.b.keys", "`env:B`, where the keys are not a JSON object whose values are texts"),
            ("bots.c.keys", "`env:C`, where there is no such secret"),
        ]
    );
    assert!(!mistakes.to_string().contains("hidden"));
}

#[tokio::test]
async fn keys_are_fetched_again_when_they_are_old_and_not_before() {
    let (store, bots) = one().await;
    store.put("env:A", RENEWED, Some(KEYS));
    assert_eq!(served(&bots, START.plus(KEY_REFRESH - MOMENT)).await, "first");
    assert_eq!(store.asked(), 1);
    let later = START.plus(KEY_REFRESH);
    assert_eq!(served(&bots, later).await, "second-first");
    assert_eq!(store.asked(), 2);
    // Nothing new: the same bot goes on.
    let before = bots.find("fake", "a", later).await.unwrap();
    let after = bots.find("fake", "a", later.plus(KEY_REFRESH)).await.unwrap();
    assert_eq!(store.asked(), 3);
    assert!(Arc::ptr_eq(&before, &after));
    // The version before is gone: it is not accepted any more.
    store.put("env:A", RENEWED, None);
    assert_eq!(served(&bots, later.plus(KEY_REFRESH * 2)).await, "second");
}

#[tokio::test]
async fn a_failing_refresh_keeps_the_old_keys_and_waits_before_the_next() {
    let (store, bots) = one().await;
    store.lose("env:A");
    let later = START.plus(KEY_REFRESH);
    assert_eq!(served(&bots, later).await, "first");
    assert_eq!(served(&bots, later.plus(MOMENT)).await, "first");
    assert_eq!(store.asked(), 2, "a store that is down is not asked at every event");
    store.put("env:A", "not keys", None);
    assert_eq!(served(&bots, later.plus(KEY_REFRESH)).await, "first");
    store.put("env:A", RENEWED, None);
    assert_eq!(served(&bots, later.plus(KEY_REFRESH * 2)).await, "second");
}

#[tokio::test]
async fn a_failed_verification_brings_newer_keys_only() {
    let (store, bots) = one().await;
    let later = START.plus(REFRESH_MIN);
    assert!(bots.refreshed("fake", "a", later).await.is_none(), "the same keys are not worth another try");
    store.put("env:A", RENEWED, None);
    let later = later.plus(REFRESH_MIN);
    assert_eq!(bots.refreshed("fake", "a", later).await.unwrap().platform.id().as_str(), "second");
    assert_eq!(served(&bots, later).await, "second");
}

#[tokio::test]
async fn refresh_min_a_forger_does_not_make_us_a_load_on_the_secret_store() {
    let (store, bots) = one().await;
    store.put("env:A", RENEWED, None);
    assert!(bots.refreshed("fake", "a", START.plus(REFRESH_MIN - MOMENT)).await.is_none());
    assert_eq!(store.asked(), 1);
    for forged in 0..1000 {
        bots.refreshed("fake", "a", START.plus(REFRESH_MIN + MOMENT * forged)).await;
    }
    assert_eq!(store.asked(), 2);
}

#[tokio::test]
async fn at_one_time_one_fetch_serves_all_who_wait() {
    let (store, bots) = one().await;
    store.put("env:A", RENEWED, None);
    let now = START.plus(KEY_REFRESH);
    let (a, b, c) = tokio::join!(
        bots.refreshed("fake", "a", now),
        bots.refreshed("fake", "a", now),
        // Who only looks for the bot does not wait for another's fetch.
        bots.find("fake", "a", now),
    );
    assert_eq!(store.asked(), 2);
    assert_eq!(a.unwrap().platform.id().as_str(), "second");
    assert_eq!(b.unwrap().platform.id().as_str(), "second");
    assert_eq!(c.unwrap().platform.id().as_str(), "first");
}

#[tokio::test]
async fn a_spoilt_previous_version_does_not_stop_the_current_one() {
    for previous in ["not json", "{}", r#"{"key": ""}"#] {
        let store = Arc::new(Store::default());
        store.put("env:A", KEYS, Some(previous));
        let bots = connect(&store, vec![bot("a", "fake")]).await.unwrap();
        assert_eq!(served(&bots, START).await, "first", "{previous}");
    }
}

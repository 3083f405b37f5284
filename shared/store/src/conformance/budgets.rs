//! What was spent.

use std::sync::Arc;

use chat::{BotId, PlatformId, Timestamp, UserId};

use super::{Scope, at_once, cases};
use crate::{Account, Budgets, Month};

cases!(dyn Budgets:
    an_account_begins_with_nothing_spent,
    what_is_spent_adds_up,
    accounts_and_months_are_apart,
    spending_at_once_all_counts,
    large_sums_are_kept_exactly,
);

const KEPT: Timestamp = Timestamp::from_millis(1_900_000_000_000);

fn november() -> Month {
    Month::of(Timestamp::from_millis(1_795_000_000_000))
}

fn december() -> Month {
    Month::of(Timestamp::from_millis(1_797_000_000_000))
}

/// An account that no other case has.
fn account(scope: Scope, name: &str) -> Account {
    let user = format!("{}/{name}", scope.conversation("a").as_str());
    Account::of_user(&PlatformId::parse("p").unwrap(), &UserId::parse(user).unwrap())
}

async fn an_account_begins_with_nothing_spent(store: Arc<dyn Budgets>, scope: Scope) {
    assert_eq!(store.spent(&account(scope, "a"), november()).await, Ok(0));
}

async fn what_is_spent_adds_up(store: Arc<dyn Budgets>, scope: Scope) {
    for micros in [5, 0, 37] {
        store.spend(&account(scope, "a"), november(), micros, KEPT).await.unwrap();
    }
    assert_eq!(store.spent(&account(scope, "a"), november()).await, Ok(42));
}

async fn accounts_and_months_are_apart(store: Arc<dyn Budgets>, scope: Scope) {
    store.spend(&account(scope, "a"), november(), 5, KEPT).await.unwrap();
    assert_eq!(store.spent(&account(scope, "b"), november()).await, Ok(0));
    assert_eq!(store.spent(&account(scope, "a"), december()).await, Ok(0));
    let bot = Account::of_bot(&PlatformId::parse("p").unwrap(), &BotId::parse("b").unwrap());
    store.spend(&bot, november(), 1, KEPT).await.unwrap();
    assert_eq!(store.spent(&account(scope, "a"), november()).await, Ok(5));
}

async fn spending_at_once_all_counts(store: Arc<dyn Budgets>, scope: Scope) {
    let shared = store.clone();
    at_once(8, move |_| {
        let (store, account) = (shared.clone(), account(scope, "a"));
        async move { store.spend(&account, november(), 3, KEPT).await.unwrap() }
    })
    .await;
    assert_eq!(store.spent(&account(scope, "a"), november()).await, Ok(24));
}

async fn large_sums_are_kept_exactly(store: Arc<dyn Budgets>, scope: Scope) {
    // A hundred million of any currency, to the last millionth.
    let large = 100_000_000_000_001;
    store.spend(&account(scope, "a"), november(), large, KEPT).await.unwrap();
    store.spend(&account(scope, "a"), november(), 1, KEPT).await.unwrap();
    assert_eq!(store.spent(&account(scope, "a"), november()).await, Ok(large + 1));
}

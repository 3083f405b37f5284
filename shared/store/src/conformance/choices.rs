//! What people chose.

use std::sync::Arc;

use super::{Scope, at, cases};
use crate::Choices;

cases!(dyn Choices:
    nothing_is_chosen_at_first,
    the_last_choice_counts,
    a_choice_can_be_taken_back,
    conversations_choose_for_themselves,
    what_is_past_its_time_is_not_chosen,
);

async fn choose(store: &Arc<dyn Choices>, scope: Scope, model: Option<&str>) {
    store.choose(&scope.conversation("a"), model, at(1_000)).await.unwrap();
}

async fn chosen(store: &Arc<dyn Choices>, scope: Scope, now: i64) -> Option<String> {
    store.choice(&scope.conversation("a"), at(now)).await.unwrap()
}

async fn nothing_is_chosen_at_first(store: Arc<dyn Choices>, scope: Scope) {
    assert_eq!(chosen(&store, scope, 1).await, None);
}

async fn the_last_choice_counts(store: Arc<dyn Choices>, scope: Scope) {
    for model in ["qwen3-32b", "Größe/№1: \"x\""] {
        choose(&store, scope, Some(model)).await;
        assert_eq!(chosen(&store, scope, 1).await.as_deref(), Some(model));
    }
}

async fn a_choice_can_be_taken_back(store: Arc<dyn Choices>, scope: Scope) {
    choose(&store, scope, Some("m")).await;
    choose(&store, scope, None).await;
    assert_eq!(chosen(&store, scope, 1).await, None);
}

async fn conversations_choose_for_themselves(store: Arc<dyn Choices>, scope: Scope) {
    choose(&store, scope, Some("m")).await;
    assert_eq!(store.choice(&scope.conversation("b"), at(1)).await, Ok(None));
}

async fn what_is_past_its_time_is_not_chosen(store: Arc<dyn Choices>, scope: Scope) {
    choose(&store, scope, Some("m")).await;
    assert_eq!(chosen(&store, scope, 999).await.as_deref(), Some("m"));
    assert_eq!(chosen(&store, scope, 1_000).await, None);
}

//! Budgets: what an answer may cost, and what is booked.

use std::time::Duration;

use chat::{BotId, Clock as _, PlatformId, UserId};
use routing::Price;
use settings::{BudgetSettings, WhenSpent};
use simulator::{Fault, Say, Target};
use store::{Account, Budgets as _, Month};

use crate::support::{Setup, World};

/// A prompt's token costs 10 millionths, an answer's 20.
const PRICE: Option<Price> = Some(Price { prompt: 10_000_000, completion: 20_000_000 });

async fn with(budgets: BudgetSettings) -> World {
    World::with(Setup { budgets, price: PRICE, ..Setup::default() }).await
}

/// A question for the cloud: the local model does not take it.
async fn ask_the_cloud(world: &World, person: &str) -> String {
    world.local.script(Target::Model, [Fault::Status(404)]);
    world.feishu(&Say::direct(person, "hello")).await;
    world.seen().pop().unwrap()
}

async fn spent(world: &World, account: &Account) -> u64 {
    world.store.spent(account, Month::of(world.clock.now())).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_an_answer_costs_is_booked_where_there_is_a_budget() {
    let limit = Some(1_000_000);
    let all_limited =
        BudgetSettings { month: limit, bot_month: limit, user_month: limit, ..BudgetSettings::default() };
    let world = with(all_limited).await;
    world.feishu(&Say::direct("ann", "free of charge")).await;
    assert_eq!(spent(&world, &Account::all()).await, 0);
    ask_the_cloud(&world, "ann").await;
    ask_the_cloud(&world, "bob").await;
    let feishu = PlatformId::parse("feishu").unwrap();
    let (all, bot) = (Account::all(), Account::of_bot(&feishu, &BotId::parse("bot").unwrap()));
    let [ann, bob] =
        ["ann", "bob"].map(|user| Account::of_user(&feishu, &UserId::parse(format!("ou_{user}")).unwrap()));
    let (of_all, of_ann, of_bob) =
        (spent(&world, &all).await, spent(&world, &ann).await, spent(&world, &bob).await);
    assert!(of_ann > 0 && of_bob > 0);
    assert_eq!(of_all, of_ann + of_bob);
    assert_eq!(of_all, spent(&world, &bot).await);
}

#[tokio::test(start_paused = true)]
async fn a_budget_is_never_passed_and_what_is_free_goes_on() {
    // Room for an answer of the greatest length, and for nothing more after a few of the usual length.
    let limit = 25_000;
    let world = with(BudgetSettings { user_month: Some(limit), ..BudgetSettings::default() }).await;
    let mut answers = 0;
    for _ in 0..40 {
        answers += usize::from(!ask_the_cloud(&world, "ann").await.starts_with("Sorry"));
    }
    let ann = Account::of_user(&PlatformId::parse("feishu").unwrap(), &UserId::parse("ou_ann").unwrap());
    let spent = spent(&world, &ann).await;
    assert!(answers > 0 && answers < 40, "{answers}");
    assert!(spent <= limit && spent > 0, "{spent}");
    let last = ask_the_cloud(&world, "ann").await;
    assert!(last.starts_with("Sorry"), "{last}");
    // The local model costs nothing, and somebody else has a budget of their own.
    world.feishu(&Say::direct("ann", "free of charge")).await;
    assert!(!world.seen().pop().unwrap().starts_with("Sorry"));
    assert!(!ask_the_cloud(&world, "bob").await.starts_with("Sorry"));
}

#[tokio::test(start_paused = true)]
async fn a_stopped_answer_is_paid_for_as_far_as_it_came() {
    let world = with(BudgetSettings { month: Some(1_000_000), ..BudgetSettings::default() }).await;
    world.local.script(Target::Model, [Fault::Status(404)]);
    world.cloud.script(Target::Model, [Fault::Stall(Duration::from_secs(600))]);
    world
        .deliver(
            "feishu",
            &world.simulator.feishu_message("cli_a", &Say::direct("ann", "a long question")).unwrap(),
        )
        .await;
    let stop = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let stop = world.simulator.feishu_message("cli_a", &Say::direct("ann", "stop")).unwrap();
        world.deliver("feishu", &stop).await;
    };
    let _ = tokio::join!(world.step(), stop);
    assert!(world.seen().pop().unwrap().contains("Stopped"), "{:?}", world.seen());
    assert!(spent(&world, &Account::all()).await > 0);
}

#[tokio::test(start_paused = true)]
async fn where_a_spent_budget_stops_nobody_is_asked_until_the_next_month() {
    let stop = BudgetSettings { when_spent: WhenSpent::Stop, ..BudgetSettings::default() };
    let world = with(BudgetSettings { month: Some(0), ..stop }).await;
    world.feishu(&Say::direct("ann", "hello")).await;
    assert!(world.seen().pop().unwrap().contains("has been used up"), "{:?}", world.seen());
    world.feishu(&Say::direct("ann", "你好")).await;
    assert!(world.seen().pop().unwrap().contains("额度已经用完"), "{:?}", world.seen());
    assert!(world.local.model_requests().is_empty());

    let world = with(BudgetSettings { month: Some(30_000), ..stop }).await;
    let now = world.clock.now();
    let kept = now.plus(Duration::from_secs(1));
    world.store.spend(&Account::all(), Month::of(now), 30_000, kept).await.unwrap();
    world.feishu(&Say::direct("ann", "hello")).await;
    assert!(world.seen().pop().unwrap().contains("has been used up"));
    world.clock.advance(Duration::from_secs(31 * 86_400));
    world.feishu(&Say::direct("ann", "hello")).await;
    assert!(!world.seen().pop().unwrap().contains("has been used up"));
}

//! What it costs to decide who is asked: twenty endpoints, five rules, some endpoints to be left alone.
#![expect(clippy::expect_used, reason = "a benchmark that cannot build its own input has nothing to measure")]

use std::{hint::black_box, sync::Arc, time::Duration};

use async_trait::async_trait;
use chat::{AttachmentKind, BotId, ChatId, ChatKind, Conversation, PlatformId, Timestamp, UserId};
use criterion::Criterion;
use host::{SystemClock, SystemEntropy, SystemPause};
use routing::{
    Ask, Balance, Board, Clocks, Context, Endpoint, Line, Opening, Pattern, Place, Ports, Price, Prompt,
    Protocol, Route, Router, Rule, Strategy, Then, When,
};
use transport::{Limits, NetError, OutRequest, OutResponse, OutStream, Transport};

/// Nobody is there; no call is made while anything is measured.
struct Nowhere;

#[async_trait]
impl Transport for Nowhere {
    async fn call(&self, _: OutRequest, _: Limits) -> Result<OutResponse, NetError> {
        Err(NetError::Unreachable)
    }

    async fn stream(&self, _: OutRequest, _: Limits) -> Result<OutStream, NetError> {
        Err(NetError::Unreachable)
    }
}

/// Tells that every fourth endpoint is to be left alone.
struct EveryFourth;

#[async_trait]
impl Board for EveryFourth {
    async fn openings(&self, now: Timestamp) -> Vec<Opening> {
        let opening = |number| Opening {
            endpoint: format!("endpoint-{number}"),
            since: now,
            until: now.plus(Duration::from_secs(3_600 + number)),
            step: 1,
        };
        (0_u64..20).step_by(4).map(opening).collect()
    }

    async fn tell(&self, _: &Opening) {}
}

fn endpoint(number: u32) -> Endpoint {
    let place = if number < 10 { Place::Local } else { Place::Cloud };
    let url = format!("http://endpoint-{number}.test/v1/chat/completions").parse().expect("a URL");
    Endpoint {
        weight: 1 + number % 3,
        window: Some(32_768),
        vision: number.is_multiple_of(2),
        price: (place == Place::Cloud).then_some(Price { prompt: 2_000_000, completion: 8_000_000 }),
        ..Endpoint::new(format!("endpoint-{number}"), place, url, Protocol::ChatCompletions, "qwen3-32b")
    }
}

fn rule(name: &str, when: When, then: Then) -> Rule {
    Rule { name: name.into(), when, then }
}

/// Of all sorts; none holds for the question below, so that each is looked at to its end.
fn rules() -> Vec<Rule> {
    let ban = || Then { local_only: true, ..Then::default() };
    let strategy = |strategy| Then { strategy: Some(strategy), ..Then::default() };
    let users = (0..50).map(|number| UserId::parse(format!("ou_{number:032}")).expect("an id")).collect();
    let words = ["机密", "绝密", "薪酬", "confidential", "trade secret"].map(str::to_owned).to_vec();
    let number = Pattern::parse(r"\b\d{17}[\dXx]\b").expect("a pattern");
    vec![
        rule("board", When { users, chat: Some(ChatKind::Direct), ..When::default() }, ban()),
        rule("marks", When { words, ..When::default() }, ban()),
        rule("identity numbers", When { pattern: Some(number), ..When::default() }, ban()),
        rule("long", When { longer_than: Some(20_000), ..When::default() }, strategy(Strategy::CloudFirst)),
        rule(
            "files",
            When { attachments: vec![AttachmentKind::File], ..When::default() },
            strategy(Strategy::LocalOnly),
        ),
    ]
}

fn router(strategy: Strategy, balance: Balance, rules: Vec<Rule>) -> Router {
    let ports = Ports {
        transport: Arc::new(Nowhere),
        clock: Arc::new(SystemClock),
        pause: Arc::new(SystemPause),
        entropy: Arc::new(SystemEntropy),
        board: Some(Arc::new(EveryFourth)),
    };
    let route = Route { strategy, balance, rules, attempts: 1, ..Route::default() };
    let endpoints = (0..20).map(endpoint).collect();
    let router = Router::new(endpoints, route, Clocks::default(), ports).expect("a route");
    // One question reads the board.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let (prompt, context) = (Prompt::question("hi"), Context::default());
    let _ = runtime.block_on(router.ask(&Ask::whole(&prompt, &context, Duration::from_secs(1))));
    router
}

const QUESTION: &str = "请问我们公司的差旅报销流程是什么样的？需要准备哪些材料，多久能到账？";
const ANSWER: &str =
    "首先在系统里填写报销申请，附上发票和行程单，然后由直属主管审批，最后由财务在三个工作日内付款。";

/// A question after this many others with their answers.
fn prompt(before: usize) -> Prompt {
    let exchange = || [Line::user(QUESTION), Line::assistant(ANSWER)];
    let mut lines: Vec<_> = std::iter::repeat_with(exchange).take(before).flatten().collect();
    lines.push(Line::user(QUESTION));
    Prompt { system: Some("You are the help desk.".into()), lines, ..Prompt::default() }
}

fn context() -> Context {
    let bot = BotId::parse("helpdesk").expect("an id");
    let user = UserId::parse("ou_1").expect("an id");
    let conversation = Conversation {
        platform: PlatformId::parse("feishu").expect("an id"),
        bot: bot.clone(),
        chat: ChatId::parse("oc_1").expect("an id"),
        thread: None,
        user: Some(user.clone()),
    };
    Context {
        bot: Some(bot),
        chat: Some(ChatKind::Direct),
        user: Some(user),
        conversation: Some(conversation.key()),
        ..Context::default()
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let (first, tenth, context) = (prompt(0), prompt(10), context());
    let mut measure = |name: &str, router: &Router, prompt: &Prompt| {
        let ask = Ask::whole(prompt, &context, Duration::from_secs(90));
        let plan = router.plan(&ask);
        assert_eq!(plan.choices.len() + plan.left_out.len(), 20);
        criterion.bench_function(name, |bencher| bencher.iter(|| black_box(router.plan(black_box(&ask)))));
    };
    let all_rules = |strategy, balance| router(strategy, balance, rules());
    let affinity = all_rules(Strategy::LocalFirst, Balance::Affinity);
    measure("plan, 20 endpoints, 5 rules, local_first with affinity", &affinity, &first);
    measure("the same, after ten exchanges", &affinity, &tenth);
    let mut no_pattern = rules();
    no_pattern.retain(|rule| rule.when.pattern.is_none());
    let no_pattern = router(Strategy::LocalFirst, Balance::Affinity, no_pattern);
    measure("the same, after ten exchanges, without the pattern", &no_pattern, &tenth);
    measure(
        "plan, 20 endpoints, no rules, local_first",
        &router(Strategy::LocalFirst, Balance::Ordered, vec![]),
        &first,
    );
    for strategy in [
        Strategy::Affinity,
        Strategy::Weighted,
        Strategy::LeastLatency,
        Strategy::RoundRobin,
        Strategy::Cheapest,
    ] {
        let name = format!("plan, 20 endpoints, 5 rules, {}", strategy.as_str());
        measure(&name, &all_rules(strategy, Balance::Ordered), &first);
    }
    criterion.final_summary();
}

//! Plans of particular questions; what holds of all plans is in `properties`.

mod properties;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::time::Duration;

use bytes::Bytes;
use chat::{AttachmentKind, BotId, ChatId, ChatKind, Conversation, ConversationKey, PlatformId, UserId};

use super::*;
use crate::{
    AttemptOutcome, Balance, Context, Failure, Micros, Pattern, Picture, Place, Price, Prompt, Protocol,
    Rule, Then, When, health::Verdict, prompt::Line,
};

const NOW: Timestamp = Timestamp::from_millis(1_000_000);

/// Chance that counts.
#[derive(Default)]
struct Dice(AtomicU64);

impl Entropy for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        let next = self.0.fetch_add(0x1234_5678_9ABC_DEF1, Ordering::Relaxed);
        for (byte, value) in bytes.iter_mut().zip(next.to_le_bytes().into_iter().cycle()) {
            *byte = value;
        }
    }
}

/// A router as far as plans go.
struct Table {
    endpoints: Vec<Endpoint>,
    route: Route,
    health: Health,
    dice: Arc<Dice>,
}

impl Table {
    fn new(endpoints: Vec<Endpoint>, route: Route) -> Self {
        let dice = Arc::new(Dice::default());
        Self { health: Health::new(&endpoints, dice.clone()), endpoints, route, dice }
    }

    fn plan(&self, prompt: &Prompt, context: &Context) -> Plan {
        let grounds = Grounds {
            endpoints: &self.endpoints,
            route: &self.route,
            health: &self.health,
            entropy: &*self.dice,
            now: NOW,
        };
        plan(&grounds, &Ask::whole(prompt, context, Duration::from_secs(60)))
    }

    /// Who is asked this, in order.
    fn names(&self, prompt: &Prompt, context: &Context) -> String {
        let plan = self.plan(prompt, context);
        plan.choices.iter().map(|&index| self.endpoints[index].name.as_str()).collect::<Vec<_>>().join(" ")
    }

    fn usual(&self) -> String {
        self.names(&Prompt::question("hi"), &Context::default())
    }

    fn fail(&self, index: usize, failure: Failure) {
        let outcome = AttemptOutcome::Failed(failure);
        self.health.note(index, Verdict { outcome, started: NOW, first_token: None }, NOW);
    }

    fn answer_after(&self, index: usize, millis: u64) {
        let first_token = Some(Duration::from_millis(millis));
        let verdict = Verdict { outcome: AttemptOutcome::Answered, started: NOW, first_token };
        self.health.note(index, verdict, NOW);
    }
}

/// An endpoint is local when its name begins with `l`.
fn endpoint(name: &str) -> Endpoint {
    let place = if name.starts_with('l') { Place::Local } else { Place::Cloud };
    let url = format!("http://{name}/v1/chat/completions").parse().unwrap();
    Endpoint::new(name, place, url, Protocol::ChatCompletions, format!("model-of-{name}"))
}

fn endpoints(names: &[&str]) -> Vec<Endpoint> {
    names.iter().map(|name| endpoint(name)).collect()
}

fn table(names: &[&str], strategy: Strategy, balance: Balance) -> Table {
    Table::new(endpoints(names), Route { strategy, balance, ..Route::default() })
}

fn conversation(name: &str) -> ConversationKey {
    let (platform, bot, chat) = ("feishu", "bot", name);
    let platform = PlatformId::parse(platform).unwrap();
    let (bot, chat) = (BotId::parse(bot).unwrap(), ChatId::parse(chat).unwrap());
    Conversation { platform, bot, chat, thread: None, user: None }.key()
}

fn in_conversation(number: u32) -> Context {
    Context { conversation: Some(conversation(&format!("chat-{number}"))), ..Context::default() }
}

fn rule(when: When, then: Then) -> Rule {
    Rule { name: "rule".into(), when, then }
}

/// Whether a rule with this condition steers this question to the cloud, which the route would not.
fn holds(when: When, prompt: &Prompt, context: &Context) -> bool {
    let then = Then { strategy: Some(Strategy::CloudFirst), ..Then::default() };
    let route = Route { rules: vec![rule(when, then)], ..Route::default() };
    let plan = Table::new(endpoints(&["l", "c"]), route).plan(prompt, context);
    assert_eq!(plan.rules.len(), usize::from(plan.strategy == Strategy::CloudFirst));
    plan.choices == [1, 0]
}

fn said(lines: &[&str]) -> Prompt {
    let lines = lines.iter().map(|line| Line::user(*line)).collect();
    Prompt { system: Some("a secret persona".into()), lines, ..Prompt::default() }
}

#[test]
fn places_come_in_the_strategys_order() {
    for (strategy, order) in [
        (Strategy::LocalFirst, "l1 l2 c1 c2"),
        (Strategy::CloudFirst, "c1 c2 l1 l2"),
        (Strategy::LocalOnly, "l1 l2"),
        (Strategy::CloudOnly, "c1 c2"),
        (Strategy::Cheapest, "c1 l1 c2 l2"),
    ] {
        assert_eq!(table(&["c1", "l1", "c2", "l2"], strategy, Balance::Ordered).usual(), order);
    }
}

#[test]
fn who_was_asked_longest_ago_has_its_turn() {
    let table = table(&["l1", "l2", "l3", "c"], Strategy::LocalFirst, Balance::RoundRobin);
    for order in ["l1 l2 l3 c", "l2 l3 l1 c", "l3 l1 l2 c", "l1 l2 l3 c"] {
        assert_eq!(table.usual(), order);
        assert_eq!(table.usual(), order, "a plan alone takes no turn");
        let first = table.plan(&Prompt::question("hi"), &Context::default()).choices[0];
        drop(table.health.admit(first, NOW));
    }
}

#[test]
fn weights_are_shares() {
    let mut table = table(&["l1", "l3", "l0"], Strategy::Weighted, Balance::Ordered);
    table.endpoints[1].weight = 3;
    table.endpoints[2].weight = 0;
    let mut first = [0, 0, 0];
    for _ in 0..4_000 {
        first[table.plan(&Prompt::question("hi"), &Context::default()).choices[0]] += 1;
    }
    assert!((900..1_100).contains(&first[0]) && first[2] == 0, "{first:?}");
}

#[test]
fn the_faster_of_two_goes_first_and_the_slowest_never() {
    let table = table(&["a", "b", "c"], Strategy::LeastLatency, Balance::Ordered);
    for (index, millis) in [900, 300, 600].into_iter().enumerate() {
        table.answer_after(index, millis);
    }
    let mut first = [0, 0, 0];
    for _ in 0..3_000 {
        first[table.plan(&Prompt::question("hi"), &Context::default()).choices[0]] += 1;
    }
    assert!(first[0] == 0 && (1_800..2_200).contains(&first[1]), "{first:?}");
    let _busy: Vec<_> = (0..3).map(|_| table.health.admit(1, NOW)).collect();
    assert!(!table.usual().starts_with('b'), "300 ms for each of four are more than 900");
}

#[test]
fn a_lost_race_makes_an_endpoint_slow() {
    let table = table(&["a", "b"], Strategy::LeastLatency, Balance::Ordered);
    table.answer_after(0, 100);
    table.answer_after(1, 200);
    assert_eq!(table.usual(), "a b");
    let outrun =
        Verdict { outcome: AttemptOutcome::Outrun, started: NOW, first_token: Some(Duration::from_secs(3)) };
    table.health.note(0, outrun, NOW);
    assert_eq!(table.usual(), "b a");
}

#[test]
fn the_cheapest_goes_first_and_no_price_is_free() {
    let mut table = table(&["dear", "cheap", "lfree"], Strategy::Cheapest, Balance::Ordered);
    table.endpoints[0].price = Some(Price { prompt: 9_000_000, completion: 9_000_000 });
    table.endpoints[1].price = Some(Price { prompt: 1_000_000, completion: 1_000_000 });
    assert_eq!(table.usual(), "lfree cheap dear");
}

#[test]
fn a_conversation_stays_and_few_move_when_one_is_gone() {
    let table = table(&["l1", "l2", "l3", "l4", "c"], Strategy::LocalFirst, Balance::Affinity);
    let first = |number| table.plan(&Prompt::question("hi"), &in_conversation(number)).choices[0];
    let before: Vec<_> = (0..400).map(first).collect();
    assert_eq!(before, (0..400).map(first).collect::<Vec<_>>());
    for index in 0..4 {
        let share = before.iter().filter(|&&first| first == index).count();
        assert!((70..130).contains(&share), "{index}: {share}");
    }
    table.fail(2, Failure::Unreachable);
    for (number, before) in (0..400).zip(before) {
        let after = first(number);
        assert!(if before == 2 { after != 2 } else { after == before }, "only its own move");
    }
}

#[test]
fn affinity_gives_way_to_a_bound_on_what_is_in_work() {
    let table = table(&["l1", "l2", "l3", "l4"], Strategy::Affinity, Balance::Ordered);
    let context = in_conversation(1);
    let mut held = Vec::new();
    let mut load = [0; 4];
    for _ in 0..40 {
        let first = table.plan(&Prompt::question("hi"), &context).choices[0];
        load[first] += 1;
        held.push(table.health.admit(first, NOW));
    }
    assert!(load.iter().all(|&load| load <= 13), "a quarter more than ten: {load:?}");
    drop(held);
}

#[test]
fn affinity_counts_weights() {
    let mut table = table(&["l1", "l3", "l0"], Strategy::Affinity, Balance::Ordered);
    table.endpoints[1].weight = 3;
    table.endpoints[2].weight = 0;
    let mut first = [0, 0, 0];
    for number in 0..2_000 {
        first[table.plan(&Prompt::question("hi"), &in_conversation(number)).choices[0]] += 1;
    }
    assert!((400..600).contains(&first[0]) && first[2] == 0, "{first:?}");
}

#[test]
fn a_persons_choice_goes_first_where_it_may() {
    let names = &["l1", "l2", "c1", "c2"];
    let table = table(names, Strategy::LocalFirst, Balance::Ordered);
    let choose = |model: &str| Context { model: Some(model.to_owned()), ..Context::default() };
    let prompt = Prompt::question("hi");
    for (model, order) in [
        ("l2", "l2 l1 c1 c2"),
        ("c2", "c2 l1 l2 c1"),
        ("model-of-c1", "c1 l1 l2 c2"),
        ("unknown", "l1 l2 c1 c2"),
    ] {
        assert_eq!(table.names(&prompt, &choose(model)), order);
    }
    let only = super::tests::table(names, Strategy::LocalOnly, Balance::Ordered);
    assert_eq!(only.names(&prompt, &choose("c2")), "l1 l2");
    table.fail(1, Failure::Unreachable);
    assert_eq!(
        table.names(&prompt, &choose("l2")),
        "l1 c1 c2 l2",
        "who is down is not asked first by choice"
    );
}

#[test]
fn who_is_left_alone_comes_last_and_the_soonest_back_before_the_others() {
    let table = table(&["l1", "l2", "c1", "c2"], Strategy::LocalFirst, Balance::Ordered);
    table.fail(0, Failure::Auth(401));
    table.fail(2, Failure::Unreachable);
    assert_eq!(table.usual(), "l2 c2 c1 l1");
    table.fail(1, Failure::RateLimited { retry_after: Some(Duration::from_secs(5)) });
    table.fail(3, Failure::RateLimited { retry_after: Some(Duration::from_secs(3)) });
    assert_eq!(table.usual(), "c2 l2 c1 l1", "and never nobody");
}

#[test]
fn conditions_are_about_what_is_known() {
    let prompt = Prompt::question("hi");
    let bot = |name: &str| BotId::parse(name).unwrap();
    let user = |name: &str| UserId::parse(name).unwrap();
    let context = Context {
        bot: Some(bot("b")),
        chat: Some(ChatKind::Group),
        user: Some(user("u")),
        attachments: vec![AttachmentKind::File],
        ..Context::default()
    };
    let nobody = Context::default();
    let bots = |names: &[&str]| When { bots: names.iter().map(|n| bot(n)).collect(), ..When::default() };
    let users = |names: &[&str]| When { users: names.iter().map(|n| user(n)).collect(), ..When::default() };
    let chat = |kind| When { chat: Some(kind), ..When::default() };
    let came = |kind| When { attachments: vec![kind], ..When::default() };
    for (when, expected) in [
        (When::default(), true),
        (bots(&["a", "b"]), true),
        (bots(&["a"]), false),
        (users(&["t", "u"]), true),
        (users(&["t"]), false),
        (chat(ChatKind::Group), true),
        (chat(ChatKind::Direct), false),
        (came(AttachmentKind::File), true),
        (came(AttachmentKind::Picture), false),
        (When { chat: Some(ChatKind::Group), ..bots(&["a"]) }, false),
    ] {
        assert_eq!(holds(when.clone(), &prompt, &context), expected, "{when:?}");
        assert_eq!(holds(when.clone(), &prompt, &nobody), when == When::default(), "{when:?}");
    }
}

#[test]
fn conditions_are_about_the_line_to_answer_and_length_about_all() {
    let context = Context::default();
    let words = |word: &str| When { words: vec!["other".into(), fold::fold(word)], ..When::default() };
    let pattern = |text| When { pattern: Some(Pattern::parse(text).unwrap()), ..When::default() };
    for (when, lines, expected) in [
        (words("Salary"), &["the SALARY list"][..], true),
        (words("工资"), &["工资表"], true),
        (words("salary"), &["salary", "hi"], false),
        (words("secret"), &["hi"], false),
        (pattern(r"\d{3}"), &["room 101"], true),
        (pattern(r"\d{3}"), &["101", "hi"], false),
        (When { longer_than: Some(100), ..When::default() }, &["一二三四五六七八九十", "hi"], false),
        (When { longer_than: Some(20), ..When::default() }, &["一二三四五六七八九十", "hi"], true),
        (When { shorter_than: Some(20), ..When::default() }, &["一二三四五六七八九十", "hi"], false),
        (When { shorter_than: Some(100), ..When::default() }, &["hi"], true),
        (When { longer_than: Some(0), shorter_than: Some(100), ..When::default() }, &[], true),
        (words("secret"), &[], false),
    ] {
        assert_eq!(holds(when.clone(), &said(lines), &context), expected, "{when:?} {lines:?}");
    }
}

#[test]
fn a_ban_looks_at_all_that_would_be_sent_and_never_at_the_persona() {
    let ban = |when| Route {
        rules: vec![rule(when, Then { local_only: true, ..Then::default() })],
        ..Route::default()
    };
    let words = ban(When { words: vec!["secret".into()], ..When::default() });
    let pattern = ban(When { pattern: Some(Pattern::parse("(?i)secret").unwrap()), ..When::default() });
    for route in [words, pattern] {
        let table = Table::new(endpoints(&["l", "c"]), route);
        for (lines, order) in
            [(&["top SECRET"][..], "l"), (&["top SECRET", "and now?"], "l"), (&["hi"], "l c")]
        {
            assert_eq!(table.names(&said(lines), &Context::default()), order, "{lines:?}");
        }
        let plan = table.plan(&said(&["secret"]), &Context::default());
        assert_eq!(plan.left_out, [(1, LeftOut::Rule("rule".into()))]);
        assert_eq!(plan.rules, ["rule"]);
    }
}

#[test]
fn the_first_rule_decides_what_only_one_can_and_bans_add_up() {
    let then = |strategy, names: &[&str]| Then {
        strategy,
        endpoints: names.iter().map(|&name| name.to_owned()).collect(),
        ..Then::default()
    };
    let rules = vec![
        rule(When::default(), then(None, &["l1", "c1"])),
        rule(When::default(), then(Some(Strategy::CloudFirst), &["l2"])),
        rule(When::default(), then(Some(Strategy::LocalOnly), &[])),
    ];
    let route = Route { rules, ..Route::default() };
    let mut table = Table::new(endpoints(&["l1", "l2", "c1", "c2"]), route);
    assert_eq!(table.usual(), "c1 l1");
    let ban =
        Rule { name: "ban".into(), ..rule(When::default(), Then { local_only: true, ..Then::default() }) };
    table.route.rules.push(ban);
    let plan = table.plan(&Prompt::question("hi"), &Context::default());
    let because = |name: &str| LeftOut::Rule(name.into());
    assert_eq!(plan.choices, [0]);
    assert_eq!(plan.left_out, [(1, because("rule")), (2, because("ban")), (3, because("ban"))]);
}

#[test]
fn a_ban_and_a_strategy_that_wants_the_cloud_leave_nobody() {
    let then = Then { local_only: true, ..Then::default() };
    let rules = vec![rule(When::default(), then)];
    let route = Route { strategy: Strategy::CloudOnly, rules, ..Route::default() };
    assert_eq!(Table::new(endpoints(&["l", "c"]), route).usual(), "");
}

#[test]
fn pictures_go_to_vision_and_only_when_they_can_be_seen() {
    let mut table = table(&["l", "c"], Strategy::LocalFirst, Balance::Ordered);
    table.endpoints[1].vision = true;
    let mut prompt = Prompt::question("what is this?");
    let context = Context { attachments: vec![AttachmentKind::Picture], ..Context::default() };
    assert_eq!(table.names(&prompt, &context), "l c", "it was not fetched, so nobody sees it");
    let picture = Picture { media_type: "image/png".into(), data: Bytes::from_static(b"png") };
    prompt.lines[0].pictures.push(picture);
    prompt.lines.push(Line::user("and in colour?"));
    let plan = table.plan(&prompt, &Context::default());
    assert_eq!((plan.choices, plan.left_out), (vec![1], vec![(0, LeftOut::Vision)]));
    let came = When { attachments: vec![AttachmentKind::Picture], ..When::default() };
    assert!(holds(came, &Prompt::question("hi"), &context));
}

#[test]
fn windows_hold_prompt_and_a_least_answer_or_the_largest_is_tried() {
    let mut table = table(&["l1", "l2", "c"], Strategy::LocalFirst, Balance::Ordered);
    for (index, window) in [1_000, 2_000, 2_000].into_iter().enumerate() {
        table.endpoints[index].window = Some(window);
    }
    let letters = |count| Prompt::question("字".repeat(count));
    // One line costs four tokens more.
    for (count, order) in [(740, "l1 l2 c"), (741, "l2 c"), (1_740, "l2 c"), (1_741, "l2 c")] {
        assert_eq!(table.names(&letters(count), &Context::default()), order, "{count}");
    }
    table.endpoints[2].window = None;
    assert_eq!(table.names(&letters(1_741), &Context::default()), "c", "what is unknown may be large");
    let plan = table.plan(&letters(1_741), &Context::default());
    assert_eq!(plan.left_out, [(0, LeftOut::Window), (1, LeftOut::Window)]);
}

#[test]
fn what_might_cost_more_than_is_left_is_not_asked() {
    let mut table = table(&["c1", "c2", "l"], Strategy::CloudFirst, Balance::Ordered);
    let price = Some(Price { prompt: 0, completion: 1_000_000 });
    table.endpoints[0].price = price;
    table.endpoints[1] = Endpoint { price, max_tokens: Some(1_000), ..table.endpoints[1].clone() };
    let allow = |micros: Micros| Context { allowance: Some(micros), ..Context::default() };
    let mut prompt = Prompt::question("hi");
    for (micros, order) in [(4_096, "c1 c2 l"), (4_095, "c2 l"), (1_000, "c2 l"), (999, "l"), (0, "l")] {
        assert_eq!(table.names(&prompt, &allow(micros)), order, "{micros}");
    }
    prompt.sampling.max_tokens = Some(100);
    assert_eq!(table.names(&prompt, &allow(100)), "c1 c2 l");
    assert_eq!(table.plan(&prompt, &allow(0)).left_out[0], (0, LeftOut::Allowance));
}

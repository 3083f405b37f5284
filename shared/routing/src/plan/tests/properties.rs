//! What holds of every plan, whatever the endpoints, the route, their health and the question.

use proptest::{
    prelude::{Just, any, prop_assert, prop_oneof},
    sample::{Index, select},
    strategy::Strategy as Given,
    test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner},
};

use super::*;
use crate::Opening;

const CASES: u32 = 1_500;

/// The mark that the company put on what must not leave the house.
const MARK: &str = "机密";

/// A router in the middle of its life, and a question to it.
#[derive(Debug, Clone)]
struct Scene {
    endpoints: Vec<Endpoint>,
    route: Route,
    events: Vec<(usize, Event)>,
    prompt: Prompt,
    context: Context,
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Noted(AttemptOutcome),
    Told(u64),
    Asked,
}

impl Scene {
    /// The table, with the questions that are in work on it.
    fn lay(&self) -> (Table, Vec<Option<crate::health::Admission>>) {
        let table = Table::new(self.endpoints.clone(), self.route.clone());
        let mut in_work = Vec::new();
        for &(index, event) in &self.events {
            let index = index % self.endpoints.len();
            match event {
                Event::Noted(outcome) => {
                    let started = NOW.minus(Duration::from_secs(15));
                    let first_token = Some(Duration::from_millis(300));
                    table.health.note(index, Verdict { outcome, started, first_token }, NOW);
                }
                Event::Told(seconds) => {
                    let endpoint = self.endpoints[index].name.clone();
                    let until = NOW.plus(Duration::from_secs(seconds));
                    table.health.adopt(&[Opening { endpoint, since: NOW, until, step: 1 }], NOW);
                }
                Event::Asked => in_work.push(table.health.admit_anyway(index)),
            }
        }
        (table, in_work)
    }

    /// Whether a ban holds, said in other words than the planner's.
    fn is_marked(&self) -> bool {
        self.prompt.lines.iter().any(|line| line.text.contains(MARK))
    }
}

fn an_endpoint() -> impl Given<Value = Endpoint> {
    let place = select(Place::ALL);
    let limits = (0_u32..4, proptest::option::of(1_u32..2_000), proptest::option::of(1_u32..4));
    (place, limits, any::<bool>(), proptest::option::of(0_u64..1_000_000)).prop_map(
        |(place, (weight, window, concurrency), vision, price)| Endpoint {
            place,
            weight,
            window,
            concurrency,
            vision,
            price: price.map(|price| Price { prompt: price, completion: price }),
            ..endpoint("x")
        },
    )
}

fn an_event() -> impl Given<Value = Event> {
    let failures = vec![
        Failure::Unreachable,
        Failure::SlowFirstToken,
        Failure::Timeout,
        Failure::Server(500),
        Failure::Auth(401),
        Failure::RateLimited { retry_after: Some(Duration::from_secs(30)) },
        Failure::BadRequest(400),
        Failure::Empty,
    ];
    prop_oneof![
        3 => select(failures).prop_map(|failure| Event::Noted(AttemptOutcome::Failed(failure))),
        1 => Just(Event::Noted(AttemptOutcome::Answered)),
        1 => Just(Event::Noted(AttemptOutcome::Outrun)),
        1 => (1_u64..300).prop_map(Event::Told),
        1 => Just(Event::Asked),
    ]
}

/// Any rule but a ban: it may hold and may send everything to the cloud.
fn a_rule(count: usize) -> impl Given<Value = Rule> {
    let then = (
        proptest::option::of(select(Strategy::ALL)),
        proptest::collection::vec((0..count).prop_map(|number| format!("e{number}")), 0..3),
    );
    let when = prop_oneof![
        Just(When::default()),
        Just(When { words: vec!["词".into()], ..When::default() }),
        Just(When { longer_than: Some(50), ..When::default() }),
    ];
    (when, then)
        .prop_map(|(when, (strategy, endpoints))| rule(when, Then { strategy, endpoints, local_only: false }))
}

/// A route whose rules include the ban, somewhere among the others.
fn a_route(count: usize) -> impl Given<Value = Route> {
    let rules = proptest::collection::vec(a_rule(count), 0..4);
    let strategies =
        (select(Strategy::ALL), select(Balance::ALL), proptest::option::of(select(Strategy::ALL)));
    (strategies, rules, any::<Index>()).prop_map(|((strategy, balance, with_ban), mut rules, at)| {
        let then = Then { local_only: true, strategy: with_ban, endpoints: Vec::new() };
        let when = When { words: vec![MARK.into()], ..When::default() };
        let ban = Rule { name: "ban".into(), when, then };
        rules.insert(at.index(rules.len() + 1), ban);
        Route { strategy, balance, rules, ..Route::default() }
    })
}

fn a_prompt() -> impl Given<Value = Prompt> {
    let text = prop_oneof![
        Just("hi".to_owned()),
        Just("这是机密。".to_owned()),
        Just("一个词".to_owned()),
        (0_usize..2_500).prop_map(|count| "长".repeat(count)),
    ];
    let line = (text, any::<bool>(), proptest::bool::weighted(0.1)).prop_map(|(text, person, picture)| {
        let mut line = if person { Line::user(text) } else { Line::assistant(text) };
        let picture = picture.then(|| Picture { media_type: "image/png".into(), data: Bytes::new() });
        line.pictures.extend(picture);
        line
    });
    proptest::collection::vec(line, 0..4).prop_map(|lines| Prompt { lines, ..Prompt::default() })
}

fn a_context(count: usize) -> impl Given<Value = Context> {
    let model = proptest::option::of((0..count).prop_map(|number| format!("e{number}")));
    let conversation = proptest::option::of((0_u32..9).prop_map(|number| conversation(&number.to_string())));
    let attachments = select(vec![vec![], vec![AttachmentKind::Picture], vec![AttachmentKind::File]]);
    (model, conversation, attachments, proptest::option::of(0_u64..5_000)).prop_map(
        |(model, conversation, attachments, allowance)| Context {
            model,
            conversation,
            attachments,
            allowance,
            ..Context::default()
        },
    )
}

fn a_scene() -> impl Given<Value = Scene> {
    proptest::collection::vec(an_endpoint(), 1..9).prop_flat_map(|mut endpoints| {
        for (number, endpoint) in endpoints.iter_mut().enumerate() {
            endpoint.name = format!("e{number}");
        }
        let count = endpoints.len();
        let events = proptest::collection::vec((0..count, an_event()), 0..24);
        let parts = (a_route(count), events, a_prompt(), a_context(count));
        parts.prop_map(move |(route, events, prompt, context)| Scene {
            endpoints: endpoints.clone(),
            route,
            events,
            prompt,
            context,
        })
    })
}

/// A promise about plans: whether one keeps it.
type Promise = fn(&Scene, &Table, &Plan) -> bool;

/// Nothing that is marked leaves the house.
fn keeps_bans(scene: &Scene, table: &Table, plan: &Plan) -> bool {
    !scene.is_marked() || plan.choices.iter().all(|&index| table.endpoints[index].place == Place::Local)
}

/// Every endpoint is asked once or left out once.
fn names_each_once(_: &Scene, table: &Table, plan: &Plan) -> bool {
    let left_out = plan.left_out.iter().map(|&(index, _)| index);
    let mut all: Vec<_> = plan.choices.iter().copied().chain(left_out).collect();
    all.sort_unstable();
    all == (0..table.endpoints.len()).collect::<Vec<_>>()
}

/// Who is to be left alone comes after everybody else, the soonest back first.
fn puts_the_closed_off_last(_: &Scene, table: &Table, plan: &Plan) -> bool {
    let until = |&index: &usize| match table.health.gate(index, NOW) {
        Gate::Closed | Gate::Probing => None,
        Gate::Open { until } => Some(until),
    };
    plan.choices.iter().map(until).is_sorted()
}

/// Only places that the strategy allows are asked, and it is the route's or that of a rule.
fn keeps_the_strategy(scene: &Scene, table: &Table, plan: &Plan) -> bool {
    let known = plan.strategy == scene.route.strategy
        || scene.route.rules.iter().any(|rule| rule.then.strategy == Some(plan.strategy));
    known && plan.choices.iter().all(|&index| plan.strategy.allows(table.endpoints[index].place))
}

/// Pictures go to those who see them, and nobody may cost more than is left.
fn asks_only_who_can(scene: &Scene, table: &Table, plan: &Plan) -> bool {
    let pictures = scene.prompt.lines.iter().any(|line| !line.pictures.is_empty());
    let tokens = crate::estimate::prompt_tokens(&scene.prompt);
    plan.choices.iter().map(|&index| &table.endpoints[index]).all(|endpoint| {
        let cost = endpoint.price.map_or(0, |price| price.of(tokens, 4_096));
        (endpoint.vision || !pictures) && scene.context.allowance.is_none_or(|most| cost <= most)
    })
}

/// What stands between a plan and its judgement.
type After = fn(&Scene, &Table, Plan) -> Plan;

/// Nothing.
fn as_it_is(_: &Scene, _: &Table, plan: Plan) -> Plan {
    plan
}

fn try_promise(mut runner: TestRunner, promise: Promise, after: After) -> Result<(), Box<TestError<Scene>>> {
    let tried = runner.run(&a_scene(), |scene| {
        let (table, _in_work) = scene.lay();
        let plan = after(&scene, &table, table.plan(&scene.prompt, &scene.context));
        prop_assert!(promise(&scene, &table, &plan), "{plan:?}");
        Ok(())
    });
    tried.map_err(Box::new)
}

fn config() -> Config {
    Config { cases: CASES, failure_persistence: None, ..Config::default() }
}

fn keep(promise: Promise) {
    try_promise(TestRunner::new(config()), promise, as_it_is).unwrap();
}

#[test]
fn a_rule_that_forbids_the_cloud_is_never_broken() {
    keep(keeps_bans);
}

#[test]
fn no_endpoint_is_asked_twice_or_forgotten() {
    keep(names_each_once);
}

#[test]
fn who_is_to_be_left_alone_is_asked_last() {
    keep(puts_the_closed_off_last);
}

#[test]
fn the_strategys_places_are_kept() {
    keep(keeps_the_strategy);
}

#[test]
fn only_who_can_answer_is_asked() {
    keep(asks_only_who_can);
}

/// Adds those to a plan that a mistake would add.
fn adding(mut plan: Plan, wrong: impl Fn(usize) -> bool) -> Plan {
    let (added, left_out): (Vec<_>, Vec<_>) =
        std::mem::take(&mut plan.left_out).into_iter().partition(|&(index, _)| wrong(index));
    plan.left_out = left_out;
    plan.choices.extend(added.into_iter().map(|(index, _)| index));
    plan
}

/// The promises above are worth something only if they are seen to be broken.
#[test]
fn mistakes_are_found() {
    let mistakes: [(&str, Promise, After); 8] = [
        ("the cloud as a last resort", keeps_bans, |_, _, plan| {
            let nobody = plan.choices.is_empty();
            adding(plan, |_| nobody)
        }),
        ("the cloud because all local ones are down", keeps_bans, |_, table, plan| {
            let down = |&index: &usize| matches!(table.health.gate(index, NOW), Gate::Open { .. });
            let all_down = plan.choices.iter().all(down);
            adding(plan, |_| all_down)
        }),
        ("a person's choice before the ban", keeps_bans, |scene, table, plan| {
            let model = scene.context.model.clone();
            adding(plan, |index| Some(&table.endpoints[index].name) == model.as_ref())
        }),
        ("the cloud for want of vision", keeps_bans, |scene, table, plan| {
            let pictures = scene.prompt.lines.iter().any(|line| !line.pictures.is_empty());
            adding(plan, |index| pictures && table.endpoints[index].vision)
        }),
        ("a ban on the last line only", keeps_bans, |scene, _, plan| {
            let last = scene.prompt.lines.last().is_some_and(|line| line.text.contains(MARK));
            adding(plan, |_| !last)
        }),
        ("the choice asked again in its old place", names_each_once, |_, _, mut plan| {
            plan.choices.extend(plan.choices.first().copied());
            plan
        }),
        ("who is down in its usual place", puts_the_closed_off_last, |_, _, mut plan| {
            plan.choices.sort_unstable();
            plan
        }),
        ("what it costs not looked at", asks_only_who_can, |_, _, mut plan| {
            let dear = |(_, why): &(usize, LeftOut)| *why == LeftOut::Allowance;
            let (dear, rest): (Vec<_>, Vec<_>) = plan.left_out.into_iter().partition(dear);
            plan.choices.extend(dear.into_iter().map(|(index, _)| index));
            plan.left_out = rest;
            plan
        }),
    ];
    for (mistake, promise, plant) in mistakes {
        // Always the same cases, and whichever shows the mistake will do.
        let config = Config { max_shrink_iters: 0, ..config() };
        let runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let found =
            try_promise(runner, promise, plant).is_err_and(|error| matches!(*error, TestError::Fail(..)));
        assert!(found, "nobody saw: {mistake}");
    }
}

use std::collections::BTreeMap;

use egress::{Egress, EgressOptions};
use routing::{Clocks, Failure, Overflow, Place, Protocol, Route, Strategy};

use super::*;
use crate::{platforms::PLATFORMS, running::Known};

fn settings(text: &str) -> Settings {
    settings::parse(text, None, &BTreeMap::new(), &PLATFORMS).unwrap()
}

fn two_endpoints() -> Router {
    let endpoint = |name: &str, place| {
        let url = "https://h.example/v1/completions".parse().unwrap();
        Endpoint::new(name, place, url, Protocol::Completions, format!("{name}-model"))
    };
    let endpoints = vec![endpoint("near", Place::Local), endpoint("far", Place::Cloud)];
    let transport = Arc::new(Egress::new(EgressOptions::default()).unwrap());
    Router::new(endpoints, Route::default(), Clocks::default(), serve::routing_ports(transport)).unwrap()
}

fn nowhere(known: Known) -> Running {
    Running { address: SocketAddr::from(([127, 0, 0, 1], 9)), known }
}

fn args(words: &[&str]) -> RouteArgs {
    #[derive(clap::Parser)]
    struct Command {
        #[command(flatten)]
        args: RouteArgs,
    }
    let words = ["route", "hello"].into_iter().chain(words.iter().copied());
    <Command as clap::Parser>::try_parse_from(words).ok().unwrap().args
}

#[test]
fn a_bot_lends_its_persona_and_an_unknown_one_is_told() {
    let settings = settings("[bots.desk]\nplatform = 'feishu'\nkeys = 'demo'\npersona = 'You are the desk.'");
    assert_eq!(bot(&settings, None).unwrap(), None);
    let desk = bot(&settings, Some("desk")).unwrap().unwrap();
    assert_eq!(desk.persona.as_deref(), Some("You are the desk."));
    let error = bot(&settings, Some("dest")).unwrap_err().to_string();
    assert_eq!(error, "no bot is named `dest`: there are `desk`");
}

#[test]
fn whoever_is_asked_for_is_in_the_context() {
    let (settings, router) = (settings("[bots.desk]\nplatform = 'feishu'\nkeys = 'demo'"), two_endpoints());
    let asked = args(&["--bot", "desk", "--user", "ou_1", "--group", "--model", "far-model"]);
    let desk = bot(&settings, Some("desk")).unwrap();
    let context = context(desk, &router, &asked).unwrap();
    assert_eq!(context.bot.as_ref().map(chat::BotId::as_str), Some("desk"));
    assert_eq!(context.user.as_ref().map(UserId::as_str), Some("ou_1"));
    assert_eq!((context.chat, context.model.as_deref()), (Some(ChatKind::Group), Some("far-model")));
    let alone = super::context(None, &router, &args(&[])).unwrap();
    assert_eq!((alone.chat, alone.model), (Some(ChatKind::Direct), None));
    let error = super::context(None, &router, &args(&["--model", "gpt"])).unwrap_err().to_string();
    assert_eq!(error, "no endpoint and no model is named `gpt`: there are the endpoints `near`, `far`");
}

#[test]
fn the_explanation_says_who_is_asked_who_is_not_and_why() {
    let router = two_endpoints();
    let plan = Plan {
        strategy: Strategy::LocalFirst,
        rules: vec!["contracts".to_owned()],
        choices: vec![0],
        left_out: vec![(1, LeftOut::Rule("contracts".to_owned()))],
    };
    assert_eq!(
        explanation(&router, &plan, &nowhere(Known::NoAnswer)),
        "strategy local_first\n\
         rules    contracts\n\
         ENDPOINT  PLACE  PROTOCOL     MODEL\n\
         near      local  completions  near-model\n\n\
         NOT ASKED  PLACE  WHY\n\
         far        cloud  the rule contracts forbids it"
    );
    let health = crate::health::of(router.signs(), chat::Timestamp::from_millis(0));
    let health = nowhere(Known::Told(BTreeMap::from([("near".to_owned(), health[0].clone())])));
    let shown = explanation(&router, &Plan { rules: vec![], left_out: vec![], ..plan }, &health);
    assert!(shown.ends_with("near      local  completions  near-model  ready"), "{shown}");
}

#[test]
fn attempts_are_columns() {
    let attempt = |name: &str, usage, cost, outcome| Attempt {
        endpoint: name.to_owned(),
        place: Place::Local,
        model: "m".to_owned(),
        millis: 12,
        first_token_millis: (outcome == AttemptOutcome::Answered).then_some(7),
        usage,
        cost,
        outcome,
        status: None,
        message: None,
        overflow: Overflow::default(),
    };
    let usage = |estimated| Some(Usage { prompt: 3, completion: 1, estimated });
    let tried = [
        attempt("near", None, 0, AttemptOutcome::Failed(Failure::Unreachable)),
        attempt("far", usage(false), 1_500_000, AttemptOutcome::Answered),
        attempt("other", usage(true), 21, AttemptOutcome::Outrun),
    ];
    assert_eq!(
        attempts(&tried),
        "ASKED  PLACE  MODEL  FIRST TOKEN  IN ALL  TOKENS       COST      OUTCOME\n\
         near   local  m      -            12 ms   -            0         the endpoint cannot be reached\n\
         far    local  m      7 ms         12 ms   3 + 1        1.5       answered\n\
         other  local  m      -            12 ms   about 3 + 1  0.000021  another was faster"
    );
}

#[test]
fn a_server_cannot_steer_the_terminal() {
    assert_eq!(harmless("a\u{1b}[2Jb\r\u{9b}31m\n\t鹊桥"), "a[2Jb31m\n\t鹊桥");
}

//! `magpie.toml` at the root: it loads, and the defaults that it shows are the code's. It and the READMEs name every key.

#![expect(clippy::panic, reason = "a test's helpers may fail the test")]

mod documents;

use std::{collections::BTreeMap, time::Duration};

use chat::{AttachmentKind, ChatKind};
use routing::{Hedge, Price, Route, Strategy, Streaming};
use settings::{
    BudgetSettings, KeySource, MemorySettings, MergeSettings, RoutingSettings, Settings, StandaloneSettings,
};

const EXAMPLE: &str = include_str!("../../../../magpie.toml");
const PLATFORMS: [&str; 2] = ["dingtalk", "feishu"];

fn load(text: &str) -> Settings {
    match settings::parse(text, None, &BTreeMap::new(), &PLATFORMS) {
        Ok(settings) => settings,
        Err(mistakes) => panic!("{mistakes}"),
    }
}

/// The example with every `# key = value` and every `# [table]` in force.
fn uncommented() -> String {
    in_force(EXAMPLE)
}

fn in_force(text: &str) -> String {
    let line = |line: &str| match line.strip_prefix("# ") {
        Some(rest) if rest.starts_with('[') && rest.ends_with(']') => rest.to_owned(),
        Some(rest) if is_assignment(rest) => rest.to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn is_assignment(text: &str) -> bool {
    let key = text.split_once(" = ").map_or("", |(key, _)| key);
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[test]
fn the_example_is_two_demo_bots_and_defaults() {
    let settings = load(EXAMPLE);
    let bots: Vec<_> = settings.bots.iter().map(|bot| (bot.platform.as_str(), bot.bot.as_str())).collect();
    assert_eq!(bots, [("feishu", "demo-feishu"), ("dingtalk", "demo-dingtalk")]);
    assert!(settings.bots.iter().all(|bot| bot.keys == KeySource::Demo));
    let standalone = StandaloneSettings { playground: true, ..StandaloneSettings::default() };
    assert_eq!(Settings { bots: vec![], ..settings }, Settings { standalone, ..Settings::default() });
}

#[test]
fn the_defaults_that_the_example_shows_are_the_defaults() {
    let settings = load(&uncommented());
    // Rules have no default, and hedging is off by default: the example shows both in force.
    let hedge = Hedge { after: Some(Duration::from_secs(2)), ..Hedge::default() };
    let default = RoutingSettings::default();
    let rules = settings.routing.route.rules.clone();
    let route = Route { hedge: Some(hedge), rules, ..default.route };
    assert_eq!(settings.routing, RoutingSettings { route, ..default });
    let office = &settings.endpoints[0];
    assert_eq!((office.weight, office.vision, office.streaming), (1, false, Streaming::Always));
    assert_eq!(settings.budgets.when_spent, BudgetSettings::default().when_spent);
    assert_eq!(settings.memory, MemorySettings::default());
    let operator_token = settings.standalone.operator_token.clone();
    assert!(operator_token.is_some(), "the example offers it");
    let standalone = StandaloneSettings { playground: true, operator_token, ..StandaloneSettings::default() };
    assert_eq!(settings.standalone, standalone);
}

#[test]
fn everything_that_the_example_offers_is_understood() {
    let settings = load(&uncommented());
    let helpdesk = settings.bots.iter().find(|bot| bot.bot.as_str() == "helpdesk").unwrap();
    assert!(helpdesk.base_url.is_some() && helpdesk.persona.is_some());
    assert_eq!(helpdesk.merge, Some(MergeSettings::default()));
    assert_eq!(settings.channels[0].keys.to_string(), "secret:magpie/ops");
    assert_eq!(settings.vault.unwrap().to_string(), "secret:magpie/vault");
    let programs: Vec<_> = settings.gateway.tokens.iter().map(|token| token.program.as_str()).collect();
    assert_eq!(programs, ["gateway", "wiki"]);
    let endpoints: Vec<_> =
        settings.endpoints.iter().map(|e| (e.name.as_str(), e.protocol.as_str())).collect();
    assert_eq!(endpoints, [("office", "chat_completions"), ("cloud", "completions")]);
    assert_eq!(helpdesk.models, ["office", "qwen-plus"]);
    assert_eq!(settings.endpoints[1].price, Some(Price { prompt: 500_000, completion: 1_500_000 }));
    assert!(settings.endpoints[0].window.is_some() && settings.endpoints[0].concurrency.is_some());
    assert_eq!(settings.budgets.month, Some(500_000_000));
    assert!(settings.budgets.bot_month.is_some() && settings.budgets.user_month.is_some());
    assert!(settings.endpoints[0].max_tokens.is_some() && settings.endpoints[1].key.is_some());
}

#[test]
fn the_rules_that_the_example_offers_mean_what_they_say() {
    let rules = load(&uncommented()).routing.route.rules;
    let names: Vec<_> = rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["contracts", "marked", "card-numbers", "long", "short"]);
    let [contracts, marked, cards, long, short] = &rules[..] else { panic!("{rules:?}") };
    let legal: Vec<_> = contracts.when.users.iter().map(|user| user.as_str()).collect();
    assert_eq!(legal, ["ou_84aad35d084aa403a838cf73ee18467", "manager4220"]);
    assert!(contracts.then.local_only && marked.then.local_only && cards.then.local_only);
    assert_eq!(marked.when.words, ["confidential", "机密"]);
    assert!(cards.when.pattern.as_ref().unwrap().occurs_in("pay 4111 1111 1111 1111 now"));
    assert_eq!((long.when.chat, long.when.longer_than), (Some(ChatKind::Group), Some(8000)));
    assert_eq!((long.when.bots.len(), long.when.users.len()), (1, 1));
    assert_eq!(long.when.attachments, [AttachmentKind::Picture]);
    assert_eq!((&long.then.endpoints[..], long.then.local_only), (&["cloud".to_owned()][..], false));
    assert_eq!((short.when.shorter_than, short.then.strategy), (Some(200), Some(Strategy::LocalOnly)));
}

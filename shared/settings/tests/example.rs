//! `magpie.toml` at the root: it loads, it names every key, and the defaults that it shows are the code's.

#![expect(clippy::panic, reason = "a test's helpers may fail the test")]

use std::collections::BTreeMap;

use settings::{KeySource, MemorySettings, MergeSettings, RoutingSettings, Settings, StandaloneSettings};

const EXAMPLE: &str = include_str!("../../../magpie.toml");
const PLATFORMS: [&str; 2] = ["dingtalk", "feishu"];

fn load(text: &str) -> Settings {
    match settings::parse(text, None, &BTreeMap::new(), &PLATFORMS) {
        Ok(settings) => settings,
        Err(mistakes) => panic!("{mistakes}"),
    }
}

/// The example with every `# key = value` and every `# [table]` in force.
fn uncommented() -> String {
    let line = |line: &'static str| match line.strip_prefix("# ") {
        Some(rest) if rest.starts_with('[') && rest.ends_with(']') => rest,
        Some(rest) if is_assignment(rest) => rest,
        _ => line,
    };
    EXAMPLE.lines().map(line).collect::<Vec<_>>().join("\n")
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
    assert_eq!(settings.routing, RoutingSettings::default());
    assert_eq!(settings.memory, MemorySettings::default());
    assert_eq!(settings.standalone, StandaloneSettings { playground: true, ..StandaloneSettings::default() });
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
    assert!(settings.endpoints[0].max_tokens.is_some() && settings.endpoints[1].key.is_some());
}

/// Asks for the list of all keys with a mistake, so that a key added to the code and not to the example is noticed.
#[test]
fn the_example_names_every_key() {
    let wrong = "\
        zzzzzzzz = 1\n\
        bots.a = {platform = 'feishu', keys = 'demo', zzzzzzzz = 1}\n\
        channels.a = {platform = 'dingtalk', keys = 'env:A', zzzzzzzz = 1}\n\
        endpoints.a = {place = 'local', url = 'http://a/completions', model = 'm', zzzzzzzz = 1}\n\
        routing.zzzzzzzz = 1\nmemory.zzzzzzzz = 1\nvault = {keys = 'env:A', zzzzzzzz = 1}\nstandalone.zzzzzzzz = 1\n\
        gateway.zzzzzzzz = 1\n";
    let mistakes = settings::parse(wrong, None, &BTreeMap::new(), &PLATFORMS).unwrap_err();
    assert_eq!(mistakes.0.len(), 9, "{mistakes}");
    let text = uncommented();
    for mistake in &mistakes.0 {
        let parent = mistake.key.rsplit_once('.').map_or("", |(parent, _)| parent);
        let table = parent.split('.').next().unwrap();
        let keys = mistake.wanted.strip_prefix("one of ").unwrap();
        for key in keys.split(", ") {
            let inside = !table.is_empty()
                && text.split("\n[").filter(|part| part.starts_with(table)).any(|part| {
                    part.lines().any(|line| line.split_once('=').is_some_and(|(name, _)| name.trim() == key))
                });
            let as_table = text.contains(&format!("\n[{key}")) && table.is_empty()
                || text.contains(&format!("\n[{parent}.{key}]"));
            let found = inside || as_table;
            assert!(found, "`{key}` of [{table}] is not in magpie.toml");
        }
    }
}

//! Bad configuration: each mistake is told with its key, what was found and what would be right; all of them at once.

mod routing;
mod text;

use std::{collections::BTreeMap, sync::LazyLock};

use ::routing::{Balance, Protocol, Strategy};
use settings::{Mistakes, Settings};

const PLATFORMS: [&str; 2] = ["dingtalk", "feishu"];
const REFERENCE: &str = "`secret:NAME`, `env:NAME` or `file:PATH`";
const BOT_REFERENCE: &str = "`secret:NAME`, `env:NAME` or `file:PATH`, or `demo`";
const NAME: &str = "a name of 1 to 64 lower-case letters, digits and inner hyphens";
const HTTP: &str = "an address that begins with https:// or http://";
const LISTEN: &str = "an IP address or `localhost` and a port, for example `127.0.0.1:18789`; a port alone is on this machine only";
const HTTPS: &str = "an address that begins with https://, or with http:// on this machine";

static STRATEGIES: LazyLock<String> = LazyLock::new(|| listed(Strategy::ALL, Strategy::as_str));
static BALANCES: LazyLock<String> = LazyLock::new(|| listed(Balance::ALL, Balance::as_str));
static PROTOCOLS: LazyLock<String> = LazyLock::new(|| {
    let configurable: Vec<_> = Protocol::ALL.iter().copied().filter(|one| *one != Protocol::Echo).collect();
    listed(&configurable, Protocol::as_str)
});

/// Words as a mistake lists them.
fn listed<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str) -> String {
    let words: Vec<_> = all.iter().map(|&one| format!("`{}`", word(one))).collect();
    match words.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => words.concat(),
    }
}

fn parse(text: &str, env: &[(&str, &str)]) -> Result<Settings, Mistakes> {
    let env: BTreeMap<_, _> = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    settings::parse(text, None, &env, &PLATFORMS)
}

/// Each text has exactly these mistakes.
fn assert_mistakes(text: &str, env: &[(&str, &str)], expected: &[(&str, &str, &str)]) {
    let mistakes = parse(text, env).err().unwrap_or_default();
    let told: Vec<_> = mistakes.0.iter().map(|m| (&*m.key, &*m.found, &*m.wanted)).collect();
    assert_eq!(told, expected, "{text}");
    assert!(!mistakes.to_string().contains("hidden"), "{mistakes}");
}

fn bot(lines: &str) -> String {
    format!("[bots.desk]\nplatform = 'feishu'\nkeys = 'env:KEYS'\n{lines}")
}

fn endpoint(lines: &str) -> String {
    format!("[endpoints.office]\nplace = 'local'\nmodel = 'm'\n{lines}")
}

#[test]
fn bots() {
    let platforms = "one of `dingtalk`, `feishu`";
    for (text, key, found, wanted) in [
        ("[bots.desk]\nplatform = 'feishu'", "bots.desk.keys", "nothing", BOT_REFERENCE),
        ("[bots.desk]\nkeys = 'demo'", "bots.desk.platform", "nothing", platforms),
        ("[bots.desk]\nplatform = 'slack'\nkeys = 'demo'", "bots.desk.platform", "`slack`", platforms),
        ("[bots.desk]\nplatform = 7\nkeys = 'demo'", "bots.desk.platform", "a number", platforms),
        ("[bots.desk]\nplatform = 'feishu'\nkeys = ''", "bots.desk.keys", "an empty text", BOT_REFERENCE),
        (
            "[bots.desk]\nplatform = 'feishu'\nkeys = 'secret:'",
            "bots.desk.keys",
            "`secret:` without a name",
            BOT_REFERENCE,
        ),
        (
            "[bots.desk]\nplatform = 'feishu'\nkeys = 'hidden'",
            "bots.desk.keys",
            "a text that is no reference (not shown: it may be the secret itself)",
            BOT_REFERENCE,
        ),
        (
            "[bots.desk]\nplatform = 'feishu'\nkeys = {app_secret = 'hidden'}",
            "bots.desk.keys",
            "a table",
            BOT_REFERENCE,
        ),
        ("[bots.'Desk 1']\nplatform = 'feishu'\nkeys = 'demo'", "bots.Desk 1", "the name `Desk 1`", NAME),
        ("[bots]\ndesk = 'hidden'", "bots.desk", "a text", "a table: `[bots.desk]`"),
        ("bots = 'hidden'", "bots", "a text", "a table: `[bots]`"),
        (&bot("base_url = 'http://open.feishu.cn'"), "bots.desk.base_url", "`http://open.feishu.cn`", HTTPS),
        (
            &bot("base_url = 'https://open.feishu.cn/open-apis'"),
            "bots.desk.base_url",
            "`https://open.feishu.cn/open-apis`, with a path that is added to it",
            "the address without it: `https://open.feishu.cn`",
        ),
        (&bot("base_url = 'feishu'"), "bots.desk.base_url", "`feishu`", HTTPS),
        (
            &bot("base_url = 'https://me:hidden@h.example'"),
            "bots.desk.base_url",
            "an address with a user or a password (not shown)",
            "an address without them: keys go where `key` or `keys` says",
        ),
        (&bot("persona = ' '"), "bots.desk.persona", "an empty text", "what the model is told about itself"),
        (
            &bot("personna = 'x'"),
            "bots.desk.personna",
            "a key that does not exist",
            "`persona`, if that is what you meant",
        ),
        (
            &bot("app_secret = 'hidden'"),
            "bots.desk.app_secret",
            "a key that does not exist",
            "one of platform, keys, base_url, persona, merge, merge_seconds, merge_messages, models",
        ),
    ] {
        assert_mistakes(text, &[], &[(key, found, wanted)]);
    }
}

#[test]
fn merging() {
    for (text, key, found, wanted) in [
        (&bot("merge = 'yes'"), "bots.desk.merge", "a text", "`true` or `false`"),
        (
            &bot("merge_seconds = 2"),
            "bots.desk.merge_seconds",
            "a value, and no `merge = true`",
            "`merge = true` beside it, or neither",
        ),
        (
            &bot("merge = true\nmerge_messages = 1"),
            "bots.desk.merge_messages",
            "1",
            "a whole number from 2 to 20",
        ),
    ] {
        assert_mistakes(text, &[], &[(key, found, wanted)]);
    }
}

#[test]
fn templates() {
    for (lines, key, found, wanted) in [
        (
            "url = 'http://h/completions'\ntemplate = 'alpaca'",
            "template",
            "`alpaca`",
            "`transcript`, `chatml`, `llama3`, `mistral` or `gemma`",
        ),
        (
            "url = 'http://h/v1/messages'\ntemplate = 'chatml'",
            "template",
            "a template, and the protocol `messages`, which has use for none",
            "a template beside the protocol `completions`, or none",
        ),
    ] {
        assert_mistakes(&endpoint(lines), &[], &[(&format!("endpoints.office.{key}"), found, wanted)]);
    }
}

#[test]
fn endpoints() {
    let address = "the whole address to call, for example `http://localhost:8000/v1/chat/completions`";
    let meant = |url: &str| {
        format!("the whole address, for example `{url}`, or a `protocol` beside it: {}", *PROTOCOLS)
    };
    for (lines, key, found, wanted) in [
        ("", "url", "nothing", address),
        (
            "url = 'localhost:8000'",
            "url",
            "`localhost:8000`",
            "an address that begins with https:// or http://, for example `http://localhost:8000`",
        ),
        ("url = 'ftp://h/v1/completions?key=hidden'", "url", "`ftp://h/v1/completions`", HTTP),
        (
            "url = 'http://h:8000/v1?key=hidden'",
            "url",
            "`http://h:8000/v1`, whose path tells no protocol",
            &meant("http://h:8000/v1/chat/completions"),
        ),
        (
            "url = 'http://h:8000'",
            "url",
            "`http://h:8000/`, whose path tells no protocol",
            &meant("http://h:8000/v1/chat/completions"),
        ),
        ("url = 'http://h/'\nprotocol = 'chat'", "protocol", "`chat`", PROTOCOLS.as_str()),
        (
            "url = 'http://h/'\nprotocol = 'echo'",
            "protocol",
            "`echo`, which is built in and needs no endpoint",
            PROTOCOLS.as_str(),
        ),
        (
            "url = 'http://h/completions'\nmax_tokens = 0",
            "max_tokens",
            "0",
            "a whole number from 1 to 1000000",
        ),
        (
            "url = 'http://h/completions'\nmax_tokens = '1'",
            "max_tokens",
            "a text",
            "a whole number from 1 to 1000000",
        ),
        ("url = 'http://h/completions'\nkey = 'env:'", "key", "`env:` without a name", REFERENCE),
        ("url = 'http://h/completions'\nkey = 'demo'", "key", "`demo`, which only bots can have", REFERENCE),
    ] {
        assert_mistakes(&endpoint(lines), &[], &[(&format!("endpoints.office.{key}"), found, wanted)]);
    }
    assert_mistakes(
        &endpoint("url = 'http://h:8000/v1/v1/chat/completions'"),
        &[],
        &[(
            "endpoints.office.url",
            "an address with a part of its path twice",
            "probably `http://h:8000/v1/chat/completions`",
        )],
    );
}

#[test]
fn several_mistakes_of_an_endpoint() {
    assert_mistakes(
        "[endpoints.office]\nplace = 'here'\nurl = 'http://h/completions'",
        &[],
        &[
            ("endpoints.office.place", "`here`", "`local` or `cloud`"),
            ("endpoints.office.model", "nothing", "the name of the model to ask for"),
        ],
    );
}

#[test]
fn numbers_out_of_range_and_words_off_the_list() {
    for (text, key, found, wanted) in [
        ("[routing]\nstrategy = 'local'", "routing.strategy", "`local`", STRATEGIES.as_str()),
        (
            "[routing]\nconnect_timeout_seconds = 0",
            "routing.connect_timeout_seconds",
            "0",
            "seconds from 0.1 to 60",
        ),
        (
            "[routing]\nattempt_timeout_seconds = nan",
            "routing.attempt_timeout_seconds",
            "NaN",
            "seconds from 0.1 to 840",
        ),
        (
            "[routing]\nturn_timeout_seconds = 900",
            "routing.turn_timeout_seconds",
            "900",
            "seconds from 0.1 to 840",
        ),
        ("[memory]\nturns = -1", "memory.turns", "-1", "a whole number from 0 to 1000"),
        ("[memory]\ntokens = 1.5", "memory.tokens", "1.5", "a whole number from 0 to 1000000"),
        ("[memory]\ndays = 0", "memory.days", "0", "a whole number from 1 to 3650"),
        ("[vault]", "vault.keys", "nothing", REFERENCE),
        ("[standalone]\nplayground = 'yes'", "standalone.playground", "a text", "`true` or `false`"),
        (
            "[standalone]\nmax_turns_in_flight = 0",
            "standalone.max_turns_in_flight",
            "0",
            "a whole number from 1 to 100000",
        ),
        ("[standalone]\nlog_format = 'xml'", "standalone.log_format", "`xml`", "`text` or `json`"),
        (
            "[standalone]\noperator_token = 'hidden'",
            "standalone.operator_token",
            "a text that is no reference (not shown: it may be the secret itself)",
            REFERENCE,
        ),
        ("[channels.ops]\nplatform = 'dingtalk'", "channels.ops.keys", "nothing", REFERENCE),
        (
            "[channels.ops]\nplatform = 'dingtalk'\nkeys = 'demo'",
            "channels.ops.keys",
            "`demo`, which only bots can have",
            REFERENCE,
        ),
        ("[rooting]", "rooting", "a table that does not exist", "`routing`, if that is what you meant"),
        (
            "[metrics]",
            "metrics",
            "a table that does not exist",
            "one of bots, channels, endpoints, departments, routing, budgets, memory, vault, gateway, network, standalone",
        ),
    ] {
        assert_mistakes(text, &[], &[(key, found, wanted)]);
    }
}

#[test]
fn where_to_listen_and_to_keep_data() {
    for (text, key, found, wanted) in [
        ("[standalone]\nlisten = 'example.com:18789'", "standalone.listen", "`example.com:18789`", LISTEN),
        ("[standalone]\nlisten = 99999", "standalone.listen", "`99999`", LISTEN),
        ("[standalone]\nlisten = true", "standalone.listen", "a boolean", LISTEN),
        (
            "[standalone]\ndata = \"C:\\new\"",
            "standalone.data",
            "a path with a control character",
            "a path in single quotes, where a backslash is only a backslash",
        ),
        (
            "[routing]\nstrategy = 'cloud_only'",
            "routing.strategy",
            "`cloud_only`, and no endpoint whose place is `cloud`",
            "such an endpoint, or another strategy",
        ),
    ] {
        assert_mistakes(text, &[], &[(key, found, wanted)]);
    }
}

#[test]
fn tokens() {
    for (lines, key, found, wanted) in [
        (
            "token = 'hidden'",
            "token",
            "a text that is no reference (not shown: it may be the secret itself)",
            REFERENCE,
        ),
        ("token = 'demo'", "token", "`demo`, which only bots can have", REFERENCE),
        ("tokens = 'hidden'", "tokens", "a text", "a table: `[gateway.tokens]`"),
        ("[gateway.tokens]\nWiki = 'env:W'", "tokens.Wiki", "the name `Wiki`", NAME),
        ("[gateway.tokens]\nwiki = 7", "tokens.wiki", "a number", REFERENCE),
        ("[gateway.tokens]\nwiki = 'env:'", "tokens.wiki", "`env:` without a name", REFERENCE),
        (
            "[gateway.tokens]\ngateway = 'env:W'",
            "tokens.gateway",
            "the name that the program of `token` has",
            "another name",
        ),
    ] {
        let lines = if lines.starts_with('[') { lines.to_owned() } else { format!("[gateway]\n{lines}") };
        assert_mistakes(&lines, &[], &[(&format!("gateway.{key}"), found, wanted)]);
    }
}

#[test]
fn a_syntax_error_is_told_with_line_and_column() {
    let mistakes = parse("[memory]\nturns = 20\n  days 90\n", &[]).unwrap_err();
    assert_eq!(mistakes.0.len(), 1);
    assert_eq!(mistakes.0[0].key, "line 3, column 8", "{mistakes}");
    let mistakes = parse("[bots.a]\n[bots.a]\n", &[]).unwrap_err();
    assert!(mistakes.0[0].key.starts_with("line 2"), "{mistakes}");
}

#[test]
fn the_environment() {
    for (name, value, found, wanted) in [
        ("LOCAL_ENDPOINT", "nowhere", "`nowhere`", HTTP),
        (
            "CLOUD_ENDPOINT",
            "https://h.example/v1",
            "`https://h.example/v1`, whose path tells no protocol",
            "the whole address, for example `https://h.example/v1/chat/completions`",
        ),
        ("FALLBACK_STRATEGY", "fastest", "`fastest`", STRATEGIES.as_str()),
        (
            "FEISHU_KEYS",
            "hidden",
            "a text that is no reference (not shown: it may be the secret itself)",
            REFERENCE,
        ),
        ("DINGTALK_KEYS", "demo", "`demo`", REFERENCE),
        (
            "LOCAL_MODEL",
            "m",
            "a value, and no LOCAL_ENDPOINT",
            "both LOCAL_ENDPOINT and LOCAL_MODEL, or neither",
        ),
    ] {
        assert_mistakes("", &[(name, value)], &[(name, found, wanted)]);
    }
    assert_mistakes(
        "",
        &[("CLOUD_ENDPOINT", "https://h/completions"), ("CLOUD_KEY", "sk-hidden")],
        &[("CLOUD_KEY", "a text that is no reference (not shown: it may be the secret itself)", REFERENCE)],
    );
}

#[test]
fn all_mistakes_are_told_at_once_and_in_order() {
    let text = "\
        colour = 'red'\n\
        [bots.a]\nplatform = 'feishu'\n\
        [bots.B]\n\
        [endpoints.x]\nplace = 'moon'\nurl = 'x'\n\
        [routing]\nstrategy = 'best'\nconnect_timeout_seconds = 'soon'\n\
        [memory]\ndays = 0\nturn = 3\n";
    let mistakes = parse(text, &[("FALLBACK_STRATEGY", "x")]).unwrap_err();
    let keys: Vec<_> = mistakes.0.iter().map(|mistake| mistake.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "bots.B",
            "bots.a.keys",
            "bots.B.platform",
            "bots.B.keys",
            "endpoints.x.place",
            "endpoints.x.url",
            "endpoints.x.model",
            "routing.strategy",
            "routing.connect_timeout_seconds",
            "memory.days",
            "memory.turn",
            "colour",
            "FALLBACK_STRATEGY",
        ]
    );
    assert_eq!(mistakes.to_string().lines().count(), keys.len());
}

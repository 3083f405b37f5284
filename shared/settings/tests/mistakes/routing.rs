//! What is wrong with endpoints, routes, rules and budgets.

use super::{BALANCES, NAME, STRATEGIES, assert_mistakes, endpoint, parse};

const MONEY: &str = "an amount from 0 to 100000000, with at most six digits behind the point";

/// One endpoint in each place, a bot, and these lines.
fn company(lines: &str) -> String {
    format!(
        "[bots.desk]\nplatform = 'feishu'\nkeys = 'env:KEYS'\n\
         [endpoints.office]\nplace = 'local'\nmodel = 'own'\nurl = 'http://h/completions'\n\
         [endpoints.far]\nplace = 'cloud'\nmodel = 'big'\nurl = 'https://h/completions'\n{lines}"
    )
}

#[test]
fn endpoints_weights_windows_and_prices() {
    for (lines, key, found, wanted) in [
        ("window = 100", "window", "100", "a whole number from 512 to 100000000"),
        ("weight = -1", "weight", "-1", "a whole number from 0 to 1000"),
        ("concurrency = 0", "concurrency", "0", "a whole number from 1 to 10000"),
        ("vision = 'yes'", "vision", "a text", "`true` or `false`"),
        ("stream = true", "stream", "a boolean", "`always` or `when_heard`"),
        ("stream = 'never'", "stream", "`never`", "`always` or `when_heard`"),
        ("price = 1", "price", "a number", "a table: `[endpoints.office.price]`"),
        ("price = { prompt = 1 }", "price.completion", "nothing", MONEY),
        ("price = { prompt = 'free', completion = 1 }", "price.prompt", "a text", MONEY),
        ("price = { prompt = -1, completion = 1 }", "price.prompt", "-1", MONEY),
        ("price = { prompt = 0.0000001, completion = 1 }", "price.prompt", "0.0000001", MONEY),
        ("price = { prompt = 1e9, completion = 1 }", "price.prompt", "1000000000", MONEY),
        (
            "price = { prompt = 1, completion = 1, cached = 1 }",
            "price.cached",
            "a key that does not exist",
            "one of prompt, completion",
        ),
    ] {
        let text = endpoint(&format!("url = 'http://h/completions'\n{lines}"));
        assert_mistakes(&text, &[], &[(&format!("endpoints.office.{key}"), found, wanted)]);
    }
    assert_mistakes(
        "[endpoints.auto]\nplace = 'local'\nmodel = 'm'\nurl = 'http://h/completions'",
        &[],
        &[("endpoints.auto", "a name that stands for the route itself", "another name")],
    );
}

#[test]
fn routes() {
    for (line, key, found, wanted) in [
        ("balance = 'fair'", "balance", "`fair`", BALANCES.as_str()),
        (
            "strategy = 'cheapest'\nbalance = 'weighted'",
            "balance",
            "a value, and the strategy `cheapest`, which shares the work itself",
            "no `balance`, or a strategy that goes by place",
        ),
        ("attempts = 0", "attempts", "0", "a whole number from 1 to 20"),
        ("first_token_timeout_seconds = 0", "first_token_timeout_seconds", "0", "seconds from 0.1 to 840"),
        ("idle_timeout_seconds = 841", "idle_timeout_seconds", "841", "seconds from 0.1 to 840"),
        (
            "hedge_share = 0.1",
            "hedge_share",
            "a value, and no `hedge = true`",
            "`hedge = true` beside it, or neither",
        ),
        ("hedge = true\nhedge_share = 1.5", "hedge_share", "1.5", "a number from 0.001 to 1"),
        ("hedge = true\nhedge_after_seconds = 0", "hedge_after_seconds", "0", "seconds from 0.05 to 60"),
        ("rules = 'none'", "rules", "a text", "tables: `[[routing.rules]]`, one for each"),
    ] {
        assert_mistakes(&format!("[routing]\n{line}"), &[], &[(&format!("routing.{key}"), found, wanted)]);
    }
}

/// A rule of these lines has exactly this mistake.
fn assert_rule(lines: &str, key: &str, found: &str, wanted: &str) {
    let text = company(&format!("[[routing.rules]]\n{lines}"));
    assert_mistakes(&text, &[], &[(&format!("routing.rules[1]{key}"), found, wanted)]);
}

#[test]
fn what_rules_name_must_be_there() {
    for (lines, key, found, wanted) in [
        (
            "name = 'r'\ncloud = 'never'\nbots = ['dest']",
            ".bots",
            "`dest`, and no bot is named so",
            "one of `desk`",
        ),
        (
            "name = 'r'\nendpoints = ['near']",
            ".endpoints",
            "`near`, and no endpoint is named so",
            "one of `far`, `office`",
        ),
        (
            "name = 'r'\ncloud = 'never'\ndepartments = ['law']",
            ".departments",
            "`law`, and no department is named so",
            "a configured department, and there is none",
        ),
        (
            "name = 'r'\ncloud = 'never'\nusers = ['ou_1', 'program:wiki']",
            ".users",
            "`wiki`, and no program with a token for the gateway is named so",
            "a configured program with a token for the gateway, and there is none",
        ),
    ] {
        assert_rule(lines, key, found, wanted);
    }
}

#[test]
fn rules() {
    let nothing = "`cloud = \"never\"`, a `strategy` or `endpoints`";
    for (lines, key, found, wanted) in [
        ("cloud = 'never'", ".name", "nothing", "what logs and explanations call the rule"),
        ("name = 'r'", "", "a rule from which nothing follows", nothing),
        ("name = 'r'\ncloud = 'always'", ".cloud", "`always`", "`never`"),
        ("name = 'r'\nstrategy = 'best'", ".strategy", "`best`", STRATEGIES.as_str()),
        ("name = 'r'\ncloud = 'never'\nchat = 'any'", ".chat", "`any`", "`direct` or `group`"),
        ("name = 'r'\ncloud = 'never'\nwords = []", ".words", "an empty list", "a list of words"),
        ("name = 'r'\ncloud = 'never'\nwords = 'x'", ".words", "a text", "a list of words"),
        (
            "name = 'r'\ncloud = 'never'\nwords = ['x', ' ']",
            ".words",
            "a list with an empty text in it",
            "a list of words",
        ),
        (
            "name = 'r'\ncloud = 'never'\nwords = ['x', 7]",
            ".words",
            "a list with a number in it",
            "a list of words",
        ),
    ] {
        assert_rule(lines, key, found, wanted);
    }
}

#[test]
fn rules_that_never_hold_or_leave_nobody() {
    let attachments = "a list of `picture`, `voice`, `video`, `file` or `other`";
    for (lines, key, found, wanted) in [
        ("name = 'r'\ncloud = 'never'\nattachments = ['image']", ".attachments", "`image`", attachments),
        (
            "name = 'r'\nstrategy = 'local_only'\nlonger_than_tokens = 10\nshorter_than_tokens = 11",
            ".shorter_than_tokens",
            "11, and `longer_than_tokens` is 10: no question is both",
            "more than 11",
        ),
        (
            "name = 'r'\ncloud = 'never'\nwhen = 'always'",
            ".when",
            "a key that does not exist",
            "one of name, bots, chat, users, departments, words, pattern, longer_than_tokens, \
             shorter_than_tokens, attachments, cloud, strategy, endpoints",
        ),
        (
            "name = 'r'\ncloud = 'never'\nstrategy = 'cloud_only'",
            "",
            "the rule `r`, which leaves no endpoint to ask",
            "endpoints that the strategy `cloud_only` and the rule allow",
        ),
        (
            "name = 'r'\ncloud = 'never'\nendpoints = ['far']",
            "",
            "the rule `r`, which leaves no endpoint to ask",
            "endpoints that the strategy `local_first` and the rule allow",
        ),
    ] {
        assert_rule(lines, key, found, wanted);
    }
    let twice = "[[routing.rules]]\nname = 'r'\ncloud = 'never'\n";
    assert_mistakes(
        &company(&format!("{twice}{twice}")),
        &[],
        &[("routing.rules[2].name", "`r`, as an earlier rule is named", "a name of its own")],
    );
    let pattern = parse(&company("[[routing.rules]]\nname = 'r'\ncloud = 'never'\npattern = '('"), &[]);
    let told = pattern.unwrap_err();
    assert_eq!((told.0.len(), told.0[0].key.as_str()), (1, "routing.rules[1].pattern"));
    assert!(told.0[0].wanted.starts_with("a regular expression"), "{told}");
}

#[test]
fn a_ban_on_the_cloud_needs_a_local_endpoint() {
    let ban = "[[routing.rules]]\nname = 'r'\ncloud = 'never'\n";
    let cloud = "[endpoints.far]\nplace = 'cloud'\nmodel = 'big'\nurl = 'https://h/completions'\n";
    let wanted = "an endpoint whose place is `local`, or the questions it holds for are answered by nobody";
    assert_mistakes(
        &format!("{cloud}{ban}"),
        &[],
        &[("routing.rules[1].cloud", "`never`, and no local endpoint", wanted)],
    );
    // The environment's counts as well, and with none at all standalone looks for one on this machine.
    let local = [("LOCAL_ENDPOINT", "http://h/completions")];
    assert_mistakes(&format!("{cloud}{ban}"), &local, &[]);
    assert_mistakes(ban, &[], &[]);
}

#[test]
fn departments_and_models() {
    let people = "a list of the ids by which the platforms know people, or of programs as `program:NAME`";
    for (lines, key, found, wanted) in [
        ("[departments.law]", "departments.law.users", "nothing", people),
        ("[departments.law]\nusers = []", "departments.law.users", "an empty list", people),
        ("[departments.Law]\nusers = ['a']", "departments.Law", "the name `Law`", NAME),
        (
            "[departments.law]\nusers = ['a']\nhead = 'a'",
            "departments.law.head",
            "a key that does not exist",
            "one of users",
        ),
    ] {
        assert_mistakes(lines, &[], &[(key, found, wanted)]);
    }
    let text =
        company("").replace("keys = 'env:KEYS'", "keys = 'env:KEYS'\nmodels = ['office', 'big', 'small']");
    assert_mistakes(
        &text,
        &[],
        &[(
            "bots.desk.models",
            "`small`, and no endpoint or model is named so",
            "one of `big`, `far`, `office`, `own`",
        )],
    );
}

#[test]
fn budgets() {
    let amount = |key: &str, found: &str| {
        let text = format!("[budgets]\n{key} = {found}");
        assert_mistakes(&text, &[], &[(&format!("budgets.{key}"), found, MONEY)]);
    };
    amount("month", "-5");
    amount("bot_month", "0.0000001");
    amount("user_month", "100000001");
    assert_mistakes(
        "[budgets]\nmonth = 5\nthen = 'beg'",
        &[],
        &[("budgets.then", "`beg`", "`downgrade` or `stop`")],
    );
    assert_mistakes(
        "[budgets]\nthen = 'stop'",
        &[],
        &[("budgets.then", "a value, and no budget", "`month`, `bot_month` or `user_month` beside it")],
    );
    assert_mistakes(
        &company("[budgets]\nmonth = 5"),
        &[],
        &[(
            "endpoints.far.price",
            "nothing, and budgets that are to count it",
            "for example `{ prompt = 0.5, completion = 1.5 }`, for a million tokens each",
        )],
    );
}

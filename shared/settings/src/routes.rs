//! How endpoints are picked, and how long they may take: `[routing]`.

use std::time::Duration;

use routing::{Balance, Clocks, Hedge, Route, Strategy};

use crate::{
    RoutingSettings,
    names::Names,
    reader::Reader,
    rules::{self, Departments},
    words::words,
};

/// Longest time for a turn, in seconds. A Lambda function ends after 900; this leaves a minute to send the answer.
const TURN_MAX: f64 = 840.0;

/// Most calls that one question may cost. More, and a person has long stopped waiting.
const ATTEMPTS_MOST: u32 = 20;

/// `[routing]`.
pub(crate) fn routing(
    file: &mut Reader<'_, '_>,
    departments: &Departments,
    names: &mut Names,
) -> RoutingSettings {
    let default = RoutingSettings::default();
    let Some(table) = file.table("routing") else { return default };
    let mut reader = file.inner("routing", table);
    let route = route(&mut reader, default.route);
    let clocks = clocks(&mut reader, default.clocks);
    let mut seconds = |key, longest| reader.seconds(key, 0.1..=longest).map(Duration::from_secs_f64);
    let connect_timeout = seconds("connect_timeout_seconds", 60.0).unwrap_or(default.connect_timeout);
    let turn_timeout = seconds("turn_timeout_seconds", TURN_MAX).unwrap_or(default.turn_timeout);
    let rules = rules::rules(&mut reader, departments, names);
    reader.finish();
    RoutingSettings { route: Route { rules, ..route }, clocks, connect_timeout, turn_timeout }
}

fn route(reader: &mut Reader<'_, '_>, default: Route) -> Route {
    let strategies = words(Strategy::ALL, Strategy::as_str);
    let strategy = reader
        .text("strategy", &strategies)
        .and_then(|text| reader.word::<Strategy>("strategy", text, &strategies))
        .unwrap_or(default.strategy);
    let balances = words(Balance::ALL, Balance::as_str);
    let balance = reader
        .text("balance", &balances)
        .and_then(|text| reader.word::<Balance>("balance", text, &balances))
        .unwrap_or(default.balance);
    // A balance that the strategy passes over would be believed and do nothing.
    if strategy.balance().is_some() && reader.has("balance") {
        let found =
            format!("a value, and the strategy `{}`, which shares the work itself", strategy.as_str());
        reader.mistake("balance", found, "no `balance`, or a strategy that goes by place");
    }
    let attempts = reader.whole("attempts", 1..=ATTEMPTS_MOST).unwrap_or(default.attempts);
    Route { strategy, balance, attempts, hedge: hedge(reader), rules: default.rules }
}

/// Whether a second endpoint is asked when the first is slow to begin. A companion without `hedge = true` would do
/// nothing, so it is a mistake.
fn hedge(reader: &mut Reader<'_, '_>) -> Option<Hedge> {
    let default = Hedge::default();
    let hedges = reader.boolean("hedge") == Some(true);
    for key in ["hedge_after_seconds", "hedge_share"] {
        if reader.has(key) && !hedges {
            reader.mistake(key, "a value, and no `hedge = true`", "`hedge = true` beside it, or neither");
        }
    }
    let after = reader.seconds("hedge_after_seconds", 0.05..=60.0).map(Duration::from_secs_f64);
    let share = reader.number("hedge_share", 0.001..=1.0);
    hedges.then(|| Hedge { after, share: share.unwrap_or(default.share) })
}

fn clocks(reader: &mut Reader<'_, '_>, default: Clocks) -> Clocks {
    let mut seconds = |key| reader.seconds(key, 0.1..=TURN_MAX).map(Duration::from_secs_f64);
    Clocks {
        first_token: seconds("first_token_timeout_seconds").unwrap_or(default.first_token),
        idle: seconds("idle_timeout_seconds").unwrap_or(default.idle),
        attempt: seconds("attempt_timeout_seconds").unwrap_or(default.attempt),
    }
}

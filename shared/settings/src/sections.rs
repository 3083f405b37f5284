//! The tables of the file that are there once: routing, memory, vault, gateway, standalone.

use std::{path::PathBuf, time::Duration};

use routing::{Clocks, Route, Strategy};

use crate::{
    GatewaySettings, KeySource, MemorySettings, RoutingSettings, StandaloneSettings, TokenSettings,
    model::ONLY_PROGRAM, reader::Reader,
};

/// What a strategy can be; part of every mistake about one.
pub(crate) const STRATEGIES: &str = "`local_first`, `cloud_first`, `local_only` or `cloud_only`";

/// Longest time for a turn, in seconds. A Lambda function ends after 900; this leaves a minute to send the answer.
const TURN_MAX: f64 = 840.0;

/// `[routing]`.
pub(crate) fn routing(file: &mut Reader<'_, '_>) -> RoutingSettings {
    let default = RoutingSettings::default();
    let Some(table) = file.table("routing") else { return default };
    let mut reader = file.inner("routing", table);
    let strategy = reader
        .text("strategy", STRATEGIES)
        .and_then(|text| reader.word::<Strategy>("strategy", text, STRATEGIES));
    let mut seconds = |key, longest| reader.seconds(key, 0.1..=longest).map(Duration::from_secs_f64);
    let settings = RoutingSettings {
        route: Route { strategy: strategy.unwrap_or(default.route.strategy), ..default.route },
        connect_timeout: seconds("connect_timeout_seconds", 60.0).unwrap_or(default.connect_timeout),
        clocks: Clocks {
            attempt: seconds("attempt_timeout_seconds", TURN_MAX).unwrap_or(default.clocks.attempt),
            ..default.clocks
        },
        turn_timeout: seconds("turn_timeout_seconds", TURN_MAX).unwrap_or(default.turn_timeout),
    };
    reader.finish();
    settings
}

/// `[memory]`.
pub(crate) fn memory(file: &mut Reader<'_, '_>) -> MemorySettings {
    let default = MemorySettings::default();
    let Some(table) = file.table("memory") else { return default };
    let mut reader = file.inner("memory", table);
    // No turns is a choice: every message then stands alone.
    let turns = reader.whole("turns", 0..=1000).and_then(|n| usize::try_from(n).ok());
    let settings = MemorySettings {
        turns: turns.unwrap_or(default.turns),
        tokens: reader.whole("tokens", 0..=1_000_000).unwrap_or(default.tokens),
        days: reader.whole("days", 1..=3650).unwrap_or(default.days),
    };
    reader.finish();
    settings
}

/// `[vault]`.
pub(crate) fn vault(file: &mut Reader<'_, '_>) -> Option<KeySource> {
    let table = file.table("vault")?;
    let mut reader = file.inner("vault", table);
    let keys = reader.required_reference("keys", false);
    reader.finish();
    keys
}

/// `[gateway]`: one token, or one for each program.
pub(crate) fn gateway(file: &mut Reader<'_, '_>) -> GatewaySettings {
    let Some(table) = file.table("gateway") else { return GatewaySettings::default() };
    let mut reader = file.inner("gateway", table);
    let token = reader.reference("token", false);
    let only = token.map(|token| TokenSettings { program: ONLY_PROGRAM.to_owned(), token });
    let named = reader.references("tokens");
    if named.iter().any(|(name, _)| name.as_str() == ONLY_PROGRAM) {
        let key = format!("tokens.{ONLY_PROGRAM}");
        reader.mistake(&key, "the name that the program of `token` has", "another name");
    }
    let named = named.into_iter().map(|(name, token)| TokenSettings { program: name.into(), token });
    let tokens = only.into_iter().chain(named).collect();
    reader.finish();
    GatewaySettings { tokens }
}

/// `[standalone]`. `demo` is whether some bot has demo keys, which switches the playground on.
pub(crate) fn standalone(file: &mut Reader<'_, '_>, demo: bool) -> StandaloneSettings {
    let default = StandaloneSettings { playground: demo, ..StandaloneSettings::default() };
    let Some(table) = file.table("standalone") else { return default };
    let mut reader = file.inner("standalone", table);
    let address = "an address and a port, for example `127.0.0.1:18789`";
    let listen = reader.text("listen", address).and_then(|text| reader.word("listen", text, address));
    let data = reader.text("data", "the path of a folder").map(PathBuf::from);
    let playground = reader.boolean("playground");
    let workers = reader.whole("workers", 1..=1000).and_then(|n| usize::try_from(n).ok());
    let settings = StandaloneSettings {
        listen: listen.unwrap_or(default.listen),
        data: data.unwrap_or(default.data),
        playground: playground.unwrap_or(default.playground),
        workers: workers.unwrap_or(default.workers),
    };
    reader.finish();
    settings
}

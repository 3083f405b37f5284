//! The tables of the file that are there once: budgets, memory, vault, gateway, standalone.

use std::path::PathBuf;

use crate::{
    BudgetSettings, GatewaySettings, KeySource, LogFormat, MemorySettings, StandaloneSettings, TokenSettings,
    WhenSpent,
    model::ONLY_PROGRAM,
    names::{Kind, Names},
    reader::Reader,
};

/// `[budgets]`.
pub(crate) fn budgets(file: &mut Reader<'_, '_>) -> BudgetSettings {
    let Some(table) = file.table("budgets") else { return BudgetSettings::default() };
    let mut reader = file.inner("budgets", table);
    let [month, bot_month, user_month] = ["month", "bot_month", "user_month"].map(|key| reader.money(key));
    let endings = "`downgrade` or `stop`";
    let when_spent = match reader.text("then", endings).map(str::trim) {
        Some("stop") => WhenSpent::Stop,
        Some("downgrade") | None => WhenSpent::Downgrade,
        Some(other) => {
            reader.mistake("then", format!("`{other}`"), endings);
            WhenSpent::Downgrade
        }
    };
    if reader.has("then") && !["month", "bot_month", "user_month"].iter().any(|key| reader.has(key)) {
        reader.mistake("then", "a value, and no budget", "`month`, `bot_month` or `user_month` beside it");
    }
    reader.finish();
    BudgetSettings { month, bot_month, user_month, when_spent }
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
pub(crate) fn gateway(file: &mut Reader<'_, '_>, names: &mut Names) -> GatewaySettings {
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
    let tokens: Vec<_> = only.into_iter().chain(named).collect();
    for program in &tokens {
        names.is_there(Kind::Program, &program.program);
    }
    reader.finish();
    GatewaySettings { tokens }
}

/// `[standalone]`. `demo` is whether some bot has demo keys, which switches the playground on.
pub(crate) fn standalone(file: &mut Reader<'_, '_>, demo: bool) -> StandaloneSettings {
    let default = StandaloneSettings { playground: demo, ..StandaloneSettings::default() };
    let Some(table) = file.table("standalone") else { return default };
    let mut reader = file.inner("standalone", table);
    let listen = reader.listen("listen");
    let data = reader.text("data", "the path of a folder");
    if data.is_some_and(|path| path.contains(char::is_control)) {
        // "C:\new" in double quotes has a line break in it.
        let wanted = "a path in single quotes, where a backslash is only a backslash";
        reader.mistake("data", "a path with a control character", wanted);
    }
    let data = data.map(PathBuf::from);
    let playground = reader.boolean("playground");
    let most = reader.whole("max_turns_in_flight", 1..=100_000).and_then(|n| usize::try_from(n).ok());
    let format = reader.text("log_format", LogFormat::WORDS);
    let log_format = format.and_then(|text| reader.word("log_format", text, LogFormat::WORDS));
    let operator_token = reader.reference("operator_token", false);
    let settings = StandaloneSettings {
        listen: listen.unwrap_or(default.listen),
        data: data.unwrap_or(default.data),
        playground: playground.unwrap_or(default.playground),
        max_turns_in_flight: most.unwrap_or(default.max_turns_in_flight),
        log_format: log_format.unwrap_or(default.log_format),
        operator_token,
    };
    reader.finish();
    settings
}

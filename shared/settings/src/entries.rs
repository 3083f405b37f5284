//! The named tables of the file: bots and channels.

use std::time::Duration;

use chat::{BotId, PlatformId};

use crate::{
    BotSettings, ChannelSettings, MergeSettings,
    names::{Kind, Names, RefusedKeys},
    reader::{Named, Reader},
};

/// `[bots.NAME]`.
pub(crate) fn bots(file: &mut Reader<'_, '_>, platforms: &[&str], names: &mut Names) -> Vec<BotSettings> {
    let mut bots = Vec::new();
    for Named { name, table, .. } in file.tables("bots") {
        names.is_there(Kind::Bot, name);
        let mut reader = file.inner(&format!("bots.{name}"), table);
        let platform = platform(&mut reader, platforms);
        let keys = reader.required_reference("keys", true);
        let base_url = reader.base_url("base_url");
        let persona = reader.text("persona", "what the model is told about itself").map(str::to_owned);
        let merge = merge(&mut reader);
        let models =
            reader.texts("models", "a list of endpoints' names, or of their models").unwrap_or_default();
        names.are_named(Kind::Model, &reader.at("models"), &models);
        let at = reader.at("keys");
        reader.finish();
        match (BotId::parse(name), platform, keys) {
            (Ok(bot), Some(platform), Some(keys)) => {
                let models = models.into_iter().map(str::to_owned).collect();
                bots.push(BotSettings { platform, bot, keys, base_url, persona, merge, models });
            }
            (_, platform, Some(source)) => names.refused.push(RefusedKeys { at, source, platform, base_url }),
            (_, _, None) => {}
        }
    }
    bots
}

/// How short messages in a row become one turn. A companion without `merge = true` would do nothing, so it is a mistake.
fn merge(reader: &mut Reader<'_, '_>) -> Option<MergeSettings> {
    let default = MergeSettings::default();
    let merges = reader.boolean("merge") == Some(true);
    for key in ["merge_seconds", "merge_messages"] {
        if reader.has(key) && !merges {
            reader.mistake(key, "a value, and no `merge = true`", "`merge = true` beside it, or neither");
        }
    }
    let within = reader.seconds("merge_seconds", 0.1..=10.0).map(Duration::from_secs_f64);
    let most = reader.whole("merge_messages", 2..=20);
    merges.then(|| MergeSettings {
        within: within.unwrap_or(default.within),
        most: most.unwrap_or(default.most),
    })
}

/// `[channels.NAME]`.
pub(crate) fn channels(file: &mut Reader<'_, '_>, platforms: &[&str]) -> Vec<ChannelSettings> {
    let mut channels = Vec::new();
    for Named { name, is_slug, table } in file.tables("channels") {
        let mut reader = file.inner(&format!("channels.{name}"), table);
        let platform = platform(&mut reader, platforms);
        let keys = reader.required_reference("keys", false);
        let base_url = reader.base_url("base_url");
        reader.finish();
        if let (true, Some(platform), Some(keys)) = (is_slug, platform, keys) {
            channels.push(ChannelSettings { name: name.into(), platform, keys, base_url });
        }
    }
    channels
}

fn platform(reader: &mut Reader<'_, '_>, platforms: &[&str]) -> Option<PlatformId> {
    let known: Vec<_> = platforms.iter().map(|name| format!("`{name}`")).collect();
    let wanted = format!("one of {}", known.join(", "));
    let text = reader.required("platform", &wanted)?.trim();
    let platform = PlatformId::parse(text).ok().filter(|_| platforms.contains(&text));
    if platform.is_none() {
        reader.mistake("platform", format!("`{text}`"), wanted);
    }
    platform
}

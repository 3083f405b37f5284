//! What is wrong with the secrets that a configuration names: of all its entries, in one run.

use platform::Kind;

use crate::{
    Draft, EndpointSettings, GatewaySettings, KeySource, Mistakes, Secrets, bots, fetch, names::RefusedKeys,
};

/// Fetches every secret that bots, endpoints, the gateway and the vault name, and says what is missing or of the wrong
/// form. Also of entries with other mistakes. Secrets of demo bots are made up, and those about which `explained` says
/// that a mistake was reported already are left out. Channels are checked when they are used.
pub async fn check_secrets(
    draft: &Draft,
    kinds: &[Kind],
    secrets: &dyn Secrets,
    explained: &(dyn Fn(&KeySource) -> bool + Sync),
) -> Mistakes {
    let mut mistakes = Mistakes::default();
    let settings = &draft.settings;
    let is_open = |source: &KeySource| *source != KeySource::Demo && !explained(source);
    let of_bots = settings.bots.iter().map(|bot| RefusedKeys {
        at: format!("bots.{}.keys", bot.bot),
        source: bot.keys.clone(),
        platform: Some(bot.platform.clone()),
        base_url: bot.base_url.clone(),
    });
    for keys in of_bots.chain(draft.refused.iter().cloned()).filter(|keys| is_open(&keys.source)) {
        mistakes.0.extend(of_keys(keys, kinds, secrets).await.0);
    }
    let has_key = |endpoint: &&EndpointSettings| endpoint.key.as_ref().is_some_and(is_open);
    let endpoints: Vec<_> = settings.endpoints.iter().filter(has_key).cloned().collect();
    mistakes.0.extend(fetch::endpoints(&endpoints, secrets).await.err().unwrap_or_default().0);
    let tokens = settings.gateway.tokens.iter().filter(|program| is_open(&program.token)).cloned().collect();
    let gateway = GatewaySettings { tokens };
    mistakes.0.extend(fetch::gateway_tokens(&gateway, secrets).await.err().unwrap_or_default().0);
    if let Some(source) = settings.vault.as_ref().filter(|source| is_open(source)) {
        mistakes.0.extend(fetch::vault_keys(source, secrets).await.err().unwrap_or_default().0);
    }
    if settings.standalone.operator_token.as_ref().is_some_and(is_open) {
        let token = fetch::operator_token(settings.standalone.operator_token.as_ref(), secrets).await;
        mistakes.0.extend(token.err().unwrap_or_default().0);
    }
    mistakes
}

/// What is wrong with the keys of a bot; of another secret, whether it is there.
async fn of_keys(keys: RefusedKeys, kinds: &[Kind], secrets: &dyn Secrets) -> Mistakes {
    let mut mistakes = Mistakes::default();
    let Some(versions) = fetch::fetch(&keys.at, &keys.source, secrets, &mut mistakes).await else {
        return mistakes;
    };
    let kind = keys.platform.and_then(|platform| kinds.iter().find(|kind| kind.name == platform.as_str()));
    if let Some(kind) = kind
        && let Err(errors) = bots::platform_of(kind, keys.base_url, &versions)
    {
        for error in errors {
            mistakes.push(keys.at.clone(), format!("`{}`, where {error}", keys.source), bots::WANTED);
        }
    }
    mistakes
}

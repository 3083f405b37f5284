//! Channels bound to their keys: where notifications go.

use platform::{Channel, ConnectChannel, ConnectOptions, Keys, Kind};
use secrecy::ExposeSecret as _;

use crate::{ChannelSettings, Mistakes, Secrets};

/// Whether every channel's platform can notify.
///
/// # Errors
///
/// Every channel whose platform cannot, with the platforms that can.
pub fn check_channels(channels: &[ChannelSettings], kinds: &[Kind]) -> Result<(), Mistakes> {
    let mut mistakes = Mistakes::default();
    for channel in channels.iter().filter(|channel| connector(channel, kinds).is_none()) {
        let can: Vec<_> = kinds
            .iter()
            .filter(|kind| kind.channel.is_some())
            .map(|kind| format!("`{}`", kind.name))
            .collect();
        mistakes.push(
            format!("channels.{}.platform", channel.name),
            format!("`{}`, where notifications cannot be sent to a channel", channel.platform.as_str()),
            format!("one of {}", can.join(", ")),
        );
    }
    mistakes.unless_any(())
}

/// A channel with its keys, which are fetched now.
///
/// # Errors
///
/// The platform cannot notify, or all that is wrong with the keys.
pub async fn connect_channel(
    channel: &ChannelSettings,
    kinds: &[Kind],
    secrets: &dyn Secrets,
) -> Result<Box<dyn Channel>, Mistakes> {
    check_channels(std::slice::from_ref(channel), kinds)?;
    let mut mistakes = Mistakes::default();
    let at = format!("channels.{}.keys", channel.name);
    let errors = match secrets.fetch(&channel.keys).await {
        Err(error) => {
            mistakes.push(at, format!("`{}`, where {}", error.reference, error.happened), error.mend);
            return Err(mistakes);
        }
        Ok(versions) => {
            match (Keys::from_json(versions.current.expose_secret()), connector(channel, kinds)) {
                (Ok(keys), Some(connect)) => {
                    match connect(&keys, &ConnectOptions { base_url: channel.base_url.clone() }) {
                        Ok(channel) => return Ok(channel),
                        Err(errors) => errors,
                    }
                }
                (Err(error), _) => vec![error],
                (Ok(_), None) => Vec::new(),
            }
        }
    };
    for error in errors {
        let found = format!("`{}`, where {error}", channel.keys);
        mistakes.push(at.clone(), found, "a JSON object with the keys of the group's own robot");
    }
    Err(mistakes)
}

fn connector(channel: &ChannelSettings, kinds: &[Kind]) -> Option<ConnectChannel> {
    kinds.iter().find(|kind| kind.name == channel.platform.as_str())?.channel
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use super::*;
    use crate::{LocalSecrets, parse};

    const MUTE: Kind = Kind { name: "mute", connect: |_, _| Err(Vec::new()), channel: None };
    const LOUD: Kind = Kind {
        name: "loud",
        connect: |_, _| Err(Vec::new()),
        channel: Some(|keys, _| Err(keys.require("webhook").err().into_iter().collect())),
    };

    #[tokio::test]
    async fn a_channel_on_a_platform_that_cannot_notify_is_a_mistake() {
        let text = "[channels.ops]\nplatform = 'mute'\nkeys = 'env:K'\n[channels.it]\nplatform = 'loud'\nkeys = 'env:K'\n";
        let settings = parse(text, None, &BTreeMap::new(), &["mute", "loud"]).unwrap();
        let said = check_channels(&settings.channels, &[MUTE, LOUD]).unwrap_err().to_string();
        assert_eq!(
            said,
            "channels.ops.platform: found `mute`, where notifications cannot be sent to a channel; wanted one of `loud`"
        );
        let env = BTreeMap::from([("K".to_owned(), "{\"access_token\": \"hidden\"}".to_owned())]);
        let secrets = LocalSecrets::new(Arc::new(env));
        let refused = connect_channel(&settings.channels[0], &[MUTE, LOUD], &secrets).await.err().unwrap();
        assert_eq!(refused.to_string(), said);
        let refused = connect_channel(&settings.channels[1], &[MUTE, LOUD], &secrets).await.err().unwrap();
        let said = refused.to_string();
        assert!(said.contains("channels.it.keys") && said.contains("no `webhook`"), "{said}");
        assert!(!said.contains("hidden"), "{said}");
    }
}

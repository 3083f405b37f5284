//! The configuration of a command: the file, the environment and `.env`, with all that is wrong in one run.

use std::{path::Path, sync::Arc};

use chat::Clock as _;
use host::{SystemClock, SystemEntropy};
use settings::{
    LocalSecrets, Mistake, Mistakes, ProcessEnvironment, Settings, check_channels, check_secrets, draft,
    vault_keys,
};
use vault::Vault;

use crate::{
    dot_env::DotEnv,
    platforms::{KINDS, PLATFORMS},
};

/// Loads the configuration.
///
/// # Errors
///
/// All that is wrong with the file, the environment and `.env`.
pub(crate) fn load(file: Option<&Path>, dot_env: DotEnv) -> Result<Settings, Mistakes> {
    let draft = draft(file, &ProcessEnvironment, &PLATFORMS);
    let of_channels = check_channels(&draft.settings.channels, &KINDS).err().unwrap_or_default();
    unless_any([dot_env.mistakes, draft.mistakes, of_channels], draft.settings)
}

/// Loads the configuration, and checks every secret that this process needs.
///
/// # Errors
///
/// All that is wrong with the file, the environment, `.env` and the secrets.
pub(crate) async fn checked(file: Option<&Path>, dot_env: DotEnv) -> Result<Settings, Mistakes> {
    let draft = draft(file, &ProcessEnvironment, &PLATFORMS);
    let secrets = LocalSecrets::new(Arc::new(ProcessEnvironment));
    let mut of_secrets = check_secrets(&draft, &KINDS, &secrets, &|source| dot_env.explains(source)).await;
    if let Some(source) = draft.settings.vault.as_ref().filter(|source| !dot_env.explains(source))
        && let Ok(keys) = vault_keys(source, &secrets).await
        && let Err(error) = Vault::from_keys(&keys, Arc::new(SystemEntropy))
    {
        let found = format!("`{source}`, where {error}");
        of_secrets.0.push(Mistake::new(
            "vault.keys",
            found,
            "keys of 32 bytes in Base64: `openssl rand -base64 32`",
        ));
    }
    let of_network =
        network::connect(&draft.settings, &secrets, SystemClock.now()).await.err().unwrap_or_default();
    let of_channels = check_channels(&draft.settings.channels, &KINDS).err().unwrap_or_default();
    unless_any([dot_env.mistakes, draft.mistakes, of_channels, of_secrets, of_network], draft.settings)
}

fn unless_any<const N: usize>(parts: [Mistakes; N], settings: Settings) -> Result<Settings, Mistakes> {
    let mistakes: Vec<_> = parts.into_iter().flat_map(|part| part.0).collect();
    if mistakes.is_empty() { Ok(settings) } else { Err(Mistakes(mistakes)) }
}

//! The way out of the company's network, as the configuration wants it: certificate authorities and a proxy.
//!
//! [`connect`] reads the files of certificate authorities, fetches the proxy's address where that is a secret, and
//! builds the one HTTP client ([`egress::Egress`]) of them. All that is wrong is reported at once, as configuration
//! errors. [`Network`] can also say which way a call goes, for operators.
//!
//! # Layout
//!
//! - this file: [`connect`] and [`Network`]
//! - `files`: the files of certificate authorities
//! - `proxy`: the proxy's address and its exceptions

mod files;
mod proxy;

use chat::Timestamp;
use egress::{Egress, EgressOptions};
use settings::{Environment, Mistakes, Secrets, Settings};
use transport::Via;
use url::Url;

pub use files::Added;

/// The variables that other programs read a proxy from.
const FOREIGN_PROXIES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"];

/// The HTTP client, and what an operator wants to know of it.
#[derive(Debug, Clone)]
pub struct Network {
    /// The client.
    pub egress: Egress,
    /// The certificate authorities that are trusted beside the bundled ones, by the file they are from.
    pub added: Vec<Added>,
}

impl Network {
    /// Which way a call to this address goes: `direct`, or `through http://proxy.example:3128`.
    #[must_use]
    pub fn way(&self, url: &Url, via: Via) -> String {
        match self.egress.proxy_for(url, via) {
            Some(proxy) => format!("through {proxy}"),
            None => "direct".to_owned(),
        }
    }

    /// Tells an operator at the start what was configured, and what was found and is not used.
    pub fn log(&self, settings: &Settings, env: &dyn Environment) {
        for file in &self.added {
            let (path, authorities) = (file.path.display(), file.authorities.len());
            tracing::info!(key = file.key, %path, authorities, "certificate authorities are added");
        }
        if let Some(proxy) = self.egress.proxy() {
            let no_proxy = proxy.exceptions().join(", ");
            tracing::info!(%proxy, no_proxy, "platforms and cloud endpoints are called through the proxy");
        }
        if let Some(variable) = unused_proxy_variable(settings, env) {
            tracing::warn!(
                variable,
                "the variable names a proxy and is not used: set `proxy = \"env:{variable}\"` under [network] to use it"
            );
        }
    }
}

/// Builds the client that the settings want. `now` tells which authorities have expired.
///
/// # Errors
///
/// All that is wrong with the files of certificate authorities and with the proxy.
pub async fn connect(
    settings: &Settings,
    secrets: &dyn Secrets,
    now: Timestamp,
) -> Result<Network, Mistakes> {
    let mut mistakes = Mistakes::default();
    let added = files::read(&settings.network.authorities, now, &mut mistakes);
    let proxy = proxy::read(&settings.network, secrets, &mut mistakes).await;
    let options = EgressOptions {
        connect_timeout: settings.routing.connect_timeout,
        authorities: added.iter().flat_map(|file| file.authorities.iter().cloned()).collect(),
        proxy,
        ..EgressOptions::default()
    };
    match Egress::new(options) {
        Ok(egress) if mistakes.0.is_empty() => Ok(Network { egress, added }),
        Ok(_) => Err(mistakes),
        Err(error) => {
            mistakes.0.push(settings::mistakes::Mistake::new(
                "network",
                error.to_string(),
                "what a client takes",
            ));
            Err(mistakes)
        }
    }
}

/// The variable that names a proxy for other programs, when Magpie was not told of one: worth a warning, since only
/// `[network]` counts here.
fn unused_proxy_variable(settings: &Settings, env: &dyn Environment) -> Option<&'static str> {
    let is_set = |name: &&&str| env.get(name).is_some_and(|value| !value.trim().is_empty());
    FOREIGN_PROXIES.iter().find(is_set).copied().filter(|_| settings.network.proxy.is_none())
}

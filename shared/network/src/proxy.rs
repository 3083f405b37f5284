//! The proxy's address and its exceptions.

use egress::{
    Proxy,
    proxy::{EXCEPTION_WANTED, PROXY_WANTED, exception},
};
use secrecy::{ExposeSecret as _, SecretString};
use settings::{
    Mistakes, Secrets,
    mistakes::Mistake,
    model::{NetworkSettings, ProxySource},
};

const KEY: &str = "network.proxy";

/// The configured proxy, as far as nothing is wrong with it.
pub(crate) async fn read(
    settings: &NetworkSettings,
    secrets: &dyn Secrets,
    mistakes: &mut Mistakes,
) -> Option<Proxy> {
    let exceptions = exceptions(&settings.no_proxy, mistakes);
    let (text, place) = match settings.proxy.as_ref()? {
        ProxySource::Address(text) => (SecretString::from(text.as_str()), String::new()),
        ProxySource::Secret(source) => match secrets.fetch(source).await {
            Ok(versions) => (versions.current, format!("`{source}`, whose value is ")),
            Err(error) => {
                let found = format!("`{}`, where {}", error.reference, error.happened);
                mistakes.0.push(Mistake::new(KEY, found, error.mend));
                return None;
            }
        },
    };
    match Proxy::parse(text.expose_secret()) {
        Ok(proxy) => Some(proxy.except(exceptions)),
        Err(error) => {
            mistakes.0.push(Mistake::new(KEY, format!("{place}{error}"), PROXY_WANTED));
            None
        }
    }
}

fn exceptions(list: &[String], mistakes: &mut Mistakes) -> Vec<String> {
    let mut exceptions = Vec::new();
    for text in list {
        match exception(text) {
            Ok(exception) => exceptions.push(exception),
            Err(_) => {
                mistakes.0.push(Mistake::new("network.no_proxy", format!("`{text}`"), EXCEPTION_WANTED));
            }
        }
    }
    exceptions
}

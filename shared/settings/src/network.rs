//! The way out of the company's network: `[network]`, `SSL_CERT_FILE` and `SSL_CERT_DIR`.

use crate::{
    Environment, KeySource, NetworkSettings,
    environment::filled,
    model::{AuthoritySource, ProxySource},
    reader::Reader,
};

/// What a proxy must look like here.
const PROXY_WANTED: &str = "`http://HOST:PORT`; or, where it wants a user and a password, a reference \
     (`secret:NAME`, `env:NAME` or `file:PATH`) to `http://USER:PASSWORD@HOST:PORT`";

/// `[network]`.
pub(crate) fn network(file: &mut Reader<'_, '_>) -> NetworkSettings {
    let Some(table) = file.table("network") else { return NetworkSettings::default() };
    let mut reader = file.inner("network", table);
    let ca_file = reader.text("ca_file", "the path of a file of certificates");
    let authorities = ca_file.map(|path| AuthoritySource {
        key: "network.ca_file",
        path: path.trim().into(),
        folder: false,
    });
    let proxy = proxy(&mut reader);
    let exceptions = "a list of hosts, domains, IP addresses and networks";
    let no_proxy: Vec<_> =
        reader.texts("no_proxy", exceptions).unwrap_or_default().into_iter().map(str::to_owned).collect();
    if reader.has("no_proxy") && !reader.has("proxy") {
        reader.mistake("no_proxy", "a value, and no `proxy`", "`proxy` beside it, or neither");
    }
    reader.finish();
    NetworkSettings { authorities: authorities.into_iter().collect(), proxy, no_proxy }
}

/// A reference where it is one, else an address. An address with a password in it would be a secret in the file.
fn proxy(reader: &mut Reader<'_, '_>) -> Option<ProxySource> {
    let text = reader.text("proxy", PROXY_WANTED)?.trim();
    match text.parse() {
        Ok(KeySource::Demo) => reader.mistake("proxy", "`demo`, which only bots can have", PROXY_WANTED),
        Ok(source) => return Some(ProxySource::Secret(source)),
        Err(_) if text.contains('@') => {
            let found = "an address with a user or a password (not shown)";
            reader.mistake("proxy", found, PROXY_WANTED);
        }
        Err(_) => return Some(ProxySource::Address(text.to_owned())),
    }
    None
}

/// The authorities that the environment adds, as it does for most programs. A proxy is not taken from there: variables
/// such as `HTTPS_PROXY` are often set for other programs, and would send questions where nobody asked for it.
pub(crate) fn of_environment(network: &mut NetworkSettings, env: &dyn Environment) {
    if let Some(path) = filled(env, "SSL_CERT_FILE") {
        network.authorities.push(AuthoritySource { key: "SSL_CERT_FILE", path: path.into(), folder: false });
    }
    let folders = filled(env, "SSL_CERT_DIR").unwrap_or_default();
    for path in std::env::split_paths(&folders).filter(|path| !path.as_os_str().is_empty()) {
        network.authorities.push(AuthoritySource { key: "SSL_CERT_DIR", path, folder: true });
    }
}

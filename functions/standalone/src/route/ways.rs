//! Which way each endpoint is called, and whose certificates are trusted.

use network::Network;
use routing::Router;

use crate::table::table;

/// A file with more authorities than this is a system's own; its number says enough.
const LISTED: usize = 8;

/// The endpoints and their ways, and the certificate authorities that the installation adds. A proxy's password is no
/// part of what is shown.
pub(super) fn ways(router: &Router, network: &Network) -> String {
    let mut rows = vec![["ENDPOINT", "WAY"].map(str::to_owned).to_vec()];
    rows.extend(
        router
            .endpoints()
            .iter()
            .map(|endpoint| vec![endpoint.name.clone(), network.way(&endpoint.url, endpoint.place.via())]),
    );
    let mut parts = vec![table(&rows)];
    if let Some(proxy) = network.egress.proxy() {
        parts.push(format!("platforms are called through {proxy}, unless `no_proxy` excepts them"));
    }
    let mut rows = vec![["TRUSTED", "FROM"].map(str::to_owned).to_vec()];
    rows.push(vec!["the bundled authorities".to_owned(), "Magpie".to_owned()]);
    for file in &network.added {
        let from = format!("{} ({})", file.path.display(), file.key);
        if file.authorities.len() > LISTED {
            rows.push(vec![format!("{} authorities", file.authorities.len()), from]);
            continue;
        }
        rows.extend(file.authorities.iter().map(|authority| vec![authority.subject.clone(), from.clone()]));
    }
    parts.push(format!("\n{}", table(&rows)));
    parts.join("\n")
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use chat::Timestamp;
    use routing::{Clocks, Endpoint, Place, Protocol, Route};
    use settings::LocalSecrets;

    use super::*;
    use crate::{platforms::PLATFORMS, serve};

    #[tokio::test]
    async fn each_endpoint_is_shown_with_its_way_and_no_password() {
        let text = "[network]\nproxy = 'env:PROXY'\nno_proxy = ['corp.example']\n";
        let settings = settings::parse(text, None, &BTreeMap::new(), &PLATFORMS).unwrap();
        let secret =
            BTreeMap::from([("PROXY".to_owned(), "http://ann:hidden@proxy.example:3128".to_owned())]);
        let secrets = LocalSecrets::new(Arc::new(secret));
        let network = network::connect(&settings, &secrets, Timestamp::from_millis(0)).await.unwrap();
        let endpoint = |name, place, url: &str| {
            Endpoint::new(name, place, url.parse().unwrap(), Protocol::ChatCompletions, "m")
        };
        let endpoints = vec![
            endpoint("office", Place::Local, "https://llm.example/v1/chat/completions"),
            endpoint("far", Place::Cloud, "https://api.example/v1/chat/completions"),
            endpoint("near", Place::Cloud, "https://a.corp.example/v1/chat/completions"),
        ];
        let ports = serve::routing_ports(Arc::new(network.egress.clone()));
        let router = Router::new(endpoints, Route::default(), Clocks::default(), ports).unwrap();
        assert_eq!(
            ways(&router, &network),
            "ENDPOINT  WAY\n\
             office    direct\n\
             far       through http://proxy.example:3128\n\
             near      direct\n\
             platforms are called through http://proxy.example:3128, unless `no_proxy` excepts them\n\n\
             TRUSTED                  FROM\n\
             the bundled authorities  Magpie"
        );
    }
}

//! From the configuration to a client, and what is wrong with it.
#![expect(clippy::unwrap_used, reason = "a test whose files cannot be written has failed")]

use std::{collections::BTreeMap, path::Path, sync::Arc};

use chat::Timestamp;
use network::{Network, connect};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};
use settings::{LocalSecrets, Mistakes};
use transport::Via;

/// In 2026.
const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

fn ca(name: &str, until: i32) -> String {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = rcgen::date_time_ymd(2001, 1, 1);
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
}

/// Connects with this configuration, which stands in `folder`, and this environment.
async fn network(text: &str, folder: &Path, env: &[(&str, &str)]) -> Result<Network, Mistakes> {
    let env: BTreeMap<_, _> = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let settings = settings::parse(text, Some(&folder.join("magpie.toml")), &env, &["feishu"])?;
    connect(&settings, &LocalSecrets::new(Arc::new(env)), NOW).await
}

#[tokio::test]
async fn authorities_of_the_file_and_of_the_environment_come_together() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let write = |name: &str, text: String| std::fs::write(path.join(name), text).unwrap();
    write("corp.pem", ca("Corp Root", 2090) + &ca("Corp Root of old", 2011));
    write("env.pem", ca("Environment Root", 2090));
    std::fs::create_dir(path.join("certs")).unwrap();
    let one = ca("Folder Root", 2090);
    write("certs/a.pem", one.clone());
    write("certs/0a1b2c3d.0", one);
    write("certs/README", "not a certificate".to_owned());
    let env = [
        ("SSL_CERT_FILE", path.join("env.pem").display().to_string()),
        ("SSL_CERT_DIR", path.join("certs").display().to_string()),
    ];
    let env: Vec<_> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let network = network("[network]\nca_file = 'corp.pem'\n", path, &env).await.unwrap();
    let added: Vec<_> = network
        .added
        .iter()
        .map(|file| {
            let names: Vec<_> = file.authorities.iter().map(|one| one.subject.as_str()).collect();
            (file.key, names.join("; "))
        })
        .collect();
    let of = |key, name: &str| added.iter().filter(|(k, names)| *k == key && names.contains(name)).count();
    assert_eq!(added.len(), 3, "{added:?}");
    assert_eq!(of("network.ca_file", "CN=Corp Root"), 1, "{added:?}");
    assert_eq!(of("network.ca_file", "of old"), 0, "the expired one is left out: {added:?}");
    assert_eq!(of("SSL_CERT_FILE", "CN=Environment Root"), 1, "{added:?}");
    assert_eq!(of("SSL_CERT_DIR", "CN=Folder Root"), 1, "once, though it is there twice: {added:?}");
}

#[tokio::test]
async fn everything_wrong_is_told_at_once_and_no_password_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap().serialize_pem();
    std::fs::write(folder.path().join("corp.pem"), key).unwrap();
    std::fs::write(folder.path().join("old.pem"), ca("Corp Root of old", 2011)).unwrap();
    let text = "[network]\nca_file = 'corp.pem'\nproxy = 'env:PROXY'\nno_proxy = ['https://a.example', 'b.example']\n";
    let old = folder.path().join("old.pem").display().to_string();
    let env =
        [("SSL_CERT_FILE", old.as_str()), ("SSL_CERT_DIR", "/no/such"), ("PROXY", "ann:hidden@proxy:3128")];
    let mistakes = network(text, folder.path(), &env).await.unwrap_err();
    let said = mistakes.to_string();
    assert_eq!(mistakes.0.len(), 5, "{said}");
    for part in [
        "network.ca_file: found `",
        "a private key (not shown)",
        "SSL_CERT_FILE: found `",
        "have all expired (CN=Corp Root of old)",
        "SSL_CERT_DIR: found `/no/such`, which cannot be read (entity not found)",
        "network.proxy: found `env:PROXY`, whose value is an address without `http://`",
        "network.no_proxy: found `https://a.example`",
    ] {
        assert!(said.contains(part), "{part} is not in:\n{said}");
    }
    assert!(!said.contains("hidden"), "{said}");
}

#[tokio::test]
async fn the_proxy_is_used_where_a_call_may_use_it() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[network]\nproxy = 'http://proxy.example:3128'\nno_proxy = ['.corp.example']\n";
    let network = network(text, folder.path(), &[]).await.unwrap();
    let way = |url: &str, via| network.way(&url.parse().unwrap(), via);
    assert_eq!(way("https://api.example/v1", Via::Proxy), "through http://proxy.example:3128");
    assert_eq!(way("https://api.example/v1", Via::Direct), "direct");
    assert_eq!(way("https://a.corp.example/v1", Via::Proxy), "direct");
    assert_eq!(way("http://127.0.0.1:8000/v1", Via::Proxy), "direct");
}

/// Such variables are often there for other programs.
#[tokio::test]
async fn a_proxy_of_the_environment_is_used_only_when_the_configuration_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let env = [("HTTPS_PROXY", "http://proxy.example:3128")];
    assert!(network("", folder.path(), &env).await.unwrap().egress.proxy().is_none());
    let named = network("[network]\nproxy = 'env:HTTPS_PROXY'\n", folder.path(), &env).await.unwrap();
    assert_eq!(named.egress.proxy().unwrap().to_string(), "http://proxy.example:3128");
}

#[tokio::test]
async fn a_password_in_the_file_is_refused_and_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[network]\nproxy = 'http://ann:hidden@proxy.example:3128'\n";
    let said = network(text, folder.path(), &[]).await.unwrap_err().to_string();
    assert!(said.contains("a user or a password (not shown)") && said.contains("secret:NAME"), "{said}");
    assert!(!said.contains("hidden"), "{said}");
}

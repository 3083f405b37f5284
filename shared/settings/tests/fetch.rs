//! The keys of model servers and of the vault.

#![expect(clippy::unwrap_used, reason = "a test's helpers may fail the test")]

use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use routing::{Place, Price, Protocol};
use secrecy::{ExposeSecret as _, SecretString};
use settings::{
    EndpointSettings, GatewaySettings, KeySource, SecretError, SecretVersions, Secrets, TokenSettings,
    endpoints, gateway_tokens, operator_token, vault_keys,
};

/// Secrets by reference: the current version and perhaps one before.
struct Fixed(Mutex<BTreeMap<&'static str, (&'static str, Option<&'static str>)>>);

fn secrets<const N: usize>(entries: [(&'static str, &'static str, Option<&'static str>); N]) -> Fixed {
    Fixed(Mutex::new(entries.into_iter().map(|(name, now, before)| (name, (now, before))).collect()))
}

#[async_trait]
impl Secrets for Fixed {
    async fn fetch(&self, source: &KeySource) -> Result<SecretVersions, SecretError> {
        let map = self.0.lock().unwrap();
        let missing = || SecretError::new(source, "there is no such secret", "make it");
        let (current, previous) = map.get(source.to_string().as_str()).ok_or_else(missing)?;
        Ok(SecretVersions {
            current: SecretString::from(*current),
            previous: previous.map(SecretString::from),
        })
    }
}

fn endpoint(name: &str, key: Option<&str>) -> EndpointSettings {
    let url = "https://h.example/v1/completions".parse().unwrap();
    EndpointSettings {
        key: key.map(|key| key.parse().unwrap()),
        max_tokens: Some(5),
        template: routing::Template::ChatMl,
        window: Some(4096),
        weight: 3,
        concurrency: Some(2),
        vision: true,
        price: Some(Price { prompt: 7, completion: 8 }),
        ..EndpointSettings::new(name, Place::Cloud, url, Protocol::Completions, "m")
    }
}

#[tokio::test]
async fn an_endpoint_key_is_plain_text_or_json() {
    let secrets =
        secrets([("env:PLAIN", "sk-1\n", None), ("env:JSON", r#"{"key": "sk-2", "note": 1}"#, None)]);
    let settings = [endpoint("a", None), endpoint("b", Some("env:PLAIN")), endpoint("c", Some("env:JSON"))];
    let made = endpoints(&settings, &secrets).await.unwrap();
    let keys: Vec<_> =
        made.iter().map(|e| e.key.as_ref().map(|key| key.expose_secret().to_owned())).collect();
    assert_eq!(keys, [None, Some("sk-1".to_owned()), Some("sk-2".to_owned())]);
    assert_eq!((made[0].name.as_str(), made[0].model.as_str(), made[0].max_tokens), ("a", "m", Some(5)));
    assert_eq!(made[0].template, routing::Template::ChatMl);
    assert_eq!((made[0].window, made[0].weight, made[0].concurrency), (Some(4096), 3, Some(2)));
    assert_eq!((made[0].vision, made[0].price), (true, Some(Price { prompt: 7, completion: 8 })));
}

#[tokio::test]
async fn all_wrong_endpoint_keys_are_told_without_their_values() {
    let secrets = secrets([
        ("env:A", r#"{"kee": "hidden"}"#, None),
        ("env:B", r#"{"key": ""}"#, None),
        ("env:C", r#"{"key": "hidden"#, None),
        ("env:D", "hidden\r\nx-header: 1", None),
        ("env:E", "隐hidden", None),
        ("env:F", "", None),
    ]);
    let references = ["env:A", "env:B", "env:C", "env:D", "env:E", "env:F", "env:NONE"];
    let settings: Vec<_> = references.iter().map(|key| endpoint("e", Some(key))).collect();
    let mistakes = endpoints(&settings, &secrets).await.unwrap_err();
    assert_eq!(mistakes.0.len(), references.len(), "{mistakes}");
    assert!(!mistakes.to_string().contains("hidden"), "{mistakes}");
    assert!(mistakes.0.iter().all(|mistake| mistake.key == "endpoints.e.key"));
    let last = &mistakes.0[6];
    assert_eq!((&*last.found, &*last.wanted), ("`env:NONE`, where there is no such secret", "make it"));
}

#[tokio::test]
async fn the_greatest_vault_key_seals_and_the_previous_versions_keys_open() {
    let secrets = secrets([(
        "env:V",
        r#"{"2026-01": "b", "2026-11": "c", "2025-12": "a"}"#,
        Some(r#"{"2026-01": "other", "2025-06": "z", "2027-01": "taken back"}"#),
    )]);
    let keys = vault_keys(&"env:V".parse().unwrap(), &secrets).await.unwrap();
    let shown: Vec<_> = keys.iter().map(|(name, key)| (name.as_str(), key.expose_secret())).collect();
    assert_eq!(
        shown,
        [("2026-11", "c"), ("2026-01", "b"), ("2025-12", "a"), ("2027-01", "taken back"), ("2025-06", "z"),]
    );
}

#[tokio::test]
async fn a_vault_secret_of_another_shape_is_told_without_its_value() {
    for text in
        ["hidden", "{}", r#"{"a": 1}"#, r#"{"": "hidden"}"#, r#"{"a": "hidden", "b": " "}"#, r#"["hidden"]"#]
    {
        let secrets = Fixed(Mutex::new(BTreeMap::from([("env:V", (text, None))])));
        let mistakes = vault_keys(&"env:V".parse().unwrap(), &secrets).await.unwrap_err();
        assert_eq!(mistakes.0.len(), 1, "{text}");
        assert_eq!(mistakes.0[0].key, "vault.keys");
        assert!(!mistakes.to_string().contains("hidden"), "{mistakes}");
    }
    let mistakes = vault_keys(&"env:NONE".parse().unwrap(), &secrets([])).await.unwrap_err();
    assert_eq!(mistakes.0[0].found, "`env:NONE`, where there is no such secret");
}

fn programs<const N: usize>(tokens: [(&str, &str); N]) -> GatewaySettings {
    let program = |(program, token): (&str, &str)| TokenSettings {
        program: program.to_owned(),
        token: token.parse().unwrap(),
    };
    GatewaySettings { tokens: tokens.into_iter().map(program).collect() }
}

#[tokio::test]
async fn programs_have_tokens_of_their_own() {
    let secrets =
        secrets([("env:A", "0123456789abcdef\n", None), ("env:B", r#"{"key": "fedcba9876543210"}"#, None)]);
    let tokens =
        gateway_tokens(&programs([("gateway", "env:A"), ("wiki", "env:B")]), &secrets).await.unwrap();
    let shown: Vec<_> = tokens.iter().map(|(name, token)| (name.as_str(), token.expose_secret())).collect();
    assert_eq!(shown, [("gateway", "0123456789abcdef"), ("wiki", "fedcba9876543210")]);
}

#[tokio::test]
async fn an_operator_has_a_token_that_nobody_guesses() {
    let secrets = secrets([("env:GOOD", "0123456789abcdef\n", None), ("env:SHORT", "hidden", None)]);
    let token = async |source: &str| operator_token(Some(&source.parse().unwrap()), &secrets).await;
    assert_eq!(token("env:GOOD").await.unwrap().unwrap().expose_secret(), "0123456789abcdef");
    assert!(operator_token(None, &secrets).await.unwrap().is_none());
    for wrong in ["env:SHORT", "env:NONE"] {
        let mistakes = token(wrong).await.unwrap_err();
        assert_eq!(mistakes.0[0].key, "standalone.operator_token");
        assert!(!mistakes.to_string().contains("hidden"), "{mistakes}");
    }
}

#[tokio::test]
async fn all_wrong_tokens_are_told_without_their_values() {
    let secrets = secrets([
        ("env:GOOD", "hidden-hidden-hidden", None),
        ("env:SAME", "hidden-hidden-hidden", None),
        ("env:SHORT", "hidden", None),
        ("env:BAD", "hidden hidden hidden", None),
    ]);
    let settings = programs([
        ("good", "env:GOOD"),
        ("same", "env:SAME"),
        ("short", "env:SHORT"),
        ("bad", "env:BAD"),
        ("gateway", "env:NONE"),
    ]);
    let mistakes = gateway_tokens(&settings, &secrets).await.unwrap_err();
    let keys: Vec<_> = mistakes.0.iter().map(|mistake| mistake.key.as_str()).collect();
    assert_eq!(keys, ["gateway.tokens.same", "gateway.tokens.short", "gateway.tokens.bad", "gateway.token"]);
    assert!(!mistakes.to_string().contains("hidden"), "{mistakes}");
}

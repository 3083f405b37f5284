//! What is wrong with secrets is reported in one run with everything else that is wrong.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use settings::{KeySource, LocalSecrets, check_secrets, draft};

const TEXT: &str = "\
[bots.desk]
platform = 'feishu'
keys = 'env:NONE'

[bots.Desk_Two]
platform = 'slack'
keys = 'file:/no/such/keys.json'

[endpoints.cloud]
place = 'moon'
url = 'https://h/v1/chat/completions'
model = 'm'
key = 'env:NO_KEY'

[endpoints.other]
place = 'cloud'
url = 'https://h/v1/chat/completions'
model = 'm'
key = 'env:LEFT'

[gateway]
token = 'env:SHORT'

[vault]
keys = 'env:VAULT'
";

fn environment() -> Arc<BTreeMap<String, String>> {
    let pairs = [("LEFT", "<your key>"), ("SHORT", "short"), ("VAULT", r#"{"2026-11": "…"}"#)];
    Arc::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

#[tokio::test]
async fn secrets_of_all_entries_are_checked_also_of_those_that_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("company.toml");
    std::fs::write(&path, TEXT).unwrap();
    let env = environment();
    let draft = draft(Some(Path::new(&path)), &env, &["dingtalk", "feishu"]);
    let of_values: Vec<_> = draft.mistakes.0.iter().map(|mistake| mistake.key.as_str()).collect();
    assert_eq!(of_values, ["bots.Desk_Two", "bots.Desk_Two.platform", "endpoints.cloud.place"]);
    let secrets = LocalSecrets::new(env.clone());
    let check = async |explained: &(dyn Fn(&KeySource) -> bool + Sync)| {
        let mistakes = check_secrets(&draft, &[], &secrets, explained).await;
        mistakes.0.into_iter().map(|mistake| mistake.key).collect::<Vec<_>>()
    };
    let all = [
        "bots.desk.keys",
        "bots.Desk_Two.keys",
        "endpoints.cloud.key",
        "endpoints.other.key",
        "gateway.token",
        "vault.keys",
    ];
    assert_eq!(check(&|_| false).await, all);
    let rest = check(&|source| *source == KeySource::Env("NONE".to_owned())).await;
    assert_eq!(rest, all[1..]);
}

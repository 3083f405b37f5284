//! A real language model behind llama.cpp answers a message on Feishu.
//!
//! The model is small and talks nonsense, so what it says is not looked at: only that it came, and how.

use std::time::Duration;

use magpie_tests::{component::Component, platforms::Pretend};
use simulator::Say;
use url::Url;

use crate::configured::Setup;

/// How long the model may take to be loaded, and to answer, on a machine that is busy compiling.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until the model is loaded.
async fn loaded(server: &Url, client: &Pretend) {
    let mut looks = tokio::time::interval(Duration::from_millis(100));
    let ready = async {
        while !client
            .get(server.join("/health").unwrap())
            .await
            .is_ok_and(|answer| answer.status.is_success())
        {
            looks.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, ready).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_model_answers_on_feishu() {
    let Some(server) = Component::Model.find() else { return };
    let server: Url = server.parse().unwrap();
    let endpoint = format!(
        "[endpoints.smol]\nplace = \"local\"\nurl = \"{}\"\nmodel = \"smollm2\"\nmax_tokens = 60\n",
        server.join("/v1/chat/completions").unwrap()
    );
    let Some(mut setup) = Setup::with_endpoints(&endpoint).await else { return };
    loaded(&server, &setup.platforms).await;
    for (count, question) in [(1, "What is the capital of France?"), (2, "And of Italy?")] {
        assert_eq!(setup.feishu(&Say::direct("ann", question)).await, 200);
        let asked = setup.magpie.process.line_with(" model.attempt ").await.unwrap();
        let seen = setup.platforms.seen(count).await.unwrap();
        let answer = &seen[count - 1].text;
        assert!(!answer.trim().is_empty() && !answer.starts_with("Sorry"), "{answer}");
        // It was heard while it came, and its server counted.
        let (first, whole) = (number(&asked, "first_token_millis"), number(&asked, "millis"));
        assert!(first < whole, "{asked}");
        assert!(asked.contains("estimated=false") && number(&asked, "completion_tokens") > 1, "{asked}");
    }
    assert!(setup.local.simulator.model_requests().is_empty(), "nobody else was asked");
}

/// The number behind a name in a line for people.
fn number(line: &str, name: &str) -> u64 {
    let value = line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    value.unwrap().parse().unwrap()
}

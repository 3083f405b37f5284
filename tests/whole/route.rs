//! `magpie route`: where a question goes, and what became of it.

use std::path::Path;

use magpie_tests::{component::Component, platforms::Pretend, process::Process};
use simulator::Target;

async fn route(args: &[&str], config: &str) -> Option<(Option<i32>, String)> {
    let binary = Component::Magpie.find()?;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("magpie.toml"), config).unwrap();
    let args = [&["route"], args].concat();
    let process = Process::start(Path::new(&binary), &args, &[], folder.path()).unwrap();
    Some(process.end().await.unwrap())
}

/// A bot with a persona, a local endpoint on a port that nobody listens on, and a cloud one.
fn config(cloud: &Pretend) -> String {
    format!(
        r#"
[bots.desk]
platform = "feishu"
keys = "demo"
persona = "You are the desk."
[endpoints.office]
place = "local"
url = "http://127.0.0.1:9/v1/chat/completions"
model = "office-model"
[endpoints.far]
place = "cloud"
url = "{}model/v1/chat/completions"
model = "far-model"
"#,
        cloud.served.url
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_goes_its_way_and_every_attempt_is_shown() {
    let cloud = Pretend::start().await.unwrap();
    let Some((code, said)) = route(&["how are you?", "--bot", "desk"], &config(&cloud)).await else { return };
    assert_eq!(code, Some(0), "{said}");
    for part in ["strategy local_first", "how are you?", "cannot be reached", "answered", "TOKENS", "IN ALL"]
    {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
    let asked = cloud.simulator.model_requests();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].to_string().contains("You are the desk."), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_asks_nobody() {
    let cloud = Pretend::start().await.unwrap();
    let Some((code, said)) = route(&["hello", "--explain"], &config(&cloud)).await else { return };
    assert_eq!(code, Some(0), "{said}");
    let (office, far) = (said.find("office-model").unwrap(), said.find("far-model").unwrap());
    assert!(office < far, "first choice first: {said}");
    assert!(!cloud.simulator.calls().iter().any(|call| call.target == Target::Model));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_answering_ends_with_2_and_says_what_was_tried() {
    let cloud = Pretend::start().await.unwrap();
    let config = format!("{}[routing]\nstrategy = \"local_only\"\n", config(&cloud));
    let Some((code, said)) = route(&["hello"], &config).await else { return };
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("nobody answered (all_failed)") && !said.contains("far-model"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_names_the_rules_that_hold_and_who_is_not_asked() {
    let cloud = Pretend::start().await.unwrap();
    let rules = r#"
[[routing.rules]]
name = "contracts"
departments = ["legal"]
words = ["contract"]
cloud = "never"
[departments.legal]
users = ["ou_lawyer"]
"#;
    let config = config(&cloud) + rules;
    let args = ["the Contract, please", "--explain", "--user", "ou_lawyer"];
    let Some((code, said)) = route(&args, &config).await else { return };
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("rules    contracts") && said.contains("the rule contracts forbids it"), "{said}");
    // Another person, or another word, and the cloud is there again.
    for args in
        [["the contract", "--explain", "--user", "ou_other"], ["hello", "--explain", "--user", "ou_lawyer"]]
    {
        let (_, said) = route(&args, &config).await.unwrap();
        assert!(!said.contains("NOT ASKED") && said.contains("far-model"), "{said}");
    }
    // A ban is not undone by a choice.
    let args = ["the contract", "--user", "ou_lawyer", "--model", "far"];
    let (code, said) = route(&args, &config).await.unwrap();
    assert_eq!(code, Some(2), "{said}");
    assert!(!cloud.simulator.calls().iter().any(|call| call.target == Target::Model), "{said}");
}

/// A proxy that forwards nothing: it answers what reaches it in the model's place, and hands out what that was.
async fn proxy() -> (std::net::SocketAddr, tokio::sync::mpsc::UnboundedReceiver<String>) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    const ANSWER: &str =
        r#"{"choices":[{"message":{"content":"by way of the proxy"},"finish_reason":"stop"}]}"#;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = vec![0; 64 << 10];
            let read = stream.read(&mut buffer).await.unwrap_or_default();
            let _ = tell.send(String::from_utf8_lossy(&buffer[..read]).into_owned());
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                ANSWER.len()
            );
            let _ = stream.write_all((head + ANSWER).as_bytes()).await;
        }
    });
    (address, told)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_endpoint_is_called_through_the_proxy_and_a_local_one_is_not() {
    let (address, mut told) = proxy().await;
    let config = format!(
        r#"
[endpoints.office]
place = "local"
url = "http://office.invalid/v1/chat/completions"
model = "office-model"
[endpoints.far]
place = "cloud"
url = "http://far.invalid/v1/chat/completions"
model = "far-model"
[network]
proxy = "http://{address}"
"#
    );
    let Some((code, said)) = route(&["hello", "--explain"], &config).await else { return };
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("office    direct"), "{said}");
    assert!(said.contains(&format!("far       through http://{address}")), "{said}");
    assert!(told.try_recv().is_err(), "an explanation asks nobody");
    // The local endpoint's name leads nowhere, and the proxy would have answered for it.
    let (code, said) = route(&["hello"], &config).await.unwrap();
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("by way of the proxy") && said.contains("the endpoint cannot be reached"),
        "{said}"
    );
    let asked = told.try_recv().unwrap();
    assert!(asked.starts_with("POST http://far.invalid/v1/chat/completions HTTP/1.1\r\n"), "{asked}");
    assert!(told.try_recv().is_err(), "one call");
}

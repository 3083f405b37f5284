//! The page in a real browser.

use std::{path::Path, process::Command};

use magpie_tests::{component::Component, standalone::Magpie};

#[tokio::test(flavor = "multi_thread")]
async fn the_page_answers_in_feishu_and_in_dingtalk_form() {
    let (Some(binary), Some(chromium), Some(modules)) =
        (Component::Magpie.find(), Component::Chromium.find(), Component::NodeModules.find())
    else {
        return;
    };
    // The configuration that `cargo run` reads, as shipped.
    let config = include_str!("../../magpie.toml");
    let magpie = Magpie::start(&binary, config).await.unwrap();
    let shots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/page.mjs");
    let mut browser = Command::new("node");
    browser
        .arg(script)
        .args(["--url", magpie.url.as_str().trim_end_matches('/'), "--chromium", &chromium])
        .arg("--shots")
        .arg(&shots)
        .env("MAGPIE_TEST_NODE_MODULES", modules);
    let output = tokio::task::spawn_blocking(move || browser.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
}

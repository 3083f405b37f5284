//! DingTalk's custom group robots.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::Stage;

fn text(words: &str) -> Value {
    json!({"msgtype": "text", "text": {"content": words}})
}

/// A signed call of the custom robot `T`. The sign is from the vectors: secret and timestamp of `typical`.
const ROBOT: &str =
    "robot/send?access_token=T&timestamp=1700000001000&sign=gtpEPR2wWPcOsv104SbDofXCKlaFyjzYARehcTpvZNQ%3D";
const ROBOT_SECRET: &str = "SEC0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn a_custom_robot_checks_token_time_and_sign() {
    let stage = Stage::new().await;
    stage.simulator.add_custom_robot("T", ROBOT_SECRET);
    let long_ago = ROBOT.replace("1700000001000", "1699990000000");
    let wrong = ROBOT.replace("gtpE", "gtpF");
    let unsigned = "robot/send?access_token=T".to_owned();
    let unknown = ROBOT.replace("access_token=T", "access_token=U");
    for (path, code, message) in [
        (ROBOT.to_owned(), 0, "ok"),
        (long_ago, 310_000, "invalid timestamp"),
        (unsigned, 310_000, "invalid timestamp"),
        (wrong, 310_000, "sign not match"),
        (unknown, 400_101, "token is not exist"),
    ] {
        let got = stage.dingtalk(&path, "", &text("a")).await.json();
        assert_eq!(got, json!({"errcode": code, "errmsg": message}), "{path}");
    }
    assert_eq!(stage.simulator.sent().len(), 1);
}

#[tokio::test]
async fn a_sign_that_is_not_percent_encoded_loses_its_plus() {
    // The vectors `docs-secret` and `unencoded-plus-becomes-space`.
    let stage = Stage::at(1_577_262_236_757).await;
    stage.simulator.add_custom_robot("T", "this is secret");
    let raw =
        "robot/send?access_token=T&timestamp=1577262236757&sign=hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM=";
    assert_eq!(stage.dingtalk(raw, "", &text("a")).await.json()["errcode"], 310_000);
    let encoded = raw.replace('+', "%2B");
    assert_eq!(stage.dingtalk(&encoded, "", &text("a")).await.json()["errcode"], 0);
}

#[tokio::test]
async fn a_custom_robots_hour_ends_exactly() {
    let stage = Stage::at(1_700_000_001_000).await;
    stage.simulator.add_custom_robot("T", ROBOT_SECRET);
    stage.clock.forward(Duration::from_millis(3_599_999));
    assert_eq!(stage.dingtalk(ROBOT, "", &text("a")).await.json()["errcode"], 0);
    stage.clock.forward(Duration::from_millis(1));
    assert_eq!(stage.dingtalk(ROBOT, "", &text("a")).await.json()["errcode"], 310_000);
}

#[tokio::test]
async fn the_twenty_first_message_in_a_minute_blocks_for_ten() {
    let stage = Stage::new().await;
    stage.simulator.add_custom_robot("T", ROBOT_SECRET);
    let mut keyed = text("a");
    keyed["msgUuid"] = "u-1".into();
    for _ in 0..3 {
        assert_eq!(stage.dingtalk(ROBOT, "", &keyed).await.json()["errcode"], 0);
    }
    assert_eq!(stage.simulator.sent().len(), 1, "one msgUuid, one message");
    for _ in 0..19 {
        assert_eq!(stage.dingtalk(ROBOT, "", &text("a")).await.json()["errcode"], 0);
    }
    assert_eq!(stage.dingtalk(ROBOT, "", &text("a")).await.json()["errcode"], 410_100);
    stage.clock.forward(Duration::from_secs(599));
    assert_eq!(stage.dingtalk(ROBOT, "", &text("a")).await.json()["errcode"], 410_100);
    stage.clock.forward(Duration::from_secs(1));
    assert_eq!(stage.dingtalk(ROBOT, "", &text("a")).await.json()["errcode"], 0);
}

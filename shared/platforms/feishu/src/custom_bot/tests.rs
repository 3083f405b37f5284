use http::HeaderMap;

use super::*;

const HOOK: &str =
    r#"{"webhook": "https://open.feishu.cn/open-apis/bot/v2/hook/hidden-id", "secret": "demo"}"#;

fn bot(keys: &str, base: Option<&str>) -> Result<Box<dyn Channel>, Vec<KeyError>> {
    let options = ConnectOptions { base_url: base.map(|text| text.parse().unwrap()) };
    connect(&Keys::from_json(keys).unwrap(), &options)
}

fn body(notice: &Notice) -> Value {
    let request = bot(HOOK, None).unwrap().request(notice, Timestamp::from_millis(100_999), "");
    serde_json::from_slice(&request.body).unwrap()
}

#[test]
fn signs_are_the_platforms() {
    let all: Value = serde_json::from_str(include_str!("../../tests/vectors/feishu.json")).unwrap();
    let vectors = all["custom_bot_sign"]["positive"].as_array().unwrap();
    assert!(vectors.len() >= 3);
    for vector in vectors {
        let [timestamp, secret, expected] =
            ["timestamp", "secret", "sign"].map(|field| vector[field].as_str().unwrap());
        assert_eq!(sign(timestamp, secret), expected, "{}", vector["name"]);
    }
}

#[test]
fn the_address_is_taken_from_the_keys_or_begins_with_the_base_url() {
    let to = |keys, base| {
        let bot = bot(keys, base).unwrap();
        bot.request(&bot.notices("x")[0], Timestamp::from_millis(0), "").url.to_string()
    };
    assert_eq!(to(HOOK, None), "https://open.feishu.cn/open-apis/bot/v2/hook/hidden-id");
    assert_eq!(
        to(HOOK, Some("http://127.0.0.1:8/feishu")),
        "http://127.0.0.1:8/feishu/open-apis/bot/v2/hook/hidden-id"
    );
    let lark = r#"{"webhook": " https://open.larksuite.com/open-apis/bot/v2/hook/i?x=1 "}"#;
    assert_eq!(to(lark, None), "https://open.larksuite.com/open-apis/bot/v2/hook/i");
}

#[test]
fn keys_of_another_kind_are_told_and_not_shown() {
    for keys in [
        r#"{"access_token": "hidden", "secret": "SEChidden"}"#,
        r#"{"webhook": "hidden-id"}"#,
        r#"{"webhook": "http://open.feishu.cn/open-apis/bot/v2/hook/hidden"}"#,
        r#"{"webhook": "https://open.feishu.cn/open-apis/bot/hook/hidden"}"#,
        r#"{"webhook": "https://open.feishu.cn/open-apis/bot/v2/hook/"}"#,
        r#"{"webhook": "https://oapi.dingtalk.com/robot/send?access_token=hidden"}"#,
    ] {
        let errors = bot(keys, None).err().unwrap();
        let said = errors.iter().map(ToString::to_string).collect::<String>();
        assert!(said.contains("webhook") && !said.contains("hidden"), "{keys}: {said}");
    }
}

#[test]
fn plain_words_are_a_text_and_markdown_is_a_card() {
    let bot = bot(HOOK, None).unwrap();
    let text = body(&bot.notices("Disk <at user_id=\"all\"></at> full")[0]);
    assert_eq!(text["msg_type"], "interactive", "what looks like a tag is tamed in a card");
    let text = body(&bot.notices("磁盘快满了")[0]);
    let expected = json!({
        "msg_type": "text", "content": { "text": "磁盘快满了" },
        "timestamp": "100", "sign": "jquNHnVOwmDRfw+vqTIrY5dooJAgi5EcRtLsQE4wfXg=",
    });
    assert_eq!(text, expected);
    let card = body(&bot.notices("**Disk** is full")[0]);
    assert_eq!((&card["msg_type"], &card["content"]), (&json!("interactive"), &Value::Null));
    assert_eq!(card["card"]["body"]["elements"][0]["content"], "**Disk** is full");
    assert!(bot.notices(" \n").is_empty());
}

#[test]
fn every_message_of_a_long_notice_is_below_20_kb() {
    let bot = bot(HOOK, None).unwrap();
    let list = (0..2000).map(|line| format!("- 第 {line} 行：\"磁盘\" <快满了>\n")).collect::<String>();
    let notices = bot.notices(&list);
    assert!(notices.len() > 1);
    for notice in &notices {
        let request = bot.request(notice, Timestamp::from_millis(1_700_000_000_000), "");
        assert!(request.body.len() < 20_000, "{}", request.body.len());
    }
    let shown =
        notices.iter().map(|notice| String::from_utf8_lossy(&notice.0).into_owned()).collect::<String>();
    assert!(shown.contains("第 0 行") && shown.contains("第 1999 行"));
}

#[test]
fn what_came_of_a_send_is_in_the_body() {
    let came = |status: u16, text: &'static str| {
        let status = StatusCode::from_u16(status).unwrap();
        bot(HOOK, None).unwrap().outcome(Ok(OutResponse {
            status,
            headers: HeaderMap::new(),
            body: text.into(),
        }))
    };
    for text in [
        r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#,
        r#"{"StatusCode":0,"StatusMessage":"success"}"#,
    ] {
        assert_eq!(came(200, text), Delivery::Accepted);
    }
    for (status, text, code, helped) in [
        (
            200,
            r#"{"code":19021,"msg":"sign match fail or timestamp is not within one hour from current time"}"#,
            "19021: sign match fail",
            "clock",
        ),
        (200, r#"{"code":19022,"msg":"Ip Not Allowed"}"#, "19022: Ip", "allow-list"),
        (200, r#"{"code":19024,"msg":"Key Words Not Found"}"#, "19024: Key Words", "keywords"),
        (
            200,
            r#"{"code":19001,"msg":"param invalid: incoming webhook access token invalid"}"#,
            "19001",
            "copy it",
        ),
        (400, r#"{"code":9499,"msg":"Bad Request","data":{}}"#, "9499: Bad", "20 KB"),
        (404, "404 page not found", "HTTP 404", "copy it"),
    ] {
        let Delivery::Refused { code: refused, help } = came(status, text) else { panic!("{text}") };
        assert!(refused.starts_with(code) && help.unwrap().contains(helped), "{refused}: {help:?}");
    }
    let Delivery::Refused { code, help } = came(200, r#"{"code":11246,"msg":"a\u001b[31m"}"#) else {
        panic!()
    };
    assert!(code.starts_with("11246") && !code.contains('\u{1b}') && help.is_none(), "{code:?}");
    assert!(matches!(came(429, r#"{"code":11232,"msg":"frequency limited"}"#), Delivery::Retry { .. }));
    assert!(matches!(came(429, "<html>"), Delivery::Retry { .. }));
    assert_eq!(came(502, "<html>"), Delivery::Unknown);
    assert_eq!(came(200, "{}"), Delivery::Unknown);
    let lost = |error| bot(HOOK, None).unwrap().outcome(Err(error));
    assert_eq!(lost(NetError::Timeout), Delivery::Unknown);
    let unreachable = Delivery::Retry { after: Duration::from_secs(1), error: Some(NetError::Unreachable) };
    assert_eq!(lost(NetError::Unreachable), unreachable);
}

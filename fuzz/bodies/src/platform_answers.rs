//! What platforms answer to calls, and addresses and segments read back from storage.

use std::sync::LazyLock;

use chat::{ReplyTo, Segment};
use http::{HeaderMap, HeaderValue, StatusCode};
use platform::{Platform, SendOutcome};
use serde_json::json;
use std::sync::Arc;
use transport::OutResponse;

use crate::{Reach, dingtalk_webhook::BOT, fixed};

static FEISHU: LazyLock<Arc<dyn Platform>> = LazyLock::new(|| {
    let keys = json!({"app_id": "cli_1", "app_secret": "s", "verification_token": "vtok"});
    fixed::bind(feishu::KIND, &keys)
});

/// The longest wait that a platform may ask for, in seconds: DingTalk's gateway blocks for five minutes.
const LONGEST_WAIT: u64 = 300;

/// The first byte chooses the status and whether the rest is a body, or an address. In a body, what stands before the
/// first NUL is a header that asks to wait.
#[must_use]
pub fn run(data: &[u8]) -> Reach {
    let Some((&choice, rest)) = data.split_first() else { return Reach::Door };
    let reached = [&**FEISHU, &**BOT].map(|platform| match choice % 8 {
        0 => addressed(platform, rest),
        choice => answered(platform, choice, rest),
    });
    reached.into_iter().max().unwrap_or(Reach::Door)
}

/// Stored texts are sealed, so no stranger writes them; a later version does. They make a call to the platform or none.
fn addressed(platform: &dyn Platform, text: &[u8]) -> Reach {
    let Ok(text) = std::str::from_utf8(text) else { return Reach::Door };
    let to = ReplyTo(text.to_owned());
    let _ = (platform.guarantee(&to, fixed::NOW), platform.needs_token(&to, fixed::NOW));
    let _ = platform.send(&to, &Segment(text.to_owned()), &fixed::key(), None, fixed::NOW);
    let call = fixed::answer(platform, &to);
    if let Some(call) = &call {
        let host = call.url.host_str().unwrap_or_default();
        assert!(matches!(host, "open.feishu.cn" | "oapi.dingtalk.com" | "api.dingtalk.com"), "{host}");
    }
    Reach::inside(call.is_some())
}

fn answered(platform: &dyn Platform, choice: u8, rest: &[u8]) -> Reach {
    let status = [200, 200, 400, 401, 429, 500, 302][usize::from(choice) % 7];
    let (wait, body) = match rest.iter().position(|byte| *byte == 0) {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (&[][..], rest),
    };
    let mut headers = HeaderMap::new();
    if let Ok(wait) = HeaderValue::from_bytes(wait) {
        headers.insert("x-ogw-ratelimit-reset", wait.clone());
        headers.insert("retry-after", wait);
    }
    let status = StatusCode::from_u16(status).expect("statuses are whole");
    let answer = OutResponse { status, headers, body: body.to_vec().into() };
    let token = platform.token_answer(&answer);
    let identity = platform.identity_answer(&answer);
    let outcome = platform.outcome(&ReplyTo("{}".to_owned()), Ok(answer));
    if let SendOutcome::Retry { after } = &outcome {
        assert!(after.as_secs() <= LONGEST_WAIT, "a wait of {after:?}");
    }
    Reach::inside(matches!(outcome, SendOutcome::Accepted(_)) || token.is_ok() || identity.is_ok())
}

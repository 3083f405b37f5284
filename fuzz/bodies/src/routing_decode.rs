//! What model servers answer, in both protocols.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use routing::{
    Failure,
    protocol::{Completion, chat_completions, completions},
};
use transport::OutResponse;

use crate::Reach;

/// Statuses that mean different things to the router.
const STATUSES: [u16; 12] = [200, 200, 200, 200, 400, 401, 404, 408, 413, 429, 500, 503];

/// The first byte chooses the status. What stands before the first NUL, if there is one, is `retry-after`; the rest is
/// the body.
#[must_use]
pub fn run(data: &[u8]) -> Reach {
    let Some((&choice, rest)) = data.split_first() else { return Reach::Door };
    let status =
        StatusCode::from_u16(STATUSES[usize::from(choice) % STATUSES.len()]).expect("statuses are whole");
    let (after, body) = match rest.iter().position(|byte| *byte == 0) {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (&[][..], rest),
    };
    let mut headers = HeaderMap::new();
    if let Ok(after) = HeaderValue::from_bytes(after) {
        headers.insert(HeaderName::from_static("retry-after"), after);
    }
    let response = OutResponse { status, headers, body: body.to_vec().into() };
    let decoded = [chat_completions::decode(&response), completions::decode(&response)];
    for said in &decoded {
        check(status, said);
    }
    Reach::inside(decoded.iter().any(Result::is_ok))
}

fn check(status: StatusCode, said: &Result<Completion, Failure>) {
    match said {
        Ok(completion) => {
            assert!(status.is_success(), "an answer under {status}");
            assert!(!completion.text.is_empty() && completion.text.trim() == completion.text);
            let shown = format!("{completion:?}");
            let hidden = completion.text.len() < 12 || !shown.contains(&completion.text);
            assert!(hidden || completion.model.as_deref() == Some(&completion.text), "words in Debug");
        }
        Err(failure) => assert!(!failure.to_string().is_empty()),
    }
}

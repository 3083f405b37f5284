use std::time::Duration;

use routing::{Attempt, Overflow, Place};

use super::*;

fn no_answer(reason: NoAnswerReason, failures: &[Failure]) -> NoAnswer {
    let attempt = |failure: &Failure| Attempt {
        endpoint: "hidden-endpoint".to_owned(),
        place: Place::Local,
        model: "hidden-model".to_owned(),
        millis: 1,
        first_token_millis: None,
        usage: None,
        cost: 0,
        outcome: AttemptOutcome::Failed(*failure),
        status: None,
        message: None,
        overflow: Overflow::default(),
    };
    NoAnswer { reason, attempts: failures.iter().map(attempt).collect() }
}

fn busy_for(seconds: Option<u64>) -> Failure {
    Failure::RateLimited { retry_after: seconds.map(Duration::from_secs) }
}

#[test]
fn each_reason_has_its_status_and_its_code() {
    use NoAnswerReason::{AllFailed, NoEndpoint, OutOfTime, OverBudget, Refused};
    for (reason, failures, left_out, status, code) in [
        (Refused, &[Failure::ContextTooLong][..], &[][..], 400, "context_length_exceeded"),
        (Refused, &[Failure::ContentFiltered], &[], 400, "content_filter"),
        (AllFailed, &[busy_for(None), busy_for(Some(3))], &[], 429, "rate_limit_exceeded"),
        (AllFailed, &[busy_for(None), Failure::Server(500)], &[], 503, "no_model_available"),
        (AllFailed, &[Failure::Auth(401)], &[], 503, "no_model_available"),
        (AllFailed, &[Failure::BadRequest(400)], &[], 400, "request_refused"),
        (AllFailed, &[Failure::BadRequest(422), Failure::BadRequest(422)], &[], 422, "request_refused"),
        (AllFailed, &[Failure::BadRequest(404), Failure::BadRequest(400)], &[], 400, "request_refused"),
        (AllFailed, &[Failure::BadRequest(400), Failure::Unreachable], &[], 503, "no_model_available"),
        (AllFailed, &[Failure::BadRequest(301)], &[], 503, "no_model_available"),
        (OverBudget, &[], &[LeftOut::Allowance], 429, "insufficient_quota"),
        (OutOfTime, &[Failure::Timeout], &[], 504, "timeout"),
        (NoEndpoint, &[], &[LeftOut::Strategy, LeftOut::Vision], 400, "unsupported_content"),
        (NoEndpoint, &[], &[LeftOut::Window], 400, "context_length_exceeded"),
        (NoEndpoint, &[], &[LeftOut::Rule("secret".into())], 503, "no_model_available"),
    ] {
        let refusal = Refusal::no_answer(&no_answer(reason, failures), left_out);
        assert_eq!((refusal.status.as_u16(), refusal.code), (status, code));
        let json = refusal.json();
        assert!(!json.contains("hidden") && !json.contains("secret"), "{json}");
    }
}

#[test]
fn busy_endpoints_say_when_to_come_again() {
    for (failures, seconds) in [
        (&[busy_for(Some(30)), busy_for(Some(7))][..], "7"),
        (&[busy_for(None)], "1"),
        (&[busy_for(Some(0))], "1"),
    ] {
        let refusal = Refusal::no_answer(&no_answer(NoAnswerReason::AllFailed, failures), &[]);
        assert_eq!(refusal.into_response().headers()[header::RETRY_AFTER], seconds);
    }
}

#[test]
fn a_missing_token_is_told_how_to_show_one() {
    let response = Refusal::no_token().into_response();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
}

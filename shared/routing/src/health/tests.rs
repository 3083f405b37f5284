use super::*;
use crate::Failure;

struct NoChance;

impl Entropy for NoChance {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

const NOW: Timestamp = Timestamp::from_millis(1_000_000);

fn health(concurrency: Option<u32>) -> Health {
    let endpoint = Endpoint { concurrency, ..Endpoint::echo() };
    Health::new(&[endpoint], Arc::new(NoChance))
}

fn fail(health: &Health, now: Timestamp) -> Option<Opening> {
    let outcome = AttemptOutcome::Failed(Failure::Unreachable);
    health.note(0, Verdict { outcome, started: now, first_token: None }, now)
}

fn later(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

#[test]
fn who_is_to_be_left_alone_is_asked_only_when_nobody_else_is_left() {
    let health = health(None);
    let opening = fail(&health, NOW);
    let expected = Opening { endpoint: "echo".into(), since: NOW, until: later(10), step: 1 };
    assert_eq!(opening, Some(expected));
    assert_eq!(health.gate(0, NOW), Gate::Open { until: later(10) });
    assert!(health.admit(0, NOW).is_none());
    assert!(health.admit_anyway(0).is_some());
}

#[test]
fn a_probe_without_a_verdict_is_given_back() {
    let health = health(None);
    fail(&health, NOW);
    let probe = health.admit(0, later(10));
    assert!(probe.is_some());
    assert!(health.admit(0, later(10)).is_none(), "one at a time");
    drop(probe);
    assert!(health.admit(0, later(10)).is_some());
}

#[test]
fn a_full_endpoint_keeps_its_probe() {
    let health = health(Some(1));
    fail(&health, NOW);
    let busy = health.admit_anyway(0);
    assert!(health.admit(0, later(10)).is_none());
    drop(busy);
    assert!(health.admit(0, later(10)).is_some());
}

#[test]
fn questions_in_work_are_counted_and_limited() {
    let health = health(Some(2));
    let held: Vec<_> = (0..2).map(|_| health.admit(0, NOW).unwrap()).collect();
    assert!(health.admit(0, NOW).is_none() && health.admit_anyway(0).is_none());
    assert_eq!(health.in_work(0), 2);
    drop(held);
    assert_eq!(health.in_work(0), 0);
}

#[test]
fn signs_tell_how_it_fares() {
    let health = health(None);
    let quiet = Sign {
        endpoint: "echo".into(),
        place: Place::Local,
        gate: Gate::Closed,
        in_work: 0,
        first_token: None,
        failing: None,
    };
    assert_eq!(health.signs(NOW), std::slice::from_ref(&quiet));
    let _held = health.admit(0, NOW);
    let first_token = Some(Duration::from_millis(250));
    health.note(0, Verdict { outcome: AttemptOutcome::Answered, started: NOW, first_token }, NOW);
    fail(&health, NOW);
    let failing = Some(Failing { class: "unreachable", status: None, message: None, since: NOW, count: 1 });
    let busy = Sign { gate: Gate::Open { until: later(10) }, in_work: 1, first_token, failing, ..quiet };
    assert_eq!(health.signs(NOW), [busy]);
}

/// The breaker stays closed for what a wait would not change, and the sign tells of it all the same.
#[test]
fn what_an_endpoint_failed_with_is_told_until_it_answers() {
    let health = health(None);
    let note = |outcome, after| {
        health.note(0, Verdict { outcome, started: NOW, first_token: None }, later(after));
    };
    let failing = || health.signs(NOW)[0].failing.clone().map(|f| (f.class, f.since, f.count));
    note(AttemptOutcome::Failed(Failure::BadRequest(404)), 1);
    note(AttemptOutcome::Failed(Failure::BadRequest(404)), 2);
    assert_eq!(health.gate(0, later(3)), Gate::Closed);
    assert_eq!(failing(), Some(("bad_request", later(1), 2)));
    // A question's own fault, and a lost race, tell nothing of the endpoint.
    for outcome in [
        AttemptOutcome::Failed(Failure::ContentFiltered),
        AttemptOutcome::Failed(Failure::ContextTooLong),
        AttemptOutcome::Outrun,
    ] {
        note(outcome, 3);
        assert_eq!(failing(), Some(("bad_request", later(1), 2)));
    }
    note(AttemptOutcome::Answered, 4);
    assert_eq!(failing(), None);
    note(AttemptOutcome::Failed(Failure::ContentFiltered), 5);
    assert_eq!(failing(), None);
    note(AttemptOutcome::Failed(Failure::Auth(401)), 6);
    assert_eq!(failing(), Some(("auth", later(6), 1)));
}

#[test]
fn unknown_names_and_numbers_change_nothing() {
    let health = health(None);
    let opening = Opening { endpoint: "gone".into(), since: NOW, until: later(60), step: 1 };
    health.adopt(&[opening], NOW);
    assert_eq!(health.gate(0, NOW), Gate::Closed);
    let outcome = AttemptOutcome::Failed(Failure::Unreachable);
    assert_eq!(health.note(7, Verdict { outcome, started: NOW, first_token: None }, NOW), None);
}

use proptest::prelude::*;

use super::*;

const BEGIN: Timestamp = Timestamp::from_millis(1_000_000);
const SERVER: Failure = Failure::Server(500);

fn at(seconds: u64) -> Timestamp {
    BEGIN.plus(Duration::from_secs(seconds))
}

/// An attempt that took no time, noted without chance.
fn note(breaker: &mut Breaker, outcome: AttemptOutcome, now: Timestamp) -> Option<Opened> {
    breaker.note(Verdict { outcome, started: now, first_token: None }, now, || 0.0)
}

fn fail(breaker: &mut Breaker, failure: Failure, now: Timestamp) -> Option<Opened> {
    note(breaker, AttemptOutcome::Failed(failure), now)
}

/// An attempt that failed after this many seconds.
fn fail_after(breaker: &mut Breaker, failure: Failure, seconds: u64, now: Timestamp) -> Option<Opened> {
    let started = now.minus(Duration::from_secs(seconds));
    let verdict = Verdict { outcome: AttemptOutcome::Failed(failure), started, first_token: None };
    breaker.note(verdict, now, || 0.0)
}

fn open(seconds: u64) -> Gate {
    Gate::Open { until: at(seconds) }
}

#[test]
fn each_cause_has_its_number() {
    let told = Failure::RateLimited { retry_after: Some(Duration::from_secs(7)) };
    for (failure, times, wait) in [
        (Failure::Unreachable, 1, 10),
        (Failure::Auth(401), 1, 300),
        (told, 1, 7),
        (Failure::SlowFirstToken, 2, 10),
        (Failure::Stalled, 2, 10),
        (Failure::Timeout, 2, 10),
        (SERVER, 3, 10),
        (Failure::Broken, 3, 10),
        (Failure::RateLimited { retry_after: None }, 3, 10),
    ] {
        let mut breaker = Breaker::default();
        for _ in 1..times {
            assert_eq!(fail_after(&mut breaker, failure, 15, at(0)), None, "{failure}");
            assert_eq!(breaker.gate(at(0)), Gate::Closed, "{failure}");
        }
        let opened = fail_after(&mut breaker, failure, 15, at(0));
        assert_eq!(opened, Some(Opened { until: at(wait), step: 1 }), "{failure}");
        assert_eq!(breaker.gate(at(wait - 1)), open(wait), "{failure}");
        assert_eq!(breaker.gate(at(wait)), Gate::Probing, "{failure}");
    }
}

#[test]
fn what_is_the_questions_fault_never_opens() {
    for failure in [
        Failure::BadRequest(400),
        Failure::ContextTooLong,
        Failure::ContentFiltered,
        Failure::Empty,
        Failure::Malformed,
        Failure::TooLarge,
    ] {
        let mut breaker = Breaker::default();
        for _ in 0..100 {
            assert_eq!(fail(&mut breaker, failure, at(0)), None);
        }
        assert_eq!(breaker.gate(at(0)), Gate::Closed, "{failure}");
    }
}

#[test]
fn what_was_cut_short_was_not_silent() {
    let mut breaker = Breaker::default();
    for _ in 0..100 {
        assert_eq!(fail_after(&mut breaker, Failure::Timeout, 9, at(100)), None);
    }
    assert_eq!(breaker.gate(at(100)), Gate::Closed);
}

#[test]
fn only_failures_in_a_row_count() {
    let mut breaker = Breaker::default();
    for second in 0..100 {
        assert_eq!(fail(&mut breaker, SERVER, at(second)), None);
        assert_eq!(fail(&mut breaker, SERVER, at(second)), None);
        note(&mut breaker, AttemptOutcome::Answered, at(second));
    }
    assert_eq!(breaker.gate(at(100)), Gate::Closed);
}

#[test]
fn who_always_loses_races_is_found_out() {
    let mut breaker = Breaker::default();
    for _ in 0..5 {
        assert_eq!(note(&mut breaker, AttemptOutcome::Outrun, at(0)), None);
    }
    assert!(note(&mut breaker, AttemptOutcome::Outrun, at(0)).is_some());
}

#[test]
fn one_probe_at_a_time_and_it_comes_back() {
    let mut breaker = Breaker::default();
    fail(&mut breaker, Failure::Unreachable, at(0));
    let first = breaker.probe(at(10));
    assert!(matches!(breaker.gate(at(10)), Gate::Open { .. }), "it is out");
    breaker.give_back(first);
    assert_eq!(breaker.gate(at(11)), Gate::Probing);
    let second = breaker.probe(at(11));
    breaker.give_back(Probe(1));
    assert!(matches!(breaker.gate(at(11)), Gate::Open { .. }), "an old probe takes nothing from a new one");
    note(&mut breaker, AttemptOutcome::Answered, at(11));
    breaker.give_back(second);
    assert_eq!(breaker.gate(at(12)), Gate::Closed);
}

#[test]
fn a_probe_decides() {
    for (failure, gate) in [
        (Failure::BadRequest(400), Gate::Closed),
        (Failure::Empty, Gate::Closed),
        (SERVER, open(20)),
        (Failure::Unreachable, open(20)),
        (Failure::Auth(403), open(310)),
    ] {
        let mut breaker = Breaker::default();
        fail(&mut breaker, Failure::Unreachable, at(0));
        breaker.probe(at(10));
        fail(&mut breaker, failure, at(10));
        assert_eq!(breaker.gate(at(10)), gate, "{failure}");
    }
}

#[test]
fn many_that_fail_together_open_once() {
    let mut breaker = Breaker::default();
    assert!(fail_after(&mut breaker, Failure::Unreachable, 3, at(3)).is_some());
    for _ in 0..100 {
        assert_eq!(fail_after(&mut breaker, Failure::Unreachable, 3, at(3)), None);
    }
    // One that is late, and comes when the wait is over already.
    assert_eq!(fail_after(&mut breaker, Failure::Broken, 15, at(14)), None);
    assert_eq!(breaker.gate(at(14)), Gate::Probing);
}

#[test]
fn an_answer_closes_at_once_and_one_from_before_does_not() {
    let mut breaker = Breaker::default();
    fail(&mut breaker, Failure::Auth(401), at(10));
    let late =
        Verdict { outcome: AttemptOutcome::Answered, started: at(9), first_token: Some(Duration::ZERO) };
    breaker.note(late, at(11), || 0.0);
    assert_eq!(breaker.gate(at(11)), open(310));
    note(&mut breaker, AttemptOutcome::Answered, at(12));
    assert_eq!(breaker.gate(at(12)), Gate::Closed);
}

#[test]
fn waits_grow_to_five_minutes_and_an_answer_begins_anew() {
    let mut breaker = Breaker::default();
    let mut now = at(0);
    let mut waits = Vec::new();
    for _ in 0..14 {
        let opened = fail(&mut breaker, Failure::Unreachable, now).unwrap();
        waits.push(opened.until.since(now).as_secs());
        now = opened.until;
    }
    assert_eq!(waits, [10, 10, 20, 20, 40, 40, 80, 80, 160, 160, 300, 300, 300, 300]);
    assert_eq!(ladder(u32::MAX), LONGEST_WAIT);
    note(&mut breaker, AttemptOutcome::Answered, now);
    let opened = fail(&mut breaker, Failure::Unreachable, now).unwrap();
    assert_eq!(opened, Opened { until: now.plus(FIRST_WAIT), step: 1 });
}

#[test]
fn a_wish_is_kept_to_the_second_and_within_an_hour() {
    let wish = |seconds| Failure::RateLimited { retry_after: Some(Duration::from_secs(seconds)) };
    for (wished, kept) in [(0, 0), (2, 2), (900, 900), (3_600, 3_600), (86_400, 3_600)] {
        let mut breaker = Breaker::default();
        let verdict =
            Verdict { outcome: AttemptOutcome::Failed(wish(wished)), started: at(0), first_token: None };
        assert_eq!(breaker.note(verdict, at(0), || 1.0), Some(Opened { until: at(kept), step: 1 }));
    }
}

fn told(since: u64, until: u64) -> Opening {
    Opening { endpoint: "e".into(), since: at(since), until: at(until), step: 3 }
}

#[test]
fn what_others_told_is_believed_unless_known_better() {
    let mut breaker = Breaker::default();
    breaker.adopt(&told(0, 10), at(10), || 0.0);
    assert_eq!(breaker.gate(at(10)), Gate::Closed, "it is over");
    breaker.adopt(&told(0, 20), at(10), || 0.0);
    assert_eq!(breaker.gate(at(10)), open(20));
    breaker.adopt(&told(0, 20), at(10), || 1.0);
    assert_eq!(breaker.gate(at(10)), open(20), "heard again it is the same");
    breaker.adopt(&told(5, 40), at(10), || 0.0);
    assert_eq!(breaker.gate(at(10)), open(40), "it was opened again");
    note(&mut breaker, AttemptOutcome::Answered, at(11));
    breaker.adopt(&told(5, 40), at(12), || 0.0);
    assert_eq!(breaker.gate(at(12)), Gate::Closed, "it answered since");
    breaker.adopt(&told(12, 40), at(13), || 1.0);
    assert_eq!(breaker.gate(at(13)), open(47), "and not all come back together");
}

#[test]
fn the_next_wait_goes_on_from_what_others_told() {
    let mut breaker = Breaker::default();
    breaker.adopt(&told(0, 20), at(1), || 0.0);
    let opened = fail(&mut breaker, Failure::Unreachable, at(20)).unwrap();
    assert_eq!(opened.step, 4);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// A minute's outage, a question every four seconds, whatever the phase and the chance, whether it is refused at
    /// once or answers with errors: the primary is asked again within 30 s of its return, and seldom before.
    #[test]
    fn an_endpoint_that_was_down_for_a_minute_is_back_within_half_a_minute(
        phase in 0_u64..4_000,
        chance in 0.0..=1.0,
        refused in any::<bool>(),
    ) {
        let failure = if refused { Failure::Unreachable } else { Failure::Server(503) };
        let outage = BEGIN..BEGIN.plus(Duration::from_secs(60));
        let mut breaker = Breaker::default();
        let (mut asked, mut back) = (0, None);
        for question in 0..60 {
            let now = BEGIN.plus(Duration::from_millis(phase + 4_000 * question));
            if matches!(breaker.gate(now), Gate::Open { .. }) {
                continue;
            }
            if !outage.contains(&now) {
                back = Some(now);
                break;
            }
            asked += 1;
            let verdict =
                Verdict { outcome: AttemptOutcome::Failed(failure), started: now, first_token: None };
            breaker.note(verdict, now, || chance);
        }
        let late = back.unwrap().since(outage.end);
        prop_assert!(late <= Duration::from_secs(30), "back after {late:?}");
        prop_assert!(asked <= 7, "asked {asked} times in vain");
    }
}

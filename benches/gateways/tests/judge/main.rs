//! The judge is not to be fooled: gateways that fail in a known way are found wanting in exactly that way, and one that
//! does everything right passes all sixteen.
//!
//! The clocks are short: fifteen seconds become 300 ms for the bad ones, and 1.5 s for the good one, whose own waiting
//! has to be told from the machine's.
#![expect(clippy::unwrap_used, reason = "a scene that cannot be set fails its test")]

mod scene;

use gateways::judge::{Grade, Verdict};
use scene::{Careful, Careless, Parrot, verdicts};

/// The scenarios of one grade.
fn graded(verdicts: &[Verdict], grade: Grade) -> Vec<&str> {
    verdicts.iter().filter(|verdict| verdict.grade == grade).map(|verdict| verdict.scenario.id).collect()
}

/// What is said about each, for a test that fails.
fn told(verdicts: &[Verdict]) -> String {
    let line = |verdict: &Verdict| format!("{} {}: {}\n", verdict.scenario.id, verdict.grade, verdict.why);
    verdicts.iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_only_hands_on_is_found_wanting_where_something_breaks() {
    let verdicts = verdicts(Careless, 0.02, false).await;
    // Nothing breaks in these, or the break is harmless, or the error is what should come.
    assert_eq!(graded(&verdicts, Grade::Pass), ["S10", "S11", "S13"], "{}", told(&verdicts));
    // Slow, but there.
    assert_eq!(graded(&verdicts, Grade::Partial), ["S07"], "{}", told(&verdicts));
    // Half a JSON document fools nobody, and an error is handed on as one.
    let safe = ["S01", "S02", "S03", "S04", "S05", "S08", "S09", "S12", "S14", "S16"];
    assert_eq!(graded(&verdicts, Grade::Safe), safe, "{}", told(&verdicts));
    // It waited for the silent model to the end, and answered nothing in the outage.
    assert_eq!(graded(&verdicts, Grade::Fail), ["S06", "S15"], "{}", told(&verdicts));
}

#[tokio::test(flavor = "multi_thread")]
async fn half_an_answer_that_ends_cleanly_is_a_failure() {
    let verdicts = verdicts(Careless, 0.02, true).await;
    assert_eq!(graded(&verdicts, Grade::Fail), ["S06", "S08", "S09", "S14", "S15"], "{}", told(&verdicts));
    for id in ["S08", "S09", "S14"] {
        let verdict = verdicts.iter().find(|verdict| verdict.scenario.id == id).unwrap();
        assert!(verdict.why.contains("presented as the whole answer"), "{}", verdict.why);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn right_words_from_nowhere_do_not_pass() {
    let verdicts = verdicts(Parrot, 0.02, false).await;
    assert_eq!(graded(&verdicts, Grade::Pass), [""; 0], "{}", told(&verdicts));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_does_everything_right_passes_all() {
    let verdicts = verdicts(Careful { scale: 0.1 }, 0.1, false).await;
    assert_eq!(graded(&verdicts, Grade::Pass).len(), 16, "{}", told(&verdicts));
}

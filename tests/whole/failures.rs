//! The sixteen ways in which model servers fail, through a real process and its own gateway. `cargo xtask bench failures`
//! runs the same at their real pace.

use gateways::{
    failures::{self, Manner},
    gateway::{Product, Programs},
    judge::{Grade, Verdict},
    scale::Scale,
};
use magpie_tests::component::Component;

/// Every clock a fifth, Magpie's own too. A tenth is too little where other tests want the same processors: half a second of
/// waiting for one is then five of a scenario's.
const SCALE: f64 = 0.2;

async fn verdicts(streamed: bool) -> Option<Vec<Verdict>> {
    let magpie = Component::Magpie.find()?;
    let logs = tempfile::tempdir().unwrap();
    let programs =
        Programs { magpie: Some(magpie.into()), logs: logs.path().to_owned(), ..Programs::default() };
    let manner = Manner { scale: Scale::new(SCALE).unwrap(), streamed };
    Some(failures::run(Product::Magpie, &programs, manner, |_| ()).await.unwrap())
}

/// What is not as good as this. Clocks shrink, but a failing endpoint is left alone for its ten seconds all the same, and
/// S15's outage is over in twelve: that its end is noticed can be seen at the real pace only, and in `routing`'s own tests.
fn below(verdicts: &[Verdict], least: impl Fn(&Verdict) -> Grade) -> Vec<String> {
    let too_short = |verdict: &Verdict| {
        verdict.scenario.id == "S15" && verdict.why == "the first model was not used again"
    };
    let worse = verdicts.iter().filter(|verdict| verdict.grade > least(verdict) && !too_short(verdict));
    worse.map(|verdict| format!("{} {}: {}", verdict.scenario.id, verdict.grade, verdict.why)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_wants_a_whole_answer_gets_it_in_all_sixteen() {
    let Some(verdicts) = verdicts(false).await else { return };
    assert_eq!(verdicts.len(), 16);
    assert_eq!(below(&verdicts, |_| Grade::Pass), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stream_has_shown_is_never_passed_off_as_the_whole() {
    let Some(verdicts) = verdicts(true).await else { return };
    // A client that streams has seen the first words: there an honest end is the best that can be.
    let shown = ["S08", "S09", "S14"];
    let least = |verdict: &Verdict| {
        if shown.contains(&verdict.scenario.id) { Grade::Safe } else { Grade::Pass }
    };
    assert_eq!(below(&verdicts, least), [""; 0]);
}

//! Histories that once broke a promise, each with its story. They stay, whatever becomes of the seed's other draws.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

use simulation::{Options, run};

fn holds(seed: u64) {
    let outcome = run(seed, &Options { story: true, ..Options::default() }).unwrap();
    assert!(outcome.violations.is_empty(), "{:?}\n{}", outcome.violations, outcome.story.join("\n"));
}

/// A worker marked a segment for DingTalk, stood still until its lease was over, and sent it then. Meanwhile the turn
/// had been parked as uncertain and the next message of the conversation answered: the answers came in the wrong order.
/// A worker now looks at its deadline right before each send.
#[test]
fn a_worker_that_stood_still_past_its_deadline_sends_nothing() {
    for seed in [203, 826, 934, 1213, 1348] {
        holds(seed);
    }
}

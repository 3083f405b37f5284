//! A line for each measurement, for the terminal.

use gateways::router::stats::Times;

use super::{mb, micros_each, rate};
use crate::{
    plan::Plan,
    run::{Acknowledging, Answering, Shape},
};

/// What is about to be measured.
#[must_use]
pub fn announce(plan: &Plan, shape: Shape) -> String {
    let (conversations, model) = (plan.conversations, plan.model_time.as_secs_f64());
    match shape {
        Shape::Steady => format!(
            "magpie: {} messages a second for {} s over {conversations} conversations, the model takes {model:.1} s",
            plan.rate, plan.seconds
        ),
        Shape::Burst => format!("magpie: {conversations} messages at once, the model takes {model:.1} s"),
    }
}

/// What a server acknowledged.
#[must_use]
pub fn acknowledging(it: &Acknowledging) -> String {
    format!(
        "  {:.0} acknowledgements/s, {}; CPU {:.0} µs per acknowledgement; memory {:.0} MB peak; faults: {}",
        rate(it),
        times(&it.counted.times, 2),
        micros_each(it.counted.server_ms, it.counted.acknowledged),
        mb(it.memory.peak_kb),
        it.counted.faults.len(),
    )
}

/// What Magpie answered.
#[must_use]
pub fn answering(it: &Answering) -> String {
    let judged = &it.judged;
    format!(
        "  acknowledged {} of {}, {}\n         answered {}, late {}, {}; at most {} in flight\n         \
         CPU {:.0} µs per turn; memory {:.0} MB peak, {:.0} MB after; generator late p99 {:.2} ms; faults: {}",
        judged.acknowledged,
        judged.sent,
        times(&judged.acknowledgements, 2),
        judged.answered,
        judged.late,
        times(&judged.answers, 0),
        judged.most_in_flight,
        micros_each(it.server_ms, judged.answered),
        mb(it.memory.peak_kb),
        mb(it.memory.after_kb),
        judged.lateness.percentile(0.99),
        if judged.faults.is_empty() { "none".to_owned() } else { judged.faults.join("; ") },
    )
}

fn times(times: &Times, digits: usize) -> String {
    let [p50, p90, p99, max] = [0.5, 0.9, 0.99, 1.0].map(|share| times.percentile(share));
    format!("p50 {p50:.digits$} p90 {p90:.digits$} p99 {p99:.digits$} max {max:.digits$} ms")
}

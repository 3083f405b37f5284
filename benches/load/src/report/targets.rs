//! What is aimed at, beside what was reached.

use std::fmt::Write as _;

use gateways::router::stats::Range;

use super::{mb, micros_each, of_server, of_shape, rate};
use crate::{
    judge::MARGIN,
    run::{Answering, Found, Shape},
    server::{Product, Server},
};

/// A figure that is to be at most, or at least, so much.
struct Target {
    what: String,
    aim: Aim,
    unit: &'static str,
    digits: usize,
    /// The figure of each run.
    reached: Vec<f64>,
}

#[derive(Clone, Copy)]
enum Aim {
    AtMost(f64),
    AtLeast(f64),
}

/// The table.
pub(super) fn section(found: &[Found]) -> String {
    let mut text = "\n## Targets\n\nReached where the median of the runs is.\n\n\
        | target | aim | measured | reached |\n|---|---|---|---|\n"
        .to_owned();
    for target in targets(found) {
        let Target { what, aim, unit, digits, reached } = target;
        let Some(range) = Range::of(reached) else { continue };
        let (sign, value) = match aim {
            Aim::AtMost(most) => ("≤", most),
            Aim::AtLeast(least) => ("≥", least),
        };
        let is_reached = if aim.is_reached(range.middle) { "yes" } else { "**no**" };
        let _ = writeln!(text, "| {what} | {sign} {value} {unit} | {range:.digits$} {unit} | {is_reached} |");
    }
    text
}

impl Aim {
    fn is_reached(self, figure: f64) -> bool {
        match self {
            Self::AtMost(most) => figure <= most,
            Self::AtLeast(least) => figure >= least,
        }
    }
}

fn targets(found: &[Found]) -> Vec<Target> {
    let (steady, burst) = (of_shape(found, Shape::Steady), of_shape(found, Shape::Burst));
    let each = |these: &[&Answering], of: fn(&Answering) -> f64| these.iter().map(|it| of(it)).collect();
    let late = |it: &Answering| (it.judged.late + it.judged.sent - it.judged.answered) as f64;
    let margin = MARGIN.as_secs();
    let mut targets = vec![
        target(
            &format!("at the rate: messages not answered within {margin} s of the model's time"),
            0.0,
            "",
            0,
            each(&steady, late),
        ),
        target(
            &format!("all at once: messages not answered within {margin} s of the model's time"),
            0.0,
            "",
            0,
            each(&burst, late),
        ),
        target(
            "at the rate: acknowledgement p99",
            20.0,
            "ms",
            2,
            each(&steady, |it| it.judged.acknowledgements.percentile(0.99)),
        ),
        target(
            "at the rate: processor time for a turn",
            500.0,
            "µs",
            0,
            each(&steady, |it| micros_each(it.server_ms, it.judged.answered)),
        ),
        target(
            "all at once: memory with all of them in flight",
            60.0,
            "MB",
            0,
            each(&burst, |it| mb(it.memory.peak_kb)),
        ),
    ];
    let magpie = Server { product: Product::Magpie, processes: 1 };
    let alone = of_server(found, magpie);
    let processor =
        alone.iter().map(|it| micros_each(it.counted.server_ms, it.counted.acknowledged)).collect();
    targets.push(target("alone: processor time for an acknowledgement", 60.0, "µs", 0, processor));
    for (of, one) in [("one process", true), ("as many processes as processors", false)] {
        let times = found.iter().filter_map(|found| times_the_faster(found, one)).collect();
        targets.push(Target {
            what: format!("alone: acknowledgements/s, compared with the faster SDK handler in {of}"),
            aim: Aim::AtLeast(3.0),
            unit: "times",
            digits: 1,
            reached: times,
        });
    }
    targets
}

fn target(what: &str, most: f64, unit: &'static str, digits: usize, reached: Vec<f64>) -> Target {
    Target { what: what.to_owned(), aim: Aim::AtMost(most), unit, digits, reached }
}

/// Magpie's rate over that of the faster handler of the same run, among those in one process or in several.
fn times_the_faster(found: &Found, one: bool) -> Option<f64> {
    let rates = |handler: bool| {
        let these =
            found.acknowledging.iter().filter(move |it| (it.server.product != Product::Magpie) == handler);
        these.filter(move |it| !handler || (it.server.processes == 1) == one).map(rate)
    };
    let faster = rates(true).reduce(f64::max)?;
    Some(rates(false).next()? / faster)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aim_includes_its_limit() {
        assert!(Aim::AtMost(20.0).is_reached(20.0) && !Aim::AtMost(20.0).is_reached(20.1));
        assert!(Aim::AtLeast(3.0).is_reached(3.0) && !Aim::AtLeast(3.0).is_reached(2.9));
        assert!(!Aim::AtMost(20.0).is_reached(f64::NAN) && !Aim::AtLeast(3.0).is_reached(f64::NAN));
    }
}

//! The failure scenarios as a page.

use std::fmt::Write as _;

use crate::{
    failures::passed,
    gateway::Product,
    judge::{Grade, Verdict},
    scale::Scale,
    scenarios::SCENARIOS,
};

/// What a product made of all scenarios, in one manner.
#[derive(Debug)]
pub struct Result {
    /// Which.
    pub product: Product,
    /// Whether every client streamed.
    pub streamed: bool,
    /// In order.
    pub verdicts: Vec<Verdict>,
}

/// A table for each manner.
#[must_use]
pub fn tables(results: &[Result]) -> String {
    let mut text = String::new();
    for streamed in [false, true] {
        let these: Vec<_> = results.iter().filter(|result| result.streamed == streamed).collect();
        if !these.is_empty() {
            text.push_str(&table(&these));
            text.push('\n');
        }
    }
    text
}

fn table(results: &[&Result]) -> String {
    let mut text = "| |".to_owned();
    for result in results {
        let _ = write!(text, " {} |", result.product);
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(results.len()));
    text.push('\n');
    for (index, scenario) in SCENARIOS.iter().enumerate() {
        let _ = write!(text, "| {} {} |", scenario.id, scenario.title);
        for verdict in results.iter().filter_map(|result| result.verdicts.get(index)) {
            let (first, second) = verdict.asks;
            let _ =
                write!(text, " {} {:.1} s, {first}+{second} |", verdict.grade, verdict.took.as_secs_f64());
        }
        text.push('\n');
    }
    text.push_str("| **passed** |");
    for result in results {
        let _ = write!(text, " **{} of {}** |", passed(&result.verdicts), result.verdicts.len());
    }
    text.push('\n');
    text
}

/// The page.
#[must_use]
pub fn page(results: &[Result], scale: Scale) -> String {
    format!("{}\n{}\n{}", tables(results), why(results), scale.factor())
}

fn why(results: &[Result]) -> String {
    let mut text = String::new();
    for result in results {
        for verdict in result.verdicts.iter().filter(|verdict| verdict.grade != Grade::Pass) {
            let _ = writeln!(text, "- {} {}: {}", result.product, verdict.scenario.id, verdict.why);
        }
    }
    text
}

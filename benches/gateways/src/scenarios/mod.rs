//! The sixteen failure scenarios, as data: what breaks, what is right, and what is looked at.
//!
//! They are those of the public Failover Bench (methodology v0.1), with the same faults and bounds, so that its published
//! results can be laid beside ours. What we look at beyond it is marked in [`FOR_ALL`].
//!
//! # Layout
//!
//! - this file: what a scenario is made of
//! - `table`: the sixteen

mod table;

pub use table::SCENARIOS;

/// What a model of the mock does when it is asked. Times are seconds before scaling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// Answers.
    None,
    /// 429 with `Retry-After` to the first question, then answers.
    BusyOnce {
        /// What `Retry-After` says.
        retry_after: f64,
    },
    /// 429 to every question, without a hint.
    Busy,
    /// 500 to the first question, then answers.
    ErrorOnce,
    /// 503 to every question.
    Overloaded,
    /// Resets the first question's connection before a byte of the answer.
    ResetOnce,
    /// Takes the question, says nothing, and hangs up in the end.
    Silent {
        /// For how long.
        seconds: f64,
    },
    /// Sends the headers at once and the first word late.
    SlowStart {
        /// How late.
        seconds: f64,
    },
    /// Hangs up in the middle.
    Cut {
        /// After how many of the sixty words.
        after: usize,
    },
    /// Says nothing more in the middle, and hangs up in the end.
    Stall {
        /// After how many of the sixty words.
        after: usize,
        /// For how long.
        seconds: f64,
    },
    /// An event in the middle is no JSON; the others carry the whole answer.
    Garbled {
        /// After how many of the sixty words.
        after: usize,
    },
    /// The whole answer, without the `[DONE]` at the end.
    NoDone,
    /// 400: the question is longer than the model's window.
    TooLong,
    /// 400: the question was refused by a content filter.
    Filtered,
    /// Answers, but not a conversation that ends with the assistant's own words.
    NoPrefill,
    /// 503 from the first question on for a while, then answers.
    Flap {
        /// For how long.
        down: f64,
    },
}

/// What the person at the other end should get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ideal {
    /// The whole right answer.
    Answer,
    /// An error that says what happened.
    Error,
}

/// Something that is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Check {
    /// The primary was asked at least so often.
    PrimaryAtLeast(usize),
    /// The primary was asked at most so often.
    PrimaryAtMost(usize),
    /// The primary was asked at most so often within the first so many seconds.
    PrimaryAtMostWithin(usize, f64),
    /// The second question to the primary waited for what `Retry-After` said, a tenth of it aside.
    HintHonoured,
    /// All of it took at most so many seconds.
    Within(f64),
    /// The answer came with what it cost, as the model that gave it counted.
    Counted,
    /// The answer names the fallback.
    NamesFallback,
    /// The answer names the model that gave it.
    NamesWhoAnswered,
    /// No more whole answers were fetched, and paid for, than there were questions.
    BoughtOnce,
    /// The error says that it was the content filter.
    SaysFiltered,
    /// The error is not the fallback's complaint about how the gateway asked it.
    NoPrefillComplaint,
    /// Every question during the outage was answered.
    ServedInOutage,
    /// The primary answered again within so many seconds after the outage.
    BackWithin(f64),
    /// A question to the healthy fallback was answered afterwards.
    Alive,
}

/// What a failed check costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// The scenario fails.
    Required,
    /// The scenario is passed in part.
    Advised,
}

/// A check with its weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// What is looked at.
    pub check: Check,
    /// What it costs.
    pub weight: Weight,
    /// Whether it asks nothing of what has no fallback at all.
    pub needs_fallback: bool,
}

impl Rule {
    const fn required(check: Check) -> Self {
        Self { check, weight: Weight::Required, needs_fallback: false }
    }

    const fn advised(check: Check) -> Self {
        Self { check, weight: Weight::Advised, needs_fallback: false }
    }

    const fn with_fallback(mut self) -> Self {
        self.needs_fallback = true;
        self
    }
}

/// Questions in a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Series {
    /// How many.
    pub count: u32,
    /// Seconds from one to the next.
    pub every: f64,
}

/// A scenario.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Its name here and in Failover Bench.
    pub id: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// What is right, in a sentence.
    pub right: &'static str,
    /// What the first model does.
    pub primary: Fault,
    /// What the second model does.
    pub fallback: Fault,
    /// What the person should get.
    pub ideal: Ideal,
    /// Whether the fault exists only in a stream, so that the client asks for one.
    pub streamed: bool,
    /// After how many seconds a question counts as hung.
    pub patience: f64,
    /// More than one question, where there is.
    pub series: Option<Series>,
    /// What is looked at besides the ideal and [`FOR_ALL`].
    pub rules: &'static [Rule],
}

/// Looked at in every scenario. Failover Bench asks for the first in two of them, and does not ask for the others.
pub const FOR_ALL: &[Rule] =
    &[Rule::required(Check::Alive), Rule::advised(Check::NamesWhoAnswered), Rule::advised(Check::BoughtOnce)];

impl Scenario {
    /// The name of the model that is asked first.
    #[must_use]
    pub fn primary_model(&self) -> String {
        format!("{}-primary", self.id.to_lowercase())
    }

    /// The name of the model that is asked when that one does not answer.
    #[must_use]
    pub fn fallback_model(&self) -> String {
        format!("{}-fallback", self.id.to_lowercase())
    }

    /// All that is looked at.
    pub fn checks(&self) -> impl Iterator<Item = &'static Rule> {
        self.rules.iter().chain(FOR_ALL)
    }
}

/// What the model of this name does, if a scenario has it.
#[must_use]
pub fn fault_of(model: &str) -> Option<Fault> {
    // Some gateways hand a name on with a provider in front.
    let name = model.rsplit('/').next().unwrap_or(model);
    let (id, role) = name.split_once('-')?;
    let scenario = SCENARIOS.iter().find(|scenario| scenario.id.eq_ignore_ascii_case(id))?;
    match role {
        "primary" => Some(scenario.primary),
        "fallback" => Some(scenario.fallback),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_has_its_own_models() {
        assert_eq!(SCENARIOS.len(), 16);
        for (number, scenario) in SCENARIOS.iter().enumerate() {
            assert_eq!(scenario.id, format!("S{:02}", number + 1));
            assert_eq!(fault_of(&scenario.primary_model()), Some(scenario.primary));
            assert_eq!(fault_of(&format!("openai/{}", scenario.fallback_model())), Some(scenario.fallback));
        }
        assert_eq!(fault_of("s01-other"), None);
        assert_eq!(fault_of("gpt"), None);
    }

    #[test]
    fn a_hang_is_told_from_a_slow_answer() {
        for scenario in SCENARIOS {
            let bounds = scenario.rules.iter().filter_map(|rule| match rule.check {
                Check::Within(seconds) => Some(seconds),
                Check::PrimaryAtLeast(_) | Check::PrimaryAtMost(_) | Check::PrimaryAtMostWithin(..) => None,
                Check::HintHonoured | Check::Counted | Check::NamesFallback => None,
                Check::NamesWhoAnswered | Check::BoughtOnce | Check::SaysFiltered => None,
                Check::NoPrefillComplaint | Check::ServedInOutage | Check::BackWithin(_) | Check::Alive => {
                    None
                }
            });
            for bound in bounds {
                assert!(bound < scenario.patience, "{}", scenario.id);
            }
        }
    }
}

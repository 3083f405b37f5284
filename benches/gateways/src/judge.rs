//! What a run of a scenario is worth.
//!
//! Seen from both ends: what the client heard, and what the mock was asked. The grades are Failover Bench's.
//!
//! - **pass**: the ideal was reached, and every check passed
//! - **partial**: the ideal was reached, but an advised check failed; or what should have been refused was answered
//! - **safe**: the ideal was not reached, but the client got a clean error in time
//! - **fail**: the client got no end at all, or a part presented as the whole, or a required check failed

use std::{
    fmt,
    time::{Duration, Instant},
};

use crate::{
    answer::{self, ANSWER, QUESTION},
    client::read::{Answer, Reading},
    mock::ledger::{Ask, Outcome},
    scale::Scale,
    scenarios::{Check, Fault, Ideal, Rule, Scenario, Weight},
};

/// What a client's question came to.
#[derive(Debug, Clone)]
pub struct Asked {
    /// When it was asked.
    pub at: Instant,
    /// How long it took.
    pub took: Duration,
    /// What was heard; `None` when the client gave up waiting.
    pub reading: Option<Reading>,
}

/// All that a run left behind.
#[derive(Debug)]
pub struct Facts {
    /// The client's questions.
    pub asked: Vec<Asked>,
    /// What the first model was asked.
    pub primary: Vec<Ask>,
    /// What the second was asked, the question afterwards aside.
    pub fallback: Vec<Ask>,
    /// What became of a question to the healthy model afterwards.
    pub alive: Result<(), String>,
    /// Whether what was judged was given a second model.
    pub has_fallback: bool,
    /// How fast the clocks went.
    pub scale: Scale,
}

/// A grade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// As it should be.
    Pass,
    /// Well ended, with something to mend.
    Partial,
    /// Not answered, and said so.
    Safe,
    /// Wrong.
    Fail,
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Partial => "partial",
            Self::Safe => "safe",
            Self::Fail => "FAIL",
        })
    }
}

/// A grade with its reason.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The scenario.
    pub scenario: &'static Scenario,
    /// The grade.
    pub grade: Grade,
    /// Why, in few words.
    pub why: String,
    /// The longest that a question took.
    pub took: Duration,
    /// How often the first and the second model were asked.
    pub asks: (usize, usize),
}

/// Judges a run.
#[must_use]
pub fn judge(scenario: &'static Scenario, facts: &Facts) -> Verdict {
    let (grade, why) = grade(scenario, facts);
    let took = facts.asked.iter().map(|asked| asked.took).max().unwrap_or_default();
    Verdict { scenario, grade, why, took, asks: (facts.primary.len(), facts.fallback.len()) }
}

fn grade(scenario: &Scenario, facts: &Facts) -> (Grade, String) {
    if facts.asked.iter().any(|asked| asked.reading.is_none()) {
        return (Grade::Fail, "no end: the client gave up waiting".to_owned());
    }
    let answers: Vec<_> = facts.asked.iter().filter_map(Asked::answer).collect();
    if let Some(part) = answers.iter().find(|answer| !is_whole(answer)) {
        let words = part.text.split_whitespace().count();
        return (Grade::Fail, format!("{words} words, not the 60, presented as the whole answer"));
    }
    let failed = |weight: Weight| {
        let due = |rule: &&Rule| rule.weight == weight && (facts.has_fallback || !rule.needs_fallback);
        let found = scenario.checks().filter(due).filter_map(|rule| fault(scenario, rule.check, facts));
        found.collect::<Vec<_>>()
    };
    let required = failed(Weight::Required);
    if !required.is_empty() {
        return (Grade::Fail, required.join("; "));
    }
    let all_answered = answers.len() == facts.asked.len();
    let reached = match scenario.ideal {
        Ideal::Answer => all_answered,
        Ideal::Error => answers.is_empty(),
    };
    if !reached {
        return match scenario.ideal {
            Ideal::Answer => (Grade::Safe, format!("an error instead of an answer: {}", facts.first_error())),
            Ideal::Error => (Grade::Partial, "answered what should have been refused".to_owned()),
        };
    }
    let advised = failed(Weight::Advised);
    if advised.is_empty() { (Grade::Pass, facts.summary()) } else { (Grade::Partial, advised.join("; ")) }
}

fn is_whole(answer: &Answer) -> bool {
    answer.text.trim() == ANSWER
}

/// What a check finds fault with, if it does.
fn fault(scenario: &Scenario, check: Check, facts: &Facts) -> Option<String> {
    let primary = facts.primary.len();
    match check {
        Check::PrimaryAtLeast(least) => {
            (primary < least).then(|| format!("the first model was asked {primary} times, not {least}"))
        }
        Check::PrimaryAtMost(most) => {
            (primary > most).then(|| format!("the first model was asked {primary} times"))
        }
        Check::PrimaryAtMostWithin(most, seconds) => {
            let since = facts.since_first();
            let early = since.iter().filter(|since| **since < facts.scale.of(seconds)).count();
            (early > most).then(|| format!("the first model was asked {early} times within {seconds} s"))
        }
        Check::HintHonoured => hint_ignored(scenario, facts),
        Check::Within(seconds) => {
            let took = facts.asked.iter().map(|asked| asked.took).max().unwrap_or_default();
            (took > facts.scale.bound(seconds))
                .then(|| format!("took {:.1} s, not {seconds}", took.as_secs_f64() / facts.scale.factor()))
        }
        Check::Counted => each_answer(facts, |_, answer| miscounted(answer)),
        Check::NamesFallback => {
            each_answer(facts, |_, answer| misnamed(answer, &[&scenario.fallback_model()]))
        }
        Check::NamesWhoAnswered => {
            each_answer(facts, |asked, answer| misnamed(answer, &facts.who_answered(asked)))
        }
        Check::BoughtOnce => {
            let asks = facts.primary.iter().chain(&facts.fallback);
            let bought = asks.filter(|ask| ask.outcome == Outcome::Whole).count();
            (bought > facts.asked.len()).then(|| format!("{bought} whole answers for {}", facts.asked.len()))
        }
        Check::SaysFiltered => says_filtered(facts),
        Check::NoPrefillComplaint => {
            let complained = facts.fallback.iter().any(|ask| ask.outcome == Outcome::PrefillRefused);
            let ended_in_error = facts.asked.iter().any(|asked| asked.answer().is_none());
            (complained && ended_in_error).then(|| "a rejected prefill hides what broke".to_owned())
        }
        Check::ServedInOutage => unserved(scenario, facts),
        Check::BackWithin(seconds) => stayed_away(scenario, facts, seconds),
        Check::Alive => facts.alive.as_ref().err().map(|why| format!("not healthy afterwards: {why}")),
    }
}

fn hint_ignored(scenario: &Scenario, facts: &Facts) -> Option<String> {
    let Fault::BusyOnce { retry_after } = scenario.primary else { return None };
    let gap = facts.since_first().get(1).copied()?;
    (gap < facts.scale.retry_after(retry_after).mul_f64(0.9))
        .then(|| format!("asked again after {:.1} s", gap.as_secs_f64()))
}

/// The first fault that is found with an answer.
fn each_answer(facts: &Facts, look: impl Fn(&Asked, &Answer) -> Option<String>) -> Option<String> {
    facts.asked.iter().find_map(|asked| look(asked, asked.answer()?))
}

/// Whether an answer names another than these.
fn misnamed(answer: &Answer, models: &[&str]) -> Option<String> {
    let named = answer.model.as_deref().unwrap_or("nobody");
    let name = named.rsplit('/').next().unwrap_or(named);
    (!models.contains(&name)).then(|| format!("names {named}, not {}", models.join(" or ")))
}

fn miscounted(answer: &Answer) -> Option<String> {
    let question = serde_json::json!([{"role": "user", "content": QUESTION}]);
    let (right, said) = (answer::usage(&question, ANSWER), answer.usage.as_ref());
    let Some(said) = said else { return Some("no usage".to_owned()) };
    let wrong = ["prompt_tokens", "completion_tokens"].into_iter().find(|key| said[key] != right[key])?;
    Some(format!("{wrong} {}, not {}", said[wrong], right[wrong]))
}

fn says_filtered(facts: &Facts) -> Option<String> {
    let says = |asked: &Asked| match &asked.reading {
        Some(Reading::Error { why, .. }) => {
            let why = why.to_lowercase().replace([' ', '-'], "_");
            why.contains("content_filter") || why.contains("content_policy")
        }
        Some(Reading::Answer(_)) | None => true,
    };
    (!facts.asked.iter().all(says)).then(|| "does not say that it was the content filter".to_owned())
}

/// When the outage ended, by the mock's clock.
fn outage_end(scenario: &Scenario, facts: &Facts) -> Option<Instant> {
    let Fault::Flap { down } = scenario.primary else { return None };
    Some(facts.primary.first()?.at + facts.scale.of(down))
}

fn unserved(scenario: &Scenario, facts: &Facts) -> Option<String> {
    let end = outage_end(scenario, facts)?;
    let within: Vec<_> = facts.asked.iter().filter(|asked| asked.at < end).collect();
    let unserved = within.iter().filter(|asked| asked.answer().is_none()).count();
    (unserved > 0).then(|| format!("{unserved} of {} questions in the outage not answered", within.len()))
}

fn stayed_away(scenario: &Scenario, facts: &Facts, seconds: f64) -> Option<String> {
    let end = outage_end(scenario, facts)?;
    let Some(back) = facts.primary.iter().find(|ask| ask.outcome == Outcome::Whole) else {
        return Some("the first model was not used again".to_owned());
    };
    let after = back.at.saturating_duration_since(end);
    (after > facts.scale.bound(seconds))
        .then(|| format!("back after {:.1} s", after.as_secs_f64() / facts.scale.factor()))
}

impl Asked {
    fn answer(&self) -> Option<&Answer> {
        match &self.reading {
            Some(Reading::Answer(answer)) => Some(answer),
            Some(Reading::Error { .. }) | None => None,
        }
    }
}

impl Facts {
    /// How long after the first question to the first model each of them came.
    fn since_first(&self) -> Vec<Duration> {
        let first = self.primary.first().map(|ask| ask.at);
        let since = |ask: &Ask| first.map_or(Duration::ZERO, |first| ask.at.saturating_duration_since(first));
        self.primary.iter().map(since).collect()
    }

    /// The models whose whole answers were fetched while this question was open. In a series, questions overlap.
    fn who_answered(&self, asked: &Asked) -> Vec<&str> {
        let asks = self.primary.iter().chain(&self.fallback);
        let mine = asks.filter(|ask| ask.at >= asked.at && ask.at <= asked.at + asked.took);
        mine.filter(|ask| ask.outcome == Outcome::Whole).map(|ask| ask.model.as_str()).collect()
    }

    fn first_error(&self) -> String {
        let error = self.asked.iter().find_map(|asked| match &asked.reading {
            Some(Reading::Error { status, why }) => {
                let status = status.map(|status| format!("{status} ")).unwrap_or_default();
                Some(format!("{status}{}", why.split_whitespace().collect::<Vec<_>>().join(" ")))
            }
            Some(Reading::Answer(_)) | None => None,
        });
        error.unwrap_or_default().chars().take(90).collect()
    }

    /// What there is to say of a scenario that was passed.
    fn summary(&self) -> String {
        let times = |count: usize| if count == 1 { "once".to_owned() } else { format!("{count} times") };
        let mut parts = vec![format!("first model asked {}", times(self.primary.len()))];
        if !self.fallback.is_empty() {
            parts.push(format!("second {}", times(self.fallback.len())));
        }
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests;

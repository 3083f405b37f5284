//! How much is done.

use std::time::Duration;

use crate::{
    closed::Span,
    server::{Product, Server},
};

/// What is done.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Who is measured.
    pub servers: Vec<Server>,
    /// How often all of it is done.
    pub runs: usize,
    /// Acknowledging alone.
    pub span: Span,
    /// Conversations, which take turns.
    pub conversations: usize,
    /// How long the model takes for an answer.
    pub model_time: Duration,
    /// Messages a second.
    pub rate: f64,
    /// How long messages are sent at that rate.
    pub seconds: f64,
    /// Whether it is the published one, to which the targets apply.
    pub is_whole: bool,
}

/// What may be chosen on the command line.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Choice {
    /// Messages a second
    #[arg(long)]
    pub rate: Option<f64>,
    /// Conversations; the messages go to them in turn
    #[arg(long)]
    pub conversations: Option<usize>,
    /// How long the model takes for an answer, in seconds
    #[arg(long)]
    pub model_time: Option<f64>,
    /// How long messages are sent at the rate
    #[arg(long)]
    pub seconds: Option<f64>,
    /// How often everything is measured
    #[arg(long)]
    pub runs: Option<usize>,
    /// A minute, to see that everything runs; its figures say little
    #[arg(long)]
    pub quick: bool,
}

/// The most messages of one scenario: what is prepared for them fits into memory.
const MOST_MESSAGES: f64 = 200_000.0;

/// The most that a server acknowledges a second: where it is more, the measurement ends when the webhooks are used up.
const MOST_A_SECOND: u64 = 20_000;

/// The longest that a scenario sends or a model takes.
const LONGEST: f64 = 600.0;

impl Plan {
    /// What was chosen, and the published values elsewhere.
    ///
    /// # Errors
    ///
    /// When a value is out of bounds; the error says which are allowed.
    pub fn of(products: &[Product], processors: usize, choice: &Choice) -> anyhow::Result<Self> {
        let quick = choice.quick;
        let seconds = choice.seconds.unwrap_or(if quick { 5.0 } else { 30.0 });
        let model_time = choice.model_time.unwrap_or(2.0);
        let rate = choice.rate.unwrap_or(200.0);
        let conversations = choice.conversations.unwrap_or(1_000);
        let runs = choice.runs.unwrap_or(if quick { 1 } else { 3 });
        let within = |value: f64, least: f64, most: f64| (least..=most).contains(&value);
        anyhow::ensure!(within(seconds, 1.0, LONGEST), "--seconds is between 1 and {LONGEST}");
        anyhow::ensure!(within(model_time, 0.0, LONGEST), "--model-time is between 0 and {LONGEST}");
        anyhow::ensure!(
            within(rate, 1.0, MOST_MESSAGES) && within(rate * seconds, 1.0, MOST_MESSAGES),
            "--rate is at least 1, and no more than {MOST_MESSAGES} messages together"
        );
        anyhow::ensure!((1..=100_000).contains(&conversations), "--conversations is between 1 and 100000");
        anyhow::ensure!((1..=100).contains(&runs), "--runs is between 1 and 100");
        let counted = Duration::from_secs(if quick { 2 } else { 5 });
        Ok(Self {
            servers: Server::of(products, processors),
            runs,
            span: Span { warm_up: Duration::from_secs(1), counted, connections: 64 },
            conversations,
            model_time: Duration::from_secs_f64(model_time),
            rate,
            seconds,
            is_whole: !quick
                && [choice.rate, choice.model_time, choice.seconds].iter().all(Option::is_none)
                && choice.conversations.is_none(),
        })
    }

    /// How many messages are sent at the rate.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be between 1 and MOST_MESSAGES"
    )]
    pub fn messages(&self) -> usize {
        (self.rate * self.seconds).round() as usize
    }

    /// The most messages that any measurement sends.
    #[must_use]
    pub fn most_messages(&self) -> usize {
        let seconds = self.span.warm_up.as_secs() + self.span.counted.as_secs();
        let acknowledged = usize::try_from(seconds * MOST_A_SECOND).unwrap_or(usize::MAX);
        acknowledged.max(self.messages()).max(self.conversations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_plan_is_the_one_of_the_targets() {
        let plan = Plan::of(&Product::ALL, 2, &Choice::default()).unwrap();
        assert_eq!((plan.messages(), plan.conversations, plan.runs), (6_000, 1_000, 3));
        assert_eq!(plan.model_time, Duration::from_secs(2));
        assert!(plan.is_whole);
        assert!(!Plan::of(&Product::ALL, 2, &Choice { quick: true, ..Choice::default() }).unwrap().is_whole);
        assert!(
            !Plan::of(&Product::ALL, 2, &Choice { rate: Some(10.0), ..Choice::default() }).unwrap().is_whole
        );
    }

    #[test]
    fn a_value_out_of_bounds_is_named() {
        for (choice, named) in [
            (Choice { rate: Some(0.0), ..Choice::default() }, "--rate"),
            (Choice { rate: Some(f64::NAN), ..Choice::default() }, "--rate"),
            (Choice { rate: Some(20_000.0), ..Choice::default() }, "--rate"),
            (Choice { seconds: Some(-1.0), ..Choice::default() }, "--seconds"),
            (Choice { model_time: Some(1e9), ..Choice::default() }, "--model-time"),
            (Choice { conversations: Some(0), ..Choice::default() }, "--conversations"),
            (Choice { runs: Some(0), ..Choice::default() }, "--runs"),
        ] {
            let error = Plan::of(&Product::ALL, 2, &choice).unwrap_err().to_string();
            assert!(error.starts_with(named), "{choice:?}: {error}");
        }
    }
}

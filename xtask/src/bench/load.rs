//! What may be said to the load test.

use clap::Args;

/// What of the load test is run. Without anything but `--busy`, all of it, and the page is written anew.
#[derive(Args, Default)]
pub(crate) struct Load {
    /// Only these, of `magpie`, `python-sdk` and `node-sdk`.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// Messages a second; 200 by default.
    #[arg(long)]
    rate: Option<f64>,
    /// Conversations, to which the messages go in turn; 1,000 by default.
    #[arg(long)]
    conversations: Option<usize>,
    /// How long the model takes for an answer, in seconds; 2 by default.
    #[arg(long)]
    model_time: Option<f64>,
    /// How long messages are sent at the rate, in seconds; 30 by default.
    #[arg(long)]
    seconds: Option<f64>,
    /// How often everything is measured; 3 times by default.
    #[arg(long)]
    runs: Option<usize>,
    /// About a minute, to see that everything runs. Writes no page.
    #[arg(long)]
    quick: bool,
    /// Measures on a busy machine all the same.
    #[arg(long)]
    busy: bool,
}

/// What can be measured.
pub(super) const SERVERS: &[&str] = &["magpie", "python-sdk", "node-sdk"];

impl Load {
    /// Whether it is the published run.
    pub(super) fn is_whole(&self) -> bool {
        self.only.is_empty() && !self.quick && self.values().all(|(_, value)| value.is_none())
    }

    /// What the load test is told.
    pub(super) fn arguments(&self) -> Vec<String> {
        let values = self.values().filter_map(|(name, value)| Some([format!("--{name}"), value?]));
        let flags = [("--quick", self.quick), ("--busy", self.busy)];
        let flags = flags.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name.to_owned());
        values.flatten().chain(flags).collect()
    }

    fn values(&self) -> impl Iterator<Item = (&'static str, Option<String>)> {
        let shown = |value: Option<f64>| value.map(|value| value.to_string());
        let count = |value: Option<usize>| value.map(|value| value.to_string());
        [
            ("rate", shown(self.rate)),
            ("conversations", count(self.conversations)),
            ("model-time", shown(self.model_time)),
            ("seconds", shown(self.seconds)),
            ("runs", count(self.runs)),
        ]
        .into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_said_is_handed_on() {
        let load =
            Load { rate: Some(50.0), model_time: Some(0.5), runs: Some(2), busy: true, ..Load::default() };
        assert_eq!(load.arguments(), ["--rate", "50", "--model-time", "0.5", "--runs", "2", "--busy"]);
        assert_eq!(Load::default().arguments(), [""; 0]);
    }

    #[test]
    fn only_the_published_run_writes_the_page() {
        assert!(Load { busy: true, ..Load::default() }.is_whole());
        for part in [
            Load { only: vec!["magpie".to_owned()], ..Load::default() },
            Load { quick: true, ..Load::default() },
            Load { rate: Some(50.0), ..Load::default() },
            Load { runs: Some(1), ..Load::default() },
        ] {
            assert!(!part.is_whole());
        }
    }
}

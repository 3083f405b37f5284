//! What a run is worth: who was acknowledged when, who was answered when, and what is missing.

use std::{collections::BTreeMap, time::Duration};

use gateways::router::stats::Times;

use crate::{mock::record::Report, open::Delivery};

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// An acknowledgement: what takes longer, the platform delivers again.
    pub acknowledgement: Duration,
    /// An answer.
    pub answer: Duration,
}

impl Limits {
    /// Feishu's, and the model's time with [`MARGIN`].
    #[must_use]
    pub fn for_model(model_time: Duration) -> Self {
        Self { acknowledgement: Duration::from_secs(3), answer: model_time + MARGIN }
    }
}

/// An answer is late when it takes this much longer than the model.
pub const MARGIN: Duration = Duration::from_secs(1);

/// What became of the messages of one run.
#[derive(Debug, Clone)]
pub struct Judged {
    /// How many were sent.
    pub sent: usize,
    /// How many were acknowledged.
    pub acknowledged: usize,
    /// How many were answered rightly.
    pub answered: usize,
    /// How many of them were answered later than the model's time and [`MARGIN`].
    pub late: usize,
    /// The most that the model had at the same time.
    pub most_in_flight: usize,
    /// From the moment at which a message was due to its acknowledgement, in milliseconds.
    pub acknowledgements: Times,
    /// From the same moment to the reply's arrival at the platform, in milliseconds.
    pub answers: Times,
    /// How late the load generator was, in milliseconds.
    pub lateness: Times,
    /// What must not be, each with its number.
    pub faults: Vec<String>,
}

/// Judges a run that started at this moment (microseconds since 1970).
#[must_use]
pub fn judge(deliveries: &[Delivery], report: &Report, started: u64, limits: Limits) -> Judged {
    let acknowledged: Vec<_> = deliveries.iter().filter(|delivery| delivery.fault.is_none()).collect();
    let answers: Vec<f64> =
        deliveries.iter().filter_map(|delivery| answer_ms(delivery, report, started)).collect();
    let limit = milliseconds(limits.answer);
    let mut judged = Judged {
        sent: deliveries.len(),
        acknowledged: acknowledged.len(),
        answered: answers.len(),
        late: answers.iter().filter(|answer| **answer > limit).count(),
        most_in_flight: report.most_in_flight,
        acknowledgements: Times::new(
            acknowledged.iter().map(|delivery| milliseconds(delivery.took)).collect(),
        ),
        answers: Times::new(answers),
        lateness: Times::new(deliveries.iter().map(|delivery| milliseconds(delivery.lateness)).collect()),
        faults: refusals(deliveries.iter().filter_map(|delivery| delivery.fault.as_deref())),
    };
    let slow = acknowledged.iter().filter(|delivery| delivery.took > limits.acknowledgement).count();
    for (count, what) in [
        (slow, "acknowledged so late that Feishu delivers again"),
        (judged.sent - judged.answered, "not answered"),
        (report.repeated, "answered more than once"),
        (report.wrong, "replies that are not the answer to their question"),
    ] {
        if count > 0 {
            judged.faults.push(format!("{count} {what}"));
        }
    }
    judged
}

/// Refused webhooks, counted by cause.
#[must_use]
pub fn refusals<'a>(faults: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut causes = BTreeMap::<&str, usize>::new();
    for fault in faults {
        *causes.entry(fault).or_default() += 1;
    }
    causes.into_iter().map(|(cause, count)| format!("{count} not acknowledged: {cause}")).collect()
}

fn answer_ms(delivery: &Delivery, report: &Report, started: u64) -> Option<f64> {
    let at = report.answered_at.get(delivery.question).copied().filter(|at| *at > 0)?;
    let after = Duration::from_micros(at.saturating_sub(started));
    Some(milliseconds(after.saturating_sub(delivery.due)))
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    const STARTED: u64 = 1_700_000_000_000_000;

    /// Four messages, 10 ms apart, acknowledged after 1 to 4 ms and answered after 2.1 to 2.4 s.
    fn good() -> (Vec<Delivery>, Report) {
        let delivery = |question: u64| Delivery {
            question: usize::try_from(question).unwrap(),
            due: Duration::from_millis(question * 10),
            lateness: Duration::from_micros(50),
            took: Duration::from_millis(question + 1),
            fault: None,
        };
        let answered = |question: u64| STARTED + question * 10_000 + 2_100_000 + question * 100_000;
        let report = Report {
            answered_at: (0..4).map(answered).collect(),
            answered: 4,
            repeated: 0,
            wrong: 0,
            most_in_flight: 4,
        };
        ((0..4).map(delivery).collect(), report)
    }

    fn verdict(deliveries: &[Delivery], report: &Report) -> Judged {
        judge(deliveries, report, STARTED, Limits::for_model(Duration::from_secs(2)))
    }

    #[test]
    fn times_count_from_the_moment_at_which_a_message_was_due() {
        let (deliveries, report) = good();
        let judged = verdict(&deliveries, &report);
        assert_eq!(judged.faults, [""; 0]);
        assert_eq!((judged.sent, judged.acknowledged, judged.answered, judged.late), (4, 4, 4, 0));
        let close = |times: &Times, share, to: f64| (times.percentile(share) - to).abs() < 0.001;
        assert!(close(&judged.acknowledgements, 1.0, 4.0) && close(&judged.acknowledgements, 0.5, 2.0));
        assert!(close(&judged.answers, 0.5, 2200.0) && close(&judged.answers, 1.0, 2400.0));
        assert!(close(&judged.lateness, 0.99, 0.05));
    }

    #[test]
    fn a_server_that_loses_an_answer_is_found() {
        let (deliveries, mut report) = good();
        report.answered_at[2] = 0;
        assert_eq!(verdict(&deliveries, &report).faults, ["1 not answered"]);
    }

    #[test]
    fn a_server_that_answers_late_is_found() {
        let (deliveries, mut report) = good();
        report.answered_at[1] = STARTED + 10_000 + 3_000_001;
        let judged = verdict(&deliveries, &report);
        assert_eq!((judged.late, judged.answered), (1, 4));
        report.answered_at[1] = STARTED + 10_000 + 3_000_000;
        assert_eq!(verdict(&deliveries, &report).late, 0, "the margin itself is allowed");
    }

    #[test]
    fn a_server_that_acknowledges_late_or_not_at_all_is_found() {
        let (mut deliveries, report) = good();
        deliveries[0].took = Duration::from_millis(3001);
        deliveries[1].fault = Some("status 503".to_owned());
        deliveries[3].fault = Some("status 503".to_owned());
        let judged = verdict(&deliveries, &report);
        assert_eq!(
            judged.faults,
            ["2 not acknowledged: status 503", "1 acknowledged so late that Feishu delivers again"]
        );
        assert_eq!(judged.acknowledged, 2);
    }

    #[test]
    fn a_server_that_answers_twice_or_wrongly_is_found() {
        let (deliveries, mut report) = good();
        (report.repeated, report.wrong) = (2, 1);
        assert_eq!(
            verdict(&deliveries, &report).faults,
            ["2 answered more than once", "1 replies that are not the answer to their question"]
        );
    }
}

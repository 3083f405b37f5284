//! What arrived at the mock, and how the load test reads it.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock;

/// What arrived. Times are microseconds since 1970: the load test, another process, reads the same clock.
#[derive(Debug)]
pub struct Record {
    report: Mutex<Report>,
    asked: AtomicUsize,
}

/// What the load test learns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// When the first right reply to each question arrived, in microseconds since 1970; 0 where none has.
    pub answered_at: Vec<u64>,
    /// How many questions have been answered rightly.
    pub answered: usize,
    /// How many replies came to questions that were answered already.
    pub repeated: usize,
    /// How many replies were not the answer to their question, an apology for instance.
    pub wrong: usize,
    /// The most questions that the model had at the same time.
    pub most_in_flight: usize,
}

/// A question that the model has. Over when dropped, however that comes.
#[derive(Debug)]
pub struct Asked<'a>(&'a AtomicUsize);

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Record {
    /// For so many questions.
    #[must_use]
    pub fn of(questions: usize) -> Self {
        let report = Report { answered_at: vec![0; questions], ..Report::default() };
        Self { report: Mutex::new(report), asked: AtomicUsize::new(0) }
    }

    /// The model has got a question.
    pub fn ask(&self) -> Asked<'_> {
        let in_flight = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        let mut report = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        report.most_in_flight = report.most_in_flight.max(in_flight);
        Asked(&self.asked)
    }

    /// A reply has come to one question, whose text answers another or the same.
    pub fn reply(&self, to: Option<usize>, answers: Option<usize>) {
        let mut report = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        let question = to.filter(|to| answers == Some(*to));
        let Some(at) = question.and_then(|question| report.answered_at.get_mut(question)) else {
            report.wrong += 1;
            return;
        };
        if *at == 0 {
            *at = clock::micros();
            report.answered += 1;
        } else {
            report.repeated += 1;
        }
    }

    /// How many questions have been answered rightly.
    #[must_use]
    pub fn answered(&self) -> usize {
        self.report.lock().unwrap_or_else(PoisonError::into_inner).answered
    }

    /// All of it, as JSON.
    #[must_use]
    pub fn report(&self) -> Value {
        let report = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::to_value(&*report).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_right_reply_counts() {
        let record = Record::of(3);
        for (to, answers) in [(1, Some(1)), (1, Some(1)), (2, Some(1)), (0, None), (7, Some(7))] {
            record.reply(Some(to), answers);
        }
        let report: Report = serde_json::from_value(record.report()).unwrap();
        assert_eq!((report.answered, report.repeated, report.wrong), (1, 1, 3));
        let has_time: Vec<_> = report.answered_at.iter().map(|at| *at > 0).collect();
        assert_eq!(has_time, [false, true, false]);
    }

    #[test]
    fn questions_at_the_same_time_are_counted() {
        let record = Record::of(0);
        let (first, second) = (record.ask(), record.ask());
        drop((first, second));
        let _third = record.ask();
        let report: Report = serde_json::from_value(record.report()).unwrap();
        assert_eq!(report.most_in_flight, 2);
    }
}

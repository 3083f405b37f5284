//! What a gateway adds to a call.
//!
//! One mock answers at once. With one connection, every round asks every gateway, and the mock directly, once each, in
//! random order, and what a gateway adds is counted against the direct call of the same round. With more connections,
//! each gateway in turn gets as many questions as it can take.
//!
//! # Layout
//!
//! - this file: what is asked, and what comes of it
//! - [`plan`]: how often and how long
//! - `paired`: one connection; `load`: many
//! - [`run`]: all of it, several times
//! - [`machine`]: what it runs on, whether it is quiet, and who gets which processor
//! - `stillness`: that nobody's work falls on another
//! - [`cost`]: processor time and memory of a gateway's processes
//! - [`stats`]: percentiles and ranges

pub mod cost;
mod load;
pub mod machine;
mod paired;
pub mod plan;
pub mod run;
pub mod stats;
mod stillness;

use std::{fmt, time::Duration};

use bytes::Bytes;

use crate::{
    answer::numbers,
    client::{
        Heard, question,
        read::{Reading, read},
    },
    gateway::Product,
    mock::measured,
};
use stats::Times;

/// After so long an answer is missing. The slowest gateway, with the most connections, takes a tenth of it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A kind of question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// How the answer comes.
    pub manner: Manner,
    /// How long the question is, in KB.
    pub prompt: usize,
}

/// How an answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// In one piece.
    Whole,
    /// As twenty chunks, at once.
    Stream,
    /// As twenty chunks, 5 ms apart.
    Paced,
}

/// Every kind.
pub const SHAPES: [Shape; 6] = [
    Shape { manner: Manner::Whole, prompt: 0 },
    Shape { manner: Manner::Whole, prompt: 40 },
    Shape { manner: Manner::Stream, prompt: 0 },
    Shape { manner: Manner::Stream, prompt: 40 },
    Shape { manner: Manner::Paced, prompt: 0 },
    Shape { manner: Manner::Paced, prompt: 40 },
];

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let manner = match self.manner {
            Manner::Whole => "not streamed",
            Manner::Stream => "20 chunks at once",
            Manner::Paced => "20 chunks, 5 ms apart",
        };
        write!(f, "{manner}, {} KB", self.prompt)
    }
}

impl Shape {
    fn streamed(self) -> bool {
        self.manner != Manner::Whole
    }

    /// The question.
    fn question(self) -> Bytes {
        let model = if self.manner == Manner::Paced { measured::PACED } else { measured::NOW };
        let filler = "the quick brown magpie jumps over the lazy bridge ";
        let text = filler.repeat(self.prompt * 1024 / filler.len());
        question(model, &format!("{text}count to twenty"), self.streamed())
    }

    /// Whether it is the whole right answer: a truncated one is a failure, however quick.
    fn check(self, heard: &Heard) -> Result<(), String> {
        match read(heard, self.streamed()) {
            Reading::Error { status, why } => {
                let why: String = why.chars().take(200).collect();
                Err(format!("{}{why}", status.map(|status| format!("{status} ")).unwrap_or_default()))
            }
            Reading::Answer(answer) if answer.text.trim() != numbers().trim() => {
                Err(format!("not the whole answer: {} bytes of text", answer.text.len()))
            }
            Reading::Answer(answer) if !answer.finished => Err("no finish_reason".to_owned()),
            Reading::Answer(answer) if self.streamed() && !answer.done => Err("no [DONE]".to_owned()),
            Reading::Answer(_) => Ok(()),
        }
    }
}

/// Failures of a kind of question: how many, and what the first was.
#[derive(Debug, Clone, Default)]
pub struct Failures {
    /// How many.
    pub count: usize,
    /// The first.
    pub first: Option<String>,
}

impl Failures {
    fn add(&mut self, why: String) {
        self.count += 1;
        self.first.get_or_insert(why);
    }
}

/// What a gateway adds with one connection. Of `direct` it is the time itself.
#[derive(Debug, Clone)]
pub struct Paired {
    /// Which gateway.
    pub product: Product,
    /// Which kind of question.
    pub shape: Shape,
    /// Until the answer's end, in milliseconds.
    pub total: Times,
    /// Until its first byte, in milliseconds.
    pub first: Times,
    /// What went wrong.
    pub failures: Failures,
}

/// What a gateway does with many connections.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Which gateway.
    pub product: Product,
    /// Which kind of question.
    pub shape: Shape,
    /// How many connections.
    pub connections: usize,
    /// Answers a second.
    pub rate: f64,
    /// Until the answer's end, in milliseconds.
    pub total: Times,
    /// Until its first byte, in milliseconds.
    pub first: Times,
    /// Processor time for an answer, in milliseconds; `direct` has none.
    pub processor: Option<f64>,
    /// What went wrong.
    pub failures: Failures,
}

/// What one run found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// With one connection.
    pub paired: Vec<Paired>,
    /// With many.
    pub loaded: Vec<Loaded>,
    /// The most memory that each gateway had resident, in KB.
    pub memory: Vec<(Product, u64)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_question_is_as_long_as_it_says() {
        for shape in SHAPES {
            let length = shape.question().len();
            assert!((shape.prompt * 1024..shape.prompt * 1024 + 250).contains(&length), "{shape}: {length}");
        }
    }
}

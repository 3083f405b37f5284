//! What is written down of a program's question: who asked whom, what it took, and never a word of it.

use routing::{Answer, Count, NoAnswer};
use tokio::runtime::Handle;

use super::purse::Purse;

/// The books of one question, open until it is over.
pub(crate) struct Books {
    program: String,
    purse: Purse,
    /// What it costs while it comes.
    count: Count,
    open: bool,
}

impl Books {
    pub(crate) fn open(program: &str, purse: Purse) -> Self {
        Self { program: program.to_owned(), purse, count: Count::default(), open: true }
    }

    /// Books this count should the question be dropped.
    pub(crate) fn watch(&mut self, count: Count) {
        self.count = count;
    }

    /// The question is over: what it cost is booked, and who answered is written down.
    pub(crate) async fn close(&mut self, result: &Result<Answer, NoAnswer>) {
        self.open = false;
        self.purse.book(&self.program, result).await;
        let program = self.program.as_str();
        match result {
            Ok(answer) => tracing::info!(
                program,
                endpoint = answer.endpoint,
                prompt_tokens = answer.usage.prompt,
                completion_tokens = answer.usage.completion,
                estimated = answer.usage.estimated,
                cost = answer.cost(),
                attempts = answer.attempts.len(),
                "a program's question was answered"
            ),
            Err(no_answer) => tracing::warn!(
                program,
                reason = no_answer.reason.as_str(),
                cost = no_answer.cost(),
                attempts = no_answer.attempts.len(),
                "a program's question was not answered"
            ),
        }
    }
}

/// A question that is dropped before it is over was given up by who asked it. What came of the answer is paid for all the
/// same.
impl Drop for Books {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        let cost = self.count.cost();
        tracing::info!(program = self.program, cost, "a program hung up before its answer was whole");
        // There is none where the whole process ends.
        if let Ok(runtime) = Handle::try_current() {
            let (program, purse) = (std::mem::take(&mut self.program), self.purse.clone());
            runtime.spawn(async move { purse.spend(&program, cost).await });
        }
    }
}

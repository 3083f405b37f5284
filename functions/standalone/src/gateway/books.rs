//! What is written down of a program's question: who asked whom, what it took, and never a word of it.

use std::sync::Arc;

use chat::{Clock, PlatformId};
use routing::{Answer, Attempt, Count, Endpoint, Listener, NoAnswer};
use telemetry::{Asker, LogObserver, Note, Observer as _};
use tokio::runtime::Handle;
use turn::attempts;

use super::purse::{GATEWAY, Purse};

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

    /// Logs each attempt when it ends, for this program, and lets `listener` hear the answer.
    pub(crate) fn noting<L>(&self, listener: L) -> Noting<L> {
        let (program, clock) = (self.program.clone(), Arc::clone(&self.purse.clock));
        Noting { listener, program, clock }
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
                failed_over = joined(&attempts::failed(&answer.attempts)),
                "a program's question was answered"
            ),
            Err(no_answer) => tracing::warn!(
                program,
                reason = no_answer.reason.as_str(),
                cause = attempts::last_cause(&no_answer.attempts),
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

fn joined(names: &[String]) -> Option<String> {
    (!names.is_empty()).then(|| names.join(", "))
}

/// Logs the attempts of a program's question.
pub(crate) struct Noting<L> {
    listener: L,
    program: String,
    clock: Arc<dyn Clock>,
}

impl<L: Listener> Listener for Noting<L> {
    fn begins(&self, endpoint: &Endpoint) {
        self.listener.begins(endpoint);
    }

    fn words(&self, more: &str) {
        self.listener.words(more);
    }

    fn hears(&self) -> bool {
        self.listener.hears()
    }

    fn takes_back(&self) -> bool {
        self.listener.takes_back()
    }

    fn restarted(&self) {
        self.listener.restarted();
    }

    fn attempted(&self, attempt: &Attempt) {
        let Ok(platform) = PlatformId::parse(GATEWAY) else { return };
        let asker = Asker { platform, bot: None, program: Some(self.program.clone()) };
        let step = attempts::step(attempt, asker);
        LogObserver.note(&Note { turn: None, at: self.clock.now(), step });
    }
}

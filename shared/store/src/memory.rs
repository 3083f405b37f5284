//! The reference: every trait, in memory.
//!
//! It is what the other stores are measured against, and what tests and the simulator run on. Nothing survives the
//! process, and nothing is ever removed for its age; a record past its time only counts as absent, as the traits say.

mod budgets;
mod choices;
mod conversations;
mod dead_letters;
mod openings;
mod queue;
mod signals;
mod tokens;
mod turns;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Everything in memory. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    inner: Arc<Inner>,
}

/// One lock per capability, held for one operation each and never across an await.
#[derive(Debug, Default)]
struct Inner {
    turns: Mutex<turns::Table>,
    conversations: Mutex<conversations::Table>,
    tokens: Mutex<tokens::Table>,
    queue: Mutex<queue::Queue>,
    signals: Mutex<signals::Table>,
    budgets: Mutex<budgets::Table>,
    choices: Mutex<choices::Table>,
    openings: Mutex<openings::Table>,
    dead_letters: Mutex<dead_letters::Table>,
}

/// Locks, also after a panic elsewhere: no operation can leave a table half written, so there is nothing to distrust.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

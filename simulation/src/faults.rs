//! What can go wrong.

use fastrand::Rng;

/// One kind of fault. Crashes and pauses are the executor's and not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The store refuses, as when it throttles; nothing happened.
    StoreDown,
    /// The store acts, and its answer is lost.
    StoreLost,
    StoreSlow,
    QueueDown,
    QueueLost,
    /// The shared token that is read is the one before.
    TokenStale,
    /// The platform ends all tokens that it gave out.
    TokenEnded,
    TokenDown,
    SendRefused,
    /// The platform says: again, in some seconds.
    SendBusy,
    /// The platform says: again, in a minute, which is longer than a run waits.
    SendBlocked,
    SendUnreachable,
    /// The call is lost on its way.
    SendVanished,
    /// The platform takes the call, and its answer is lost.
    SendLost,
    /// The platform takes the call, and its answer makes no sense.
    SendGarbled,
    /// A gateway's error page, and nobody knows what is behind it.
    SendGateway,
    SendSlow,
    ModelDown,
    ModelEmpty,
    ModelGarbled,
    ModelSlow,
    /// The newest signal cannot be seen yet.
    SignalLate,
}

const KINDS: usize = Fault::SignalLate as usize + 1;

/// How often each kind happens, in thousandths of the occasions.
#[derive(Debug, Clone)]
pub(crate) struct Rates([u16; KINDS]);

impl Rates {
    /// Each kind is on in half of all runs: a run with few kinds goes deeper into each than one with all of them.
    pub(crate) fn draw(chance: &mut Rng) -> Self {
        let mut rates = [0; KINDS];
        let often = [5, 20, 60, 150][chance.usize(0..4)];
        for rate in &mut rates {
            if chance.bool() {
                *rate = often;
            }
        }
        Self(rates)
    }

    pub(crate) fn of(&self, fault: Fault) -> u16 {
        self.0.get(fault as usize).copied().unwrap_or(0)
    }
}

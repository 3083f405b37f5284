//! The last look: what was promised and did not come.

use store::{Ending, ParkReason};

use crate::{
    Broken, Violation,
    oracle::{Oracle, Seen},
};

/// For how long after its first delivery a turn is sent again under its key, give or take what one run lasts. The
/// engine counts from when the receiver heard of it, which is not earlier.
const KEYED_FOR: i64 = 3_300_000;

impl Oracle {
    /// The last look, when all is quiet.
    pub(crate) fn judge(&mut self) {
        let found: Vec<_> =
            self.turns.values().filter_map(|seen| seen.judge(self.token_ends, self.all_back)).collect();
        self.violations.extend(found);
        let uncovered: Vec<_> =
            self.turns.values().filter(|seen| seen.merged && !self.covers(seen)).collect();
        let names: Vec<_> = uncovered.iter().map(|seen| format!("q{}.{}", seen.room, seen.number)).collect();
        for name in names {
            self.blame(Broken::Lost, format!("{name} was left to a later answer that never came"));
        }
    }

    /// Whether a later message of the room covers this one: a question whose prompt held it too, or, if it ended after this
    /// one, a question that found no answer or was stopped, or a command that ends what was said before; or one that is
    /// among the dead letters. A question that an earlier version merged does not say whom it was left to, so a late `/new`
    /// makes it forgotten.
    fn covers(&self, merged: &Seen) -> bool {
        let others = |seen: &&Seen| seen.room == merged.room && seen.number != merged.number && !seen.merged;
        self.turns.values().filter(others).any(|seen| {
            // Also one that was said before it and came after it.
            let asked = seen.question && seen.asked_about.contains(&merged.number);
            let later = seen.number > merged.number;
            let unanswered = seen.modelless || seen.given_up || seen.shown == [(0, 0)];
            let speaks = later && (seen.interrupts || (seen.question && unanswered));
            match seen.ended {
                None => later && seen.letter,
                Some(_) if asked || (speaks && seen.ended_after(merged)) => {
                    seen.letter || !seen.shown.is_empty()
                }
                Some(_) => false,
            }
        }) || (merged.kept_by_earlier && self.forgotten(merged))
    }

    fn forgotten(&self, merged: &Seen) -> bool {
        let room = self.turns.values().filter(|seen| seen.room == merged.room);
        room.filter(|seen| seen.interrupts).any(|seen| seen.ended_after(merged))
    }
}

impl Seen {
    fn ended_after(&self, other: &Self) -> bool {
        match (&self.ended, &other.ended) {
            (Some((_, own)), Some((_, before))) => own >= before,
            _ => false,
        }
    }

    pub(crate) fn ending(&self) -> &'static str {
        match &self.ended {
            Some((Ending::Done, _)) => "done",
            Some((Ending::Parked(ParkReason::NoAnswer), _)) => "no_answer",
            Some((Ending::Parked(ParkReason::SendRefused), _)) => "send_refused",
            Some((Ending::Parked(ParkReason::SendUncertain), _)) => "send_uncertain",
            Some((Ending::Parked(ParkReason::TriesExhausted), _)) => "tries_exhausted",
            None if self.letter => "buried",
            None => "none",
        }
    }

    fn judge(&self, token_ends: u32, all_back: bool) -> Option<Violation> {
        self.accepted?;
        let name = format!("q{}.{}", self.room, self.number);
        let blame = |broken, what: &str| Some(Violation { broken, what: format!("{name} {what}") });
        if all_back && (self.letter || matches!(self.ended, Some((Ending::Parked(_), _)))) {
            return blame(Broken::Lost, "could not be brought back although all was quiet");
        }
        let whole = |parts: u32| (0..parts).all(|part| self.shown.iter().any(|(shown, _)| *shown == part));
        match &self.ended {
            None if self.letter => None,
            None => blame(Broken::Lost, "never ended"),
            Some((Ending::Done, _)) if self.merged => (!self.shown.is_empty()).then(|| Violation {
                broken: Broken::Duplicated,
                what: format!("{name} was left to a later answer and shown"),
            }),
            // A notice in the place of an answer: it was stopped, if somebody did that.
            Some((Ending::Done, _)) if self.question && self.shown == [(0, 0)] => {
                (!self.stoppable).then(|| Violation {
                    broken: Broken::Unexcused,
                    what: format!("{name} was stopped by nobody"),
                })
            }
            Some((Ending::Done, _)) if whole(self.parts) => None,
            Some((Ending::Done, _)) => blame(Broken::Lost, "ended as done and was not shown whole"),
            Some((Ending::Parked(_), _)) if !self.letter => {
                blame(Broken::Lost, "was parked and the operators do not hear of it")
            }
            Some((Ending::Parked(reason), at)) => match reason {
                ParkReason::TriesExhausted if !self.given_up => {
                    blame(Broken::Unexcused, "was given up before its tries were used up")
                }
                ParkReason::NoAnswer if !whole(1) => blame(Broken::Lost, "was parked without its apology"),
                ParkReason::NoAnswer if !self.modelless => {
                    blame(Broken::Unexcused, "found no answer although the models were there")
                }
                ParkReason::SendRefused if !self.refused && token_ends < 2 => {
                    blame(Broken::Unexcused, "was parked as refused and nobody refused it")
                }
                ParkReason::SendUncertain if !self.troubled => {
                    blame(Broken::Unexcused, "was parked as uncertain and nothing had happened")
                }
                ParkReason::SendUncertain if self.keyed && at - self.delivered < KEYED_FOR => {
                    blame(Broken::Unexcused, "was parked as uncertain while its key was good")
                }
                ParkReason::TriesExhausted
                | ParkReason::NoAnswer
                | ParkReason::SendRefused
                | ParkReason::SendUncertain => None,
            },
        }
    }
}

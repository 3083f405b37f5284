//! What was promised, watched from outside: it knows what happened in the store, in the queue and before people's
//! eyes, and nothing of how the engine works.

use std::collections::BTreeMap;

use chat::{Timestamp, TurnKey};
use store::{Claim, ClaimRequest, Ending, ExchangeKind, Fence};

use crate::{
    Broken, Violation,
    plan::{Plan, Side, Words},
    reading::{parts, tags},
    sim::START,
};

pub(crate) struct Oracle {
    pub(crate) turns: BTreeMap<TurnKey, Seen>,
    /// The acceptance number of what was shown last in each room, and the next number to give.
    last_shown: BTreeMap<usize, usize>,
    next_number: usize,
    /// Whether the kept answer of its turn existed when the task's claim was granted.
    kept_before_claim: BTreeMap<usize, bool>,
    /// How often the platforms ended their tokens.
    pub(crate) token_ends: u32,
    /// An operator has brought everything back since all was quiet.
    pub(crate) all_back: bool,
    pub(crate) violations: Vec<Violation>,
}

/// One turn, seen from outside.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) room: usize,
    pub(crate) number: usize,
    pub(crate) keyed: bool,
    pub(crate) event: String,
    pub(crate) parts: u32,
    /// When it was delivered first.
    pub(crate) delivered: i64,
    /// Its place among all accepted turns.
    pub(crate) accepted: Option<usize>,
    pub(crate) fence: u64,
    pub(crate) held_until: Option<i64>,
    pub(crate) ended: Option<(Ending, i64)>,
    pub(crate) kept: bool,
    /// What is kept is an apology, after which an answer may come.
    pub(crate) apology: bool,
    /// What is kept has the form of an earlier version.
    pub(crate) kept_by_earlier: bool,
    /// It is a question, and a later message of its room may stop it.
    pub(crate) question: bool,
    pub(crate) stoppable: bool,
    pub(crate) interrupts: bool,
    /// The questions of its room that its prompts held.
    pub(crate) asked_about: Vec<usize>,
    /// A later message's answer is for it too.
    pub(crate) merged: bool,
    /// It was among the dead letters or brought back, and may come after later ones.
    pub(crate) late: bool,
    /// Its tries were used up.
    pub(crate) given_up: bool,
    /// It is among the dead letters, where operators hear of it.
    pub(crate) letter: bool,
    /// Something happened between a mark and its record that may leave the record behind the facts.
    pub(crate) troubled: bool,
    pub(crate) refused: bool,
    pub(crate) modelless: bool,
    /// Which parts were shown, of which answer.
    pub(crate) shown: Vec<(u32, u32)>,
    /// Those that were shown last.
    pub(crate) last: Vec<(u32, u32)>,
    /// Who brought it back has decided that what may have been shown is sent once more.
    pub(crate) may_repeat: bool,
}

impl Oracle {
    pub(crate) fn new(plan: &Plan) -> Self {
        let seen = |saying: &crate::plan::Saying| Seen {
            room: saying.room,
            number: saying.number,
            keyed: plan.rooms.get(saying.room).is_some_and(|room| room.side == Side::Feishu),
            event: saying.event(),
            delivered: START + saying.deliveries.first().copied().unwrap_or_default(),
            parts: match saying.words {
                Words::Question(parts) => parts,
                Words::Help | Words::New | Words::Stop => 1,
            },
            question: matches!(saying.words, Words::Question(_)),
            interrupts: saying.words.interrupt(),
            stoppable: plan.sayings.iter().any(|later| {
                later.room == saying.room && later.number > saying.number && later.words.interrupt()
            }),
            ..Seen::default()
        };
        Self {
            turns: plan.sayings.iter().map(|saying| (saying.turn.clone(), seen(saying))).collect(),
            last_shown: BTreeMap::new(),
            next_number: 0,
            kept_before_claim: BTreeMap::new(),
            token_ends: 0,
            all_back: false,
            violations: Vec::new(),
        }
    }

    pub(crate) fn blame(&mut self, broken: Broken, what: String) {
        self.violations.push(Violation { broken, what });
    }

    fn seen(&mut self, turn: &TurnKey) -> Option<&mut Seen> {
        self.turns.get_mut(turn)
    }

    /// The queue has it.
    pub(crate) fn accepted(&mut self, turn: &TurnKey) {
        let number = self.next_number;
        if let Some(seen) = self.seen(turn)
            && seen.accepted.is_none()
        {
            seen.accepted = Some(number);
            self.next_number += 1;
        }
    }

    /// The platform was told that its message is safe.
    pub(crate) fn acknowledged(&mut self, turn: &TurnKey) {
        if self.seen(turn).is_none_or(|seen| seen.accepted.is_none()) {
            self.blame(Broken::Lost, "200 was said for a message that is not in the queue".to_owned());
        }
    }

    pub(crate) fn buried(&mut self, turn: &TurnKey) {
        if let Some(seen) = self.seen(turn) {
            (seen.late, seen.letter) = (true, true);
        }
    }

    /// A parked turn is open again.
    pub(crate) fn reopened(&mut self, turn: &TurnKey) {
        let Some(seen) = self.seen(turn) else { return };
        if !matches!(seen.ended, Some((Ending::Parked(_), _))) {
            return self.blame(Broken::Fence, "a turn was reopened that was not parked".to_owned());
        }
        // From here on any delivery of its message may answer it, also one that was in the queue all the while.
        (seen.ended, seen.late) = (None, true);
        if seen.apology {
            // The model is asked again, and what it says is shown after the apology.
            (seen.kept, seen.shown) = (false, Vec::new());
        }
        seen.may_repeat = seen.troubled;
    }

    /// A redrive found it not parked: a lease that was over is no longer anybody's.
    pub(crate) fn taken_away(&mut self, turn: &TurnKey, now: Timestamp) {
        if let Some(seen) = self.seen(turn)
            && seen.held_until.is_some_and(|until| until <= now.as_millis())
        {
            seen.held_until = None;
        }
    }

    pub(crate) fn requeued(&mut self, turn: &TurnKey) {
        if let Some(seen) = self.seen(turn) {
            seen.late = true;
        }
    }

    pub(crate) fn letter_gone(&mut self, turn: &TurnKey) {
        if let Some(seen) = self.seen(turn) {
            seen.letter = false;
        }
    }

    pub(crate) fn given_up(&mut self, turn: &TurnKey) {
        if let Some(seen) = self.seen(turn) {
            seen.given_up = true;
        }
    }

    pub(crate) fn parked(&mut self, turn: &TurnKey) {
        if let Some(seen) = self.seen(turn) {
            seen.letter = true;
        }
    }

    /// From now on the record of this turn may lag behind the facts.
    pub(crate) fn troubled(&mut self, turn: &TurnKey) {
        if let Some(seen) = self.seen(turn) {
            seen.troubled = true;
        }
    }

    pub(crate) fn refused(&mut self, turn: &TurnKey) {
        if let Some(seen) = self.seen(turn) {
            seen.refused = true;
        }
    }

    pub(crate) fn modelless(&mut self, turn: &TurnKey) {
        if let Some(seen) = self.seen(turn) {
            seen.modelless = true;
        }
    }

    pub(crate) fn claimed(&mut self, task: usize, turn: &TurnKey, request: &ClaimRequest, claim: &Claim) {
        let Claim::Granted(record) = claim else { return };
        let until = request.now.plus(request.lease).as_millis();
        let Some(seen) = self.turns.get_mut(turn) else {
            return self.blame(Broken::Lost, "a turn was claimed that nobody started".to_owned());
        };
        let kept = seen.kept;
        let held = seen.held_until.is_some_and(|until| until > request.now.as_millis());
        let wrong = held || seen.ended.is_some() || record.fence.0 <= seen.fence;
        (seen.fence, seen.held_until) = (record.fence.0, Some(until));
        self.kept_before_claim.insert(task, kept);
        if wrong {
            self.blame(Broken::Fence, format!("a claim was granted beside another, held {held}"));
        }
    }

    /// A write went through.
    pub(crate) fn written(&mut self, turn: &TurnKey, fence: Fence) {
        let good = |seen: &mut Seen| seen.fence == fence.0 && seen.held_until.is_some();
        if !self.seen(turn).is_some_and(good) {
            self.blame(Broken::Fence, format!("a write went through under the old fence {}", fence.0));
        }
    }

    pub(crate) fn released(&mut self, turn: &TurnKey) {
        if let Some(seen) = self.seen(turn) {
            seen.held_until = None;
        }
    }

    pub(crate) fn ended(&mut self, turn: &TurnKey, ending: Ending, now: i64) {
        if let Some(seen) = self.seen(turn) {
            seen.held_until = None;
            seen.ended = Some((ending, now));
        }
    }

    pub(crate) fn kept(&mut self, turn: &TurnKey, kind: ExchangeKind, apology: bool, by_earlier: bool) {
        let Some(seen) = self.seen(turn) else { return };
        if seen.merged && kind == ExchangeKind::Merged {
            // The same question once more, behind a reset that must not take it away.
            return;
        }
        (seen.apology, seen.kept_by_earlier) = (apology, by_earlier);
        seen.merged = kind == ExchangeKind::Merged;
        if std::mem::replace(&mut seen.kept, true) {
            self.blame(Broken::AskedAgain, "an answer was kept over another".to_owned());
        }
    }

    pub(crate) fn asked(&mut self, task: usize, turn: &TurnKey, prompt: &str) {
        if self.kept_before_claim.get(&task).copied().unwrap_or_default() {
            self.blame(Broken::AskedAgain, "the model was asked although the answer was kept".to_owned());
        }
        let Some(seen) = self.turns.get_mut(turn) else { return };
        let tags = tags(prompt);
        seen.asked_about = tags.iter().map(|(_, number)| *number).collect();
        let own = (seen.room, seen.number);
        if tags.last() != Some(&own) || tags.iter().any(|(room, _)| *room != own.0) {
            self.blame(Broken::Memory, format!("a prompt for q{own:?} spoke of {tags:?}"));
        }
    }

    /// People see this.
    pub(crate) fn shown(&mut self, turn: &TurnKey, text: &str, address: Option<&str>) {
        let Some(seen) = self.turns.get_mut(turn) else { return };
        let mut broken = Vec::new();
        let own = format!("{}.{}", seen.room, seen.number);
        if address.is_some_and(|address| address != seen.event && address != own) {
            broken.push((Broken::Misdirected, format!("q{own} went to {address:?}")));
        }
        let parts = parts(text, &own);
        let repeated = seen.may_repeat && parts == seen.last;
        seen.may_repeat &= !repeated;
        for (part, answer) in parts.iter().copied() {
            if repeated {
                // Shown once more, or for the first time since it was brought back.
                seen.shown.retain(|shown| *shown != (part, answer));
            } else if seen.shown.iter().any(|(before, of)| *before == part || *of != answer) {
                broken.push((Broken::Duplicated, format!("part {part} of answer {answer} to q{own}")));
            } else if seen.shown.iter().any(|(before, _)| *before > part) {
                broken.push((Broken::Disordered, format!("part {part} of q{own} came late")));
            }
            seen.shown.push((part, answer));
        }
        seen.last = parts;
        let number = seen.accepted.unwrap_or(0);
        let last = self.last_shown.entry(seen.room).or_default();
        if number < *last && !seen.late && !seen.given_up {
            broken.push((Broken::Disordered, format!("q{own} was answered after a later message")));
        }
        *last = number.max(*last);
        for (what, why) in broken {
            self.blame(what, why);
        }
    }

    /// How many turns ended in which way, for whoever asks what runs are like.
    pub(crate) fn endings(&self) -> BTreeMap<&'static str, u64> {
        let mut endings = BTreeMap::new();
        for seen in self.turns.values() {
            *endings.entry(seen.ending()).or_default() += 1;
        }
        endings
    }
}

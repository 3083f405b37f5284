//! What was promised, watched from outside: it knows what happened in the store, in the queue and before people's
//! eyes, and nothing of how the engine works.

use std::collections::BTreeMap;

use chat::TurnKey;
use store::{Claim, ClaimRequest, Ending, ExchangeKind, Fence, ParkReason};

use crate::{
    Broken, Violation,
    plan::{Plan, Side, Words},
    sim::START,
};

/// For how long after its first delivery a turn is sent again under its key, give or take what one run lasts. The
/// engine counts from when the receiver heard of it, which is not earlier.
const KEYED_FOR: i64 = 3_300_000;

pub(crate) struct Oracle {
    turns: BTreeMap<TurnKey, Seen>,
    /// The acceptance number of what was shown last in each room, and the next number to give.
    last_shown: BTreeMap<usize, usize>,
    next_number: usize,
    /// Whether the kept answer of its turn existed when the task's claim was granted.
    kept_before_claim: BTreeMap<usize, bool>,
    /// How often the platforms ended their tokens.
    pub(crate) token_ends: u32,
    pub(crate) violations: Vec<Violation>,
}

/// One turn, seen from outside.
#[derive(Default)]
struct Seen {
    room: usize,
    number: usize,
    keyed: bool,
    event: String,
    parts: u32,
    /// When it was delivered first.
    delivered: i64,
    /// Its place among all accepted turns.
    accepted: Option<usize>,
    fence: u64,
    held_until: Option<i64>,
    ended: Option<(Ending, i64)>,
    kept: bool,
    /// It is a question, and a later message of its room may stop it.
    question: bool,
    stoppable: bool,
    interrupts: bool,
    /// The questions of its room that its prompts held.
    asked_about: Vec<usize>,
    /// A later message's answer is for it too.
    merged: bool,
    buried: bool,
    /// Its tries were used up.
    given_up: bool,
    /// The operators hear of it.
    parked: bool,
    /// Something happened between a mark and its record that may leave the record behind the facts.
    troubled: bool,
    refused: bool,
    modelless: bool,
    /// Which parts were shown, of which answer.
    shown: Vec<(u32, u32)>,
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
            violations: Vec::new(),
        }
    }

    fn blame(&mut self, broken: Broken, what: String) {
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
            seen.buried = true;
        }
    }

    pub(crate) fn given_up(&mut self, turn: &TurnKey) {
        if let Some(seen) = self.seen(turn) {
            seen.given_up = true;
        }
    }

    pub(crate) fn parked(&mut self, turn: &TurnKey) {
        if let Some(seen) = self.seen(turn) {
            seen.parked = true;
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

    pub(crate) fn kept(&mut self, turn: &TurnKey, kind: ExchangeKind) {
        let Some(seen) = self.seen(turn) else { return };
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
        for (part, answer) in parts {
            if seen.shown.iter().any(|(before, of)| *before == part || *of != answer) {
                broken.push((Broken::Duplicated, format!("part {part} of answer {answer} to q{own}")));
            } else if seen.shown.iter().any(|(before, _)| *before > part) {
                broken.push((Broken::Disordered, format!("part {part} of q{own} came late")));
            }
            seen.shown.push((part, answer));
        }
        let number = seen.accepted.unwrap_or(0);
        let last = self.last_shown.entry(seen.room).or_default();
        if number < *last && !seen.buried && !seen.given_up {
            broken.push((Broken::Disordered, format!("q{own} was answered after a later message")));
        }
        *last = number.max(*last);
        for (what, why) in broken {
            self.blame(what, why);
        }
    }

    /// The last look, when all is quiet.
    pub(crate) fn judge(&mut self) {
        let found: Vec<_> = self.turns.values().filter_map(|seen| seen.judge(self.token_ends)).collect();
        self.violations.extend(found);
        let uncovered: Vec<_> =
            self.turns.values().filter(|seen| seen.merged && !self.covers(seen)).collect();
        let names: Vec<_> = uncovered.iter().map(|seen| format!("q{}.{}", seen.room, seen.number)).collect();
        for name in names {
            self.blame(Broken::Lost, format!("{name} was left to a later answer that never came"));
        }
    }

    /// Whether a later message of the room that ended after this one covers it: a question whose prompt held this one too,
    /// or that found no answer or was stopped; a command that ends what was said before; or one that operators have.
    fn covers(&self, merged: &Seen) -> bool {
        let later = |seen: &&Seen| seen.room == merged.room && seen.number > merged.number && !seen.merged;
        self.turns.values().filter(later).any(|seen| {
            let ended = match (&seen.ended, &merged.ended) {
                (Some((_, later)), Some((_, own))) => later >= own,
                _ => false,
            };
            let unanswered = seen.modelless || seen.given_up || seen.shown == [(0, 0)];
            let speaks = seen.interrupts
                || (seen.question && (unanswered || seen.asked_about.contains(&merged.number)));
            seen.buried || (ended && speaks && (seen.parked || !seen.shown.is_empty()))
        })
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

impl Seen {
    fn ending(&self) -> &'static str {
        match &self.ended {
            Some((Ending::Done, _)) => "done",
            Some((Ending::Parked(ParkReason::NoAnswer), _)) => "no_answer",
            Some((Ending::Parked(ParkReason::SendRefused), _)) => "send_refused",
            Some((Ending::Parked(ParkReason::SendUncertain), _)) => "send_uncertain",
            Some((Ending::Parked(ParkReason::TriesExhausted), _)) => "tries_exhausted",
            None if self.buried => "buried",
            None => "none",
        }
    }

    fn judge(&self, token_ends: u32) -> Option<Violation> {
        self.accepted?;
        let name = format!("q{}.{}", self.room, self.number);
        let blame = |broken, what: &str| Some(Violation { broken, what: format!("{name} {what}") });
        let whole = |parts: u32| (0..parts).all(|part| self.shown.iter().any(|(shown, _)| *shown == part));
        match &self.ended {
            None if self.buried => None,
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
            Some((Ending::Parked(_), _)) if !self.parked => {
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

/// Which questions a prompt speaks of: every `q1.2` in it.
fn tags(text: &str) -> Vec<(usize, usize)> {
    let mut tags = Vec::new();
    for rest in text.split(" q").skip(1) {
        let (room, rest) = number(rest);
        if let (Some(room), Some(rest)) = (room, rest.strip_prefix('.'))
            && let (Some(saying), _) = number(rest)
        {
            tags.push((room, saying));
        }
    }
    tags
}

/// Which parts of which answer a text holds; one that holds none is a notice, and a whole one.
fn parts(text: &str, own: &str) -> Vec<(u32, u32)> {
    let mut parts = Vec::new();
    for rest in text.split("part").skip(1) {
        let (part, rest) = number(rest);
        let Some(rest) = rest.strip_prefix(" of q").and_then(|rest| rest.strip_prefix(own)) else { continue };
        if let (Some(part), Some(rest)) = (part, rest.strip_prefix(" #"))
            && let (Some(answer), _) = number(rest)
        {
            // Numbers below a thousand.
            parts.push((u32::try_from(part).unwrap_or(0), u32::try_from(answer).unwrap_or(0)));
        }
    }
    if parts.is_empty() { vec![(0, 0)] } else { parts }
}

fn number(text: &str) -> (Option<usize>, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    (digits.parse().ok(), rest)
}

//! What a seed decides before the run begins: who says what when, and what may go wrong.

use chat::{BotId, ChatId, Conversation, EventId, PlatformId, TurnKey, UserId};
use fastrand::Rng;

use crate::{Crash, Options, Size, Upkeep as Wanted, faults::Rates, upkeep::Upkeep};

/// Where a conversation takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Sends are keyed.
    Feishu,
    /// Sends are not.
    DingTalk,
}

impl Side {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Feishu => "feishu",
            Self::DingTalk => "dingtalk",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Room {
    pub(crate) side: Side,
    pub(crate) group: bool,
    pub(crate) chat: String,
    pub(crate) user: String,
}

/// What a person says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    /// A question, to be answered in this many parts.
    Question(u32),
    Help,
    New,
    Stop,
}

impl Words {
    /// Whether they end what is in work.
    pub(crate) const fn interrupt(self) -> bool {
        matches!(self, Self::New | Self::Stop)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Saying {
    pub(crate) room: usize,
    /// Its place in the room, from 0. The platform's id is made of nothing else, so that rooms share ids.
    pub(crate) number: usize,
    pub(crate) words: Words,
    /// When it was said, in milliseconds after the start.
    pub(crate) said: i64,
    /// When the platform delivers it, in milliseconds after the start: the first time and again.
    pub(crate) deliveries: Vec<i64>,
    /// Whether the platform delivers until it hears 200; else only as often as it would anyway.
    pub(crate) insists: bool,
    pub(crate) turn: TurnKey,
}

impl Saying {
    pub(crate) fn event(&self) -> String {
        event(self.number)
    }
}

fn event(number: usize) -> String {
    format!("om_{number}")
}

#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) rooms: Vec<Room>,
    pub(crate) sayings: Vec<Saying>,
    /// How many turns each worker process takes at once.
    pub(crate) processes: Vec<usize>,
    /// The time of one run of a turn, in milliseconds.
    pub(crate) budget: i64,
    /// How long the queue hides an item that is in work.
    pub(crate) visibility: i64,
    pub(crate) tries: u32,
    pub(crate) merges: bool,
    pub(crate) rates: Rates,
    pub(crate) faults: u32,
    /// After this many polls nothing goes wrong any more.
    pub(crate) fault_polls: u64,
    /// After which polls the process of the polled task dies, and whether without destructors.
    pub(crate) crashes: Vec<(u64, bool)>,
    /// How long a process that died takes to start again.
    pub(crate) restart: i64,
    /// After which polls the process of the polled task stands still, and for how many milliseconds.
    pub(crate) pauses: Vec<(u64, i64)>,
    pub(crate) upkeep: Upkeep,
}

impl Plan {
    pub(crate) fn draw(seed: u64, chance: &mut Rng, options: &Options) -> Self {
        let small = options.size == Size::Small;
        let rooms: Vec<_> = (0..if small { chance.usize(1..3) } else { chance.usize(2..5) })
            .map(|index| room(chance, index))
            .collect();
        let mut sayings = Vec::new();
        for index in 0..rooms.len() {
            let count = if small { chance.usize(1..3) } else { chance.usize(1..6) };
            sayings.extend(say(chance, &rooms, index, count));
        }
        let budget = [150_000, 60_000][chance.usize(0..2)];
        let (visibility, tries) =
            [(budget + 30_000, 5), (budget + 30_000, 1000), (20_000, 1000)][chance.usize(0..3)];
        let fault_polls = if small { 150 } else { chance.u64(100..800) };
        let processes: Vec<_> = if small {
            vec![1; chance.usize(1..3)]
        } else {
            (0..chance.usize(1..4)).map(|_| chance.usize(1..3)).collect()
        };
        let mut plan = Self {
            rooms,
            sayings,
            upkeep: Upkeep::draw(seed, processes.len(), options.upkeep, options.size),
            processes,
            budget,
            visibility,
            tries,
            merges: chance.bool(),
            rates: Rates::draw(chance),
            faults: [0, 1, 2, 4, 8, 16][chance.usize(0..6)],
            fault_polls,
            crashes: (0..chance.usize(0..4)).map(|_| (chance.u64(0..fault_polls), chance.bool())).collect(),
            restart: if chance.u8(0..8) == 0 { chance.i64(3_400_000..3_650_000) } else { 3_000 },
            pauses: (0..chance.usize(0..3)).map(|_| (chance.u64(0..fault_polls), pause(chance))).collect(),
        };
        if let Crash::At { .. } = options.crash {
            plan.crashes.clear();
            plan.pauses.clear();
        }
        if options.upkeep == Wanted::Drawn {
            crowd(seed, &mut plan.sayings);
            delay(seed, &mut plan.sayings);
            give_up(seed, &mut plan.sayings);
        }
        plan
    }
}

/// In a quarter of all histories some messages are said within milliseconds of the one before, as by a program or a thumb
/// that slips: receivers deal with them at the same time, and either may be queued first. Draws from chance of its own.
fn crowd(seed: u64, sayings: &mut [Saying]) {
    let mut chance = Rng::with_seed(seed.rotate_left(16));
    if chance.u8(0..4) > 0 {
        return;
    }
    let mut before: Option<(usize, i64)> = None;
    for saying in sayings {
        if let Some((room, said)) = before
            && room == saying.room
            && chance.bool()
        {
            let earlier = saying.said - (said + chance.i64(0..5)).min(saying.said);
            saying.said -= earlier;
            saying.deliveries.iter_mut().for_each(|at| *at -= earlier);
        }
        before = Some((saying.room, saying.said));
    }
}

/// In a third of all histories some messages are delivered late, each by some seconds: in another order than they were
/// said in. Draws from chance of its own.
fn delay(seed: u64, sayings: &mut [Saying]) {
    let mut chance = Rng::with_seed(!seed);
    if chance.u8(0..3) > 0 {
        return;
    }
    for saying in sayings {
        let late = if chance.u8(0..3) == 0 { chance.i64(0..6_000) } else { 0 };
        saying.deliveries.iter_mut().for_each(|at| *at += late);
    }
}

/// In a quarter of all histories the platform does not insist on some messages: it was told 503, or nothing, and lets it be.
/// Such a message may never come, and nothing may count on it. Draws from chance of its own.
fn give_up(seed: u64, sayings: &mut [Saying]) {
    let mut chance = Rng::with_seed(seed.rotate_left(32));
    if chance.u8(0..4) > 0 {
        return;
    }
    for saying in sayings {
        saying.insists = chance.bool();
    }
}

/// Long enough, mostly, that a lease ends meanwhile.
fn pause(chance: &mut Rng) -> i64 {
    match chance.u8(0..8) {
        0..=1 => 5_000,
        2 => 70_000,
        3..=4 => 200_000,
        5 => 1_200_000,
        // What comes after it comes at the end of the window in which Feishu drops a repetition.
        _ => chance.i64(3_400_000..3_650_000),
    }
}

fn room(chance: &mut Rng, index: usize) -> Room {
    let side = if chance.bool() { Side::Feishu } else { Side::DingTalk };
    Room { side, group: chance.u8(0..4) == 0, chat: format!("oc_{index}"), user: format!("ou_{index}") }
}

#[expect(clippy::unwrap_used, reason = "the names are constants, and every run parses them")]
fn turn(room: &Room, number: usize) -> TurnKey {
    let conversation = Conversation {
        platform: PlatformId::parse(room.side.name()).unwrap(),
        bot: BotId::parse("bot").unwrap(),
        chat: ChatId::parse(room.chat.as_str()).unwrap(),
        thread: None,
        user: (!room.group).then(|| UserId::parse(room.user.as_str()).unwrap()),
    };
    TurnKey::new(&conversation, &EventId::parse(event(number)).unwrap())
}

fn say(chance: &mut Rng, rooms: &[Room], room: usize, count: usize) -> Vec<Saying> {
    let pace = chance.u8(0..3);
    let mut at = 0;
    let mut sayings = Vec::new();
    for number in 0..count {
        at += match pace {
            0 => chance.i64(0..3_000),
            1 => chance.i64(1_000..30_000),
            _ => chance.i64(1_000..120_000),
        };
        let words = match chance.u8(0..20) {
            0 => Words::Help,
            1 => Words::New,
            5..=6 => Words::Stop,
            2..=4 => Words::Question(7),
            _ => Words::Question(1),
        };
        let deliveries = deliveries(chance, at);
        let turn = rooms.get(room).map(|place| turn(place, number));
        sayings.extend(turn.map(|turn| Saying {
            room,
            number,
            words,
            said: at,
            deliveries,
            insists: true,
            turn,
        }));
    }
    sayings
}

/// Feishu delivers an unanswered event again after 15 seconds, 5 minutes, an hour and six hours.
fn deliveries(chance: &mut Rng, first: i64) -> Vec<i64> {
    let again = chance.usize(0..3);
    let mut deliveries = vec![first];
    for _ in 0..again {
        let wait = match chance.u8(0..20) {
            0 => 21_600_000,
            1..=3 => chance.i64(3_500_000..3_700_000),
            4..=7 => chance.i64(290_000..310_000),
            _ => chance.i64(0..20_000),
        };
        deliveries.push(first + wait);
    }
    deliveries
}

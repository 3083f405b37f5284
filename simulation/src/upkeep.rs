//! What operators do while people talk: dead letters brought back, keys rotated, another version rolled out.

use fastrand::Rng;

use crate::{Size, Upkeep as Wanted};

/// What the stores hold may be written by any of two neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// Does not write what this version has added.
    Earlier,
    Current,
    /// Writes what this version has never heard of, in the forms that it knows.
    Later,
}

/// How far the rotation of the vault's keys has come where something started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    /// The old key alone.
    Old,
    /// Both; the old one seals.
    Both,
    /// Both; the new one seals.
    New,
}

/// What is installed somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Build {
    pub(crate) version: Version,
    pub(crate) keys: Keys,
}

impl Build {
    pub(crate) const PLAIN: Self = Self { version: Version::Current, keys: Keys::Old };
}

/// An operator who redrives all dead letters, so many times, with so many milliseconds between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Visit {
    pub(crate) times: u32,
    pub(crate) gap: i64,
}

impl Visit {
    /// When all is quiet. Whoever comes again after it comes when every lease is over.
    pub(crate) const ONCE: Self = Self { times: 1, gap: 600_000 };
}

#[derive(Debug, Clone)]
pub(crate) struct Upkeep {
    /// When operators come, in milliseconds after the start.
    pub(crate) visits: Vec<(i64, Visit)>,
    /// Whether a redrive is three operations, as on DynamoDB, or one, as on SQLite.
    pub(crate) in_parts: bool,
    /// Whether an operator comes once all is quiet, after whom nothing may be parked.
    pub(crate) bring_back: bool,
    /// What each worker process runs from when on, and last what receiving functions run.
    builds: Vec<Vec<(i64, Build)>>,
}

impl Upkeep {
    /// Draws from chance of its own, so that a history without it stays what it was.
    pub(crate) fn draw(seed: u64, processes: usize, wanted: Wanted, size: Size) -> Self {
        let mut chance = Rng::with_seed(seed ^ 0x6d61_6770_6965);
        let none = Self {
            visits: Vec::new(),
            in_parts: true,
            bring_back: false,
            builds: vec![vec![(i64::MIN, Build::PLAIN)]; processes + 1],
        };
        if wanted == Wanted::None {
            return none;
        }
        let (redrives, builds) = (chance.bool(), builds(&mut chance, processes + 1));
        if !redrives {
            return Self { builds, ..none };
        }
        let most = if size == Size::Small { 2 } else { 3 };
        let visits = (0..chance.usize(1..=most)).map(|_| visit(&mut chance)).collect();
        Self { visits, in_parts: chance.bool(), bring_back: chance.bool(), builds }
    }

    /// What this process runs at this moment after the start.
    pub(crate) fn build(&self, process: usize, at: i64) -> Build {
        let builds = self.builds.get(process).into_iter().flatten();
        builds.take_while(|(from, _)| *from <= at).last().map_or(Build::PLAIN, |(_, build)| *build)
    }

    /// The same of the receiving functions.
    pub(crate) fn receiving(&self, at: i64) -> Build {
        self.build(self.builds.len() - 1, at)
    }

    /// When which worker process is replaced, in the order of time.
    pub(crate) fn rollouts(&self) -> Vec<(i64, usize)> {
        let workers = self.builds.iter().take(self.builds.len() - 1).enumerate();
        let mut rollouts: Vec<_> = workers
            .flat_map(|(process, builds)| builds.iter().skip(1).map(move |(at, _)| (*at, process)))
            .collect();
        rollouts.sort_unstable();
        rollouts
    }
}

fn visit(chance: &mut Rng) -> (i64, Visit) {
    let at = if chance.u8(0..4) == 0 { chance.i64(0..7_200_000) } else { chance.i64(0..120_000) };
    (at, Visit { times: chance.u32(1..12), gap: [500, 5_000, 60_000][chance.usize(0..3)] })
}

/// Two rollouts, the second of which begins when the first has reached everybody.
fn builds(chance: &mut Rng, places: usize) -> Vec<Vec<(i64, Build)>> {
    let (rotates, mixes) = (chance.bool(), chance.bool());
    let (versions, keys) = (
        if chance.bool() { [Version::Earlier, Version::Current] } else { [Version::Current, Version::Later] },
        [Keys::Old, Keys::Both, Keys::New],
    );
    let (first, lasts) = (chance.i64(0..40_000), chance.i64(1..20_000));
    let second = first + lasts + chance.i64(1..60_000);
    let stages = if rotates || mixes { 3 } else { 1 };
    let mut place = || {
        let starts = [i64::MIN, first + chance.i64(0..lasts), second + chance.i64(0..lasts)];
        let stages = starts.into_iter().zip(keys).take(stages);
        stages
            .map(|(at, keys)| {
                let version = if mixes { versions[chance.usize(0..2)] } else { Version::Current };
                (at, Build { version, keys: if rotates { keys } else { Keys::Old } })
            })
            .collect()
    };
    (0..places).map(|_| place()).collect()
}

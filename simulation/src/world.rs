//! The executor: it polls by hand, in the order of simulated time, and crashes and stops processes between two polls.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use store::Dequeue as _;

use crate::{
    Broken, Crash, Violation,
    engine::{Engine, ready},
    sim::{START, Sim},
    upkeep::Visit,
};

/// How many polls without faults must be enough for everything to end. A turn without faults takes about twenty, and
/// half a day of idle consumers some thousand.
const QUIET_POLLS: u64 = 12_000;

/// How often an operator comes when all is quiet.
const BRINGINGS_BACK: u32 = 4;

/// How long the platform waits before it delivers an event again that was not answered with 200.
const REDELIVERY: i64 = 15_000;

/// One future with the process that it belongs to.
struct Task {
    id: usize,
    role: Role,
    future: Pin<Box<dyn Future<Output = u16> + Send>>,
    wake_at: i64,
    /// Only looks for work, so that the bell wakes it.
    idle: bool,
    /// Stands still until then, whatever rings.
    still_until: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Delivers this saying.
    Delivery(usize),
    /// A consumer of this process.
    Consumer(usize),
    /// An operator at the dead letters.
    Operator(Visit),
}

pub(crate) struct World {
    sim: Arc<Sim>,
    engine: Engine,
    tasks: Vec<Task>,
    next_id: usize,
    /// Tasks of processes that died without running a destructor. They are dropped with the world.
    graves: Vec<Task>,
    /// When which process is replaced, the next one last.
    rollouts: Vec<(i64, usize)>,
    crash: Crash,
    pub(crate) polls: u64,
    /// The polls of tasks that have something to do: deliveries, and consumers that have an item.
    pub(crate) steps: u64,
    pub(crate) crashes: u64,
}

impl World {
    pub(crate) fn new(sim: Arc<Sim>, crash: Crash) -> anyhow::Result<Self> {
        let engine = Engine::new(sim.clone())?;
        let mut world = Self {
            sim,
            engine,
            tasks: Vec::new(),
            next_id: 0,
            graves: Vec::new(),
            rollouts: Vec::new(),
            crash,
            polls: 0,
            steps: 0,
            crashes: 0,
        };
        let (deliveries, processes, visits) = world.sim.with(|state| {
            let sayings = state.plan.sayings.iter().enumerate();
            let deliveries: Vec<_> = sayings
                .flat_map(|(index, saying)| saying.deliveries.iter().map(move |at| (index, *at)))
                .collect();
            world.rollouts = state.plan.upkeep.rollouts();
            world.rollouts.reverse();
            (deliveries, state.plan.processes.len(), state.plan.upkeep.visits.clone())
        });
        for (saying, at) in deliveries {
            world.deliver(saying, START + at);
        }
        for process in 0..processes {
            world.start(process, START)?;
        }
        for (at, visit) in visits {
            world.operate(visit, START + at);
        }
        Ok(world)
    }

    fn spawn(&mut self, role: Role, wake_at: i64, future: Pin<Box<dyn Future<Output = u16> + Send>>) {
        let id = self.next_id;
        self.next_id += 1;
        self.tasks.push(Task { id, role, future, wake_at, idle: false, still_until: 0 });
    }

    fn deliver(&mut self, saying: usize, at: i64) {
        let future = Box::pin(self.engine.deliver(saying, at));
        self.spawn(Role::Delivery(saying), at, future);
    }

    fn operate(&mut self, visit: Visit, at: i64) {
        let future = Box::pin(self.engine.operate(visit));
        self.spawn(Role::Operator(visit), at, future);
    }

    /// Starts a worker process with its consumers.
    fn start(&mut self, process: usize, at: i64) -> anyhow::Result<()> {
        let (consumers, build) = self.sim.with(|state| {
            let consumers = state.plan.processes.get(process).copied().unwrap_or(1);
            (consumers, state.plan.upkeep.build(process, at - START))
        });
        let worker = Arc::new(self.engine.worker(build)?);
        for _ in 0..consumers {
            let future = Box::pin(self.engine.consume(worker.clone()));
            self.spawn(Role::Consumer(process), at, future);
        }
        Ok(())
    }

    /// Runs until everything has ended, or until it should have; then has an operator bring back what is parked, if the
    /// plan has that, and runs once more.
    pub(crate) fn run(&mut self) -> anyhow::Result<()> {
        let (fault_polls, bring_back) =
            self.sim.with(|state| (state.plan.fault_polls, state.plan.upkeep.bring_back));
        let mut quiet = self.settle(fault_polls + QUIET_POLLS)?;
        if quiet && bring_back {
            self.sim.with(|state| state.faulty = false);
            self.rollouts.clear();
            let now = self.sim.with(|state| state.now);
            // What a redrive finds half sent, or a process that had stood still left undone, is parked once more.
            for _ in 0..BRINGINGS_BACK {
                if self.engine.no_letters()? {
                    break;
                }
                self.operate(Visit::ONCE, now);
                quiet &= self.settle(self.polls.max(fault_polls) + QUIET_POLLS)?;
            }
            self.sim.with(|state| state.oracle.all_back = quiet);
        }
        self.sim.with(|state| state.oracle.judge());
        Ok(())
    }

    /// Goes on until everything has ended. Says whether it did within this many polls.
    fn settle(&mut self, most: u64) -> anyhow::Result<bool> {
        let fault_polls = self.sim.with(|state| state.plan.fault_polls);
        while !self.is_over()? {
            if self.polls >= most {
                let stuck = Violation { broken: Broken::Stuck, what: format!("after {} polls", self.polls) };
                self.sim.with(|state| state.oracle.violations.push(stuck));
                return Ok(false);
            }
            if self.polls == fault_polls {
                self.sim.with(|state| state.faulty = false);
            }
            self.roll_out()?;
            let Some(role) = self.step() else { break };
            self.strike(role)?;
            self.polls += 1;
        }
        Ok(true)
    }

    /// Nothing is delivered any more, nothing queued, nobody at work.
    fn is_over(&self) -> anyhow::Result<bool> {
        if self.tasks.iter().any(|task| !matches!(task.role, Role::Consumer(_)) || !task.idle) {
            return Ok(false);
        }
        Ok(ready(self.engine.queue.depth())?? == 0)
    }

    /// Replaces the processes whose time for another build has come.
    fn roll_out(&mut self) -> anyhow::Result<()> {
        let next = self.tasks.iter().map(|task| task.wake_at).min().unwrap_or(i64::MAX);
        while let Some((at, process)) = self.rollouts.pop_if(|(at, _)| START + *at <= next) {
            let now = self.sim.with(|state| {
                state.now = state.now.max(START + at);
                state.now
            });
            let role = Role::Consumer(process);
            self.sim.with(|state| state.tell(|| format!("{role:?} is replaced")));
            // Whether the old process had the time to run its destructors matters to nobody who comes after it.
            self.kill(role, process.is_multiple_of(2));
            self.start(process, now)?;
        }
        Ok(())
    }

    /// Polls the task whose time comes first.
    fn step(&mut self) -> Option<Role> {
        let index = (0..self.tasks.len()).min_by_key(|index| {
            self.tasks.get(*index).map_or((i64::MAX, 0), |task| (task.wake_at, task.id))
        })?;
        let task = self.tasks.get_mut(index)?;
        let (role, id, wake_at) = (task.role, task.id, task.wake_at);
        self.sim.with(|state| {
            state.now = state.now.max(wake_at);
            state.current = id;
            state.note(&[u64::try_from(state.now).unwrap_or(0), id as u64]);
        });
        let polled = task.future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let (now, yielded, bell) = self.sim.with(|state| (state.now, state.take_yield(), state.take_bell()));
        match polled {
            // Without a yield it waits for a lock of its own process: it looks again soon.
            Poll::Pending => (task.wake_at, task.idle) = yielded.unwrap_or((now + 1, false)),
            Poll::Ready(status) => {
                drop(self.tasks.remove(index));
                self.delivered(role, status, now);
            }
        }
        if let Some(due) = bell {
            for task in self.tasks.iter_mut().filter(|task| task.idle) {
                task.wake_at = task.wake_at.min(due.max(now) + 1).max(task.still_until);
            }
        }
        Some(role)
    }

    fn delivered(&mut self, role: Role, status: u16, now: i64) {
        let saying = match role {
            Role::Delivery(saying) => saying,
            // Who could not do everything comes again.
            Role::Operator(visit) if status != 200 => return self.operate(visit, now + REDELIVERY),
            Role::Operator(_) | Role::Consumer(_) => return,
        };
        if status == 200 {
            self.sim.with(|state| {
                if let Some(saying) = state.plan.sayings.get(saying) {
                    state.oracle.acknowledged(&saying.turn);
                }
            });
        } else {
            self.deliver_again(saying, now);
        }
    }

    /// The platform heard nothing, or no 200.
    fn deliver_again(&mut self, saying: usize, now: i64) {
        if self.sim.with(|state| state.plan.sayings.get(saying).is_some_and(|saying| saying.insists)) {
            self.deliver(saying, now + REDELIVERY);
        }
    }

    /// What the plan has for this poll: a crash or a pause of the process that was just polled.
    fn strike(&mut self, role: Role) -> anyhow::Result<()> {
        let polls = self.polls;
        let (busy, mut crash, pause, now) = self.sim.with(|state| {
            let busy = !matches!(role, Role::Consumer(_)) || state.working.contains_key(&state.current);
            let crash = state.plan.crashes.iter().find(|(at, _)| *at == polls).map(|(_, forget)| *forget);
            let pause = state.plan.pauses.iter().find(|(at, _)| *at == polls).map(|(_, millis)| *millis);
            (busy, crash, pause, state.now)
        });
        if busy {
            if let Crash::At { step, forget } = self.crash
                && step == self.steps
            {
                crash = Some(forget);
            }
            self.steps += 1;
        }
        if let Some(forget) = crash {
            self.crash(role, forget, now)?;
        } else if let Some(millis) = pause {
            self.trouble(role);
            self.sim.with(|state| state.tell(|| format!("{role:?} stands still for {millis} ms")));
            for task in self.tasks.iter_mut().filter(|task| task.role == role) {
                task.still_until = now + millis;
                task.wake_at = task.wake_at.max(task.still_until);
            }
        }
        Ok(())
    }

    fn crash(&mut self, role: Role, forget: bool, now: i64) -> anyhow::Result<()> {
        self.crashes += 1;
        self.sim.with(|state| state.tell(|| format!("crash of {role:?}")));
        self.kill(role, forget);
        match role {
            Role::Delivery(saying) => self.deliver_again(saying, now),
            Role::Operator(visit) => self.operate(visit, now + REDELIVERY),
            Role::Consumer(process) => {
                let restart = self.sim.with(|state| state.plan.restart);
                self.start(process, now + restart)?;
            }
        }
        Ok(())
    }

    fn kill(&mut self, role: Role, forget: bool) {
        self.trouble(role);
        let (dead, alive): (Vec<_>, Vec<_>) = self.tasks.drain(..).partition(|task| task.role == role);
        self.tasks = alive;
        self.sim.with(|state| {
            for task in &dead {
                state.working.remove(&task.id);
            }
        });
        if forget {
            self.graves.extend(dead);
        } else {
            drop(dead);
        }
    }

    /// The turns that this process works on may have records behind the facts from now on.
    fn trouble(&self, role: Role) {
        self.sim.with(|state| {
            for task in self.tasks.iter().filter(|task| task.role == role) {
                if let Some(turn) = state.working.get(&task.id) {
                    // A model that was asked before may have answered a process that stood still.
                    state.oracle.troubled(turn);
                    state.oracle.modelless(turn);
                }
            }
        });
    }
}

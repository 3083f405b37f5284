//! What is taken out of the queue, when, and what becomes of it. Time stands still but for what somebody waits for.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
};

use chat::{BotId, ChatId, Conversation, EventId, PlatformId, TurnKey};
use store::{DeadLetters as _, Enqueue as _, MemoryStore, QueueItem, Receipt, Received};
use tokio::{sync::Semaphore, task::JoinHandle};

use super::*;

/// A clock that tests set.
#[derive(Default)]
struct Wall(AtomicI64);

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_790_000_000_000 + self.0.load(Ordering::SeqCst))
    }
}

/// The queue, which counts and fails.
#[derive(Default)]
struct Queue {
    memory: MemoryStore,
    receives: AtomicUsize,
    fails: AtomicBool,
}

impl Queue {
    fn check(&self) -> Result<(), StoreError> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("on purpose".to_owned()));
        }
        Ok(())
    }
}

#[async_trait]
impl Dequeue for Queue {
    async fn receive(
        &self,
        now: Timestamp,
        visibility: Duration,
        max: usize,
    ) -> Result<Received, StoreError> {
        self.receives.fetch_add(1, Ordering::SeqCst);
        self.check()?;
        self.memory.receive(now, visibility, max).await
    }

    async fn done(&self, receipt: &Receipt) -> Result<bool, StoreError> {
        self.check()?;
        self.memory.done(receipt).await
    }

    async fn again(&self, receipt: &Receipt, due: Timestamp) -> Result<(), StoreError> {
        self.check()?;
        self.memory.again(receipt, due).await
    }

    async fn bury(&self, receipt: &Receipt, now: Timestamp) -> Result<bool, StoreError> {
        self.check()?;
        self.memory.bury(receipt, now).await
    }

    async fn depth(&self) -> Result<u64, StoreError> {
        self.memory.depth().await
    }
}

/// Answers by the script: what each message's tries come to, in their order; the last one again and again.
struct Scripted {
    script: BTreeMap<&'static str, Vec<Try>>,
    tries: Mutex<Vec<(String, Instant)>>,
    given_up: Mutex<Vec<String>>,
    /// Each answer takes one of these.
    answers: Semaphore,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
}

#[derive(Clone, Copy)]
enum Try {
    Done,
    Again(Duration),
    Panic,
}

#[async_trait]
impl Turns for Scripted {
    async fn answer(&self, body: &str, _: Duration) -> Handled {
        let number = {
            let mut tries = self.tries.lock().unwrap();
            tries.push((body.to_owned(), Instant::now()));
            tries.iter().filter(|(tried, _)| tried == body).count() - 1
        };
        let now = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_in_flight.fetch_max(now, Ordering::SeqCst);
        self.answers.acquire().await.unwrap().forget();
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
        let script = self.script.get(body).map_or(&[Try::Done][..], Vec::as_slice);
        match script.get(number).or(script.last()).copied().unwrap_or(Try::Done) {
            Try::Done => Handled::Done,
            Try::Again(after) => Handled::Again { after },
            Try::Panic => panic!("on purpose"),
        }
    }

    async fn give_up(&self, body: &str, _: Duration) -> GivenUp {
        self.given_up.lock().unwrap().push(body.to_owned());
        match body {
            "over" => GivenUp::Over,
            "worse" => panic!("on purpose"),
            _ => GivenUp::DeadLetter,
        }
    }
}

/// A dispatcher at work.
struct Fixture {
    queue: Arc<Queue>,
    turns: Arc<Scripted>,
    enqueued: Arc<Notify>,
    wall: Arc<Wall>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    began: Instant,
}

impl Fixture {
    /// Answers `answers` turns, and as many more as are let go later.
    fn new(max: usize, answers: usize, script: &[(&'static str, &[Try])]) -> Self {
        let turns = Scripted {
            script: script.iter().map(|(body, tries)| (*body, tries.to_vec())).collect(),
            tries: Mutex::default(),
            given_up: Mutex::default(),
            answers: Semaphore::new(answers),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
        };
        let (queue, turns, wall) = (Arc::<Queue>::default(), Arc::new(turns), Arc::<Wall>::default());
        let (stop, stopping) = watch::channel(false);
        let enqueued = Arc::new(Notify::new());
        let dispatcher = Dispatcher {
            queue: queue.clone(),
            enqueued: enqueued.clone(),
            turns: turns.clone(),
            clock: wall.clone(),
            budget: Duration::from_secs(150),
            max_turns_in_flight: max,
        };
        let task = tokio::spawn(dispatcher.run(stopping));
        Self { queue, turns, enqueued, wall, stop, task, began: Instant::now() }
    }

    async fn put(&self, chat: &str, body: &str) {
        self.put_quietly(chat, body).await;
        self.enqueued.notify_one();
    }

    /// As another process does.
    async fn put_quietly(&self, chat: &str, body: &str) {
        let conversation = Conversation {
            platform: PlatformId::parse("feishu").unwrap(),
            bot: BotId::parse("b").unwrap(),
            chat: ChatId::parse(chat).unwrap(),
            thread: None,
            user: None,
        };
        let dedup = TurnKey::new(&conversation, &EventId::parse(body).unwrap());
        let item = QueueItem { group: conversation.key(), dedup, body: body.to_owned() };
        self.queue.memory.enqueue(item, self.wall.now()).await.unwrap();
    }

    /// Until nothing happens for so long.
    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Which messages were tried, and how many milliseconds after the start.
    fn tries(&self) -> Vec<(String, u128)> {
        let tries = self.turns.tries.lock().unwrap();
        tries.iter().map(|(body, at)| (body.clone(), (*at - self.began).as_millis())).collect()
    }

    fn bodies(&self) -> Vec<String> {
        self.tries().into_iter().map(|(body, _)| body).collect()
    }

    fn receives(&self) -> usize {
        self.queue.receives.load(Ordering::SeqCst)
    }

    async fn depth(&self) -> u64 {
        self.queue.depth().await.unwrap()
    }

    async fn letters(&self) -> usize {
        self.queue.memory.list(99).await.unwrap().len()
    }
}

const MOMENT: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_thousand_turns_that_end_at_once_wake_nobody() {
    let fixture = Fixture::new(1_000, 0, &[]);
    for number in 0..1_000 {
        fixture.put(&format!("chat {number}"), &format!("message {number}")).await;
    }
    fixture.pass(MOMENT).await;
    assert_eq!(fixture.turns.in_flight.load(Ordering::SeqCst), 1_000);
    let before = fixture.receives();
    assert!(before <= 1_000 / RECEIVE_MAX + 3, "{before} looks to take 1,000 items out");
    fixture.turns.answers.add_permits(1_000);
    fixture.pass(MOMENT).await;
    assert_eq!(fixture.depth().await, 0);
    assert!(fixture.receives() <= before + 3, "nothing waits behind a turn, so its end is no reason to look");
}

#[tokio::test(start_paused = true)]
async fn no_more_turns_run_than_the_limit_and_the_oldest_go_first() {
    let fixture = Fixture::new(3, 0, &[]);
    for number in 0..9 {
        fixture.put(&format!("chat {number}"), &number.to_string()).await;
    }
    for expected in [3, 4, 6, 9] {
        fixture.pass(MOMENT).await;
        assert_eq!(fixture.bodies(), (0..expected).map(|number| number.to_string()).collect::<Vec<_>>());
        fixture.turns.answers.add_permits(match expected {
            3 => 1,
            4 => 2,
            _ => 3,
        });
    }
    fixture.pass(MOMENT).await;
    assert_eq!(fixture.turns.most_in_flight.load(Ordering::SeqCst), 3);
    assert_eq!(fixture.depth().await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_conversation_has_one_turn_at_a_time_and_the_next_follows_at_once() {
    let fixture = Fixture::new(10, 0, &[]);
    for body in ["a1", "a2", "a3"] {
        fixture.put("a", body).await;
    }
    fixture.put("b", "b1").await;
    fixture.pass(MOMENT).await;
    assert_eq!(fixture.bodies(), ["a1", "b1"]);
    fixture.turns.answers.add_permits(4);
    fixture.pass(MOMENT).await;
    assert_eq!(fixture.bodies(), ["a1", "b1", "a2", "a3"]);
    assert_eq!(fixture.depth().await, 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_put_off_comes_back_to_the_millisecond_also_when_the_clock_is_set_back() {
    let script: &[(&str, &[Try])] = &[
        ("late", &[Try::Again(Duration::from_millis(90_123)), Try::Done]),
        ("soon", &[Try::Again(Duration::from_millis(7)), Try::Done]),
    ];
    let fixture = Fixture::new(10, 10, script);
    fixture.put("a", "late").await;
    fixture.put("b", "soon").await;
    fixture.pass(MOMENT).await;
    fixture.wall.0.store(-3_600_000, Ordering::SeqCst);
    fixture.pass(100 * SECOND).await;
    let expected = [("late", 0), ("soon", 0), ("soon", 7), ("late", 90_123)];
    assert_eq!(fixture.tries(), expected.map(|(body, at)| (body.to_owned(), at)));
    assert_eq!(fixture.depth().await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_panic_costs_one_try_and_the_last_one_gives_the_message_up() {
    let fixture = Fixture::new(
        10,
        100,
        &[
            ("once", &[Try::Panic, Try::Done]),
            ("ever", &[Try::Panic]),
            ("over", &[Try::Panic]),
            ("worse", &[Try::Panic]),
        ],
    );
    for body in ["once", "ever", "over", "worse"] {
        fixture.put(body, body).await;
    }
    fixture.put("ever", "next").await;
    fixture.pass(60 * SECOND).await;
    let count = |body: &str| fixture.bodies().iter().filter(|tried| *tried == body).count();
    assert_eq!(["once", "ever", "over", "worse", "next"].map(count), [2, 5, 5, 5, 1]);
    let mut given_up = fixture.turns.given_up.lock().unwrap().clone();
    given_up.sort();
    assert_eq!(given_up, ["ever", "over", "worse"]);
    assert_eq!((fixture.depth().await, fixture.letters().await), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_asked_less_and_less_and_its_turns_are_not_lost() {
    let fixture = Fixture::new(10, 0, &[]);
    fixture.put("a", "1").await;
    fixture.pass(MOMENT).await;
    fixture.queue.fails.store(true, Ordering::SeqCst);
    fixture.put("b", "2").await;
    fixture.turns.answers.add_permits(9);
    let before = fixture.receives();
    for _ in 0..1_000 {
        // Nothing of this may make it spin.
        fixture.enqueued.notify_one();
        fixture.pass(MOMENT).await;
    }
    let looks = fixture.receives() - before;
    assert!((2..=5).contains(&looks), "{looks} looks within a second");
    fixture.queue.fails.store(false, Ordering::SeqCst);
    fixture.pass(5 * SECOND).await;
    assert_eq!(fixture.bodies(), ["1", "2"], "the end of the first was told in the end");
    assert_eq!(fixture.depth().await, 0);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_announces_is_found_soon() {
    let fixture = Fixture::new(10, 10, &[]);
    fixture.pass(10 * SECOND).await;
    let idle = fixture.receives();
    assert!(idle <= 6, "{idle} looks within ten seconds of nothing");
    fixture.put_quietly("a", "1").await;
    fixture.pass(LOOK_AGAIN).await;
    assert_eq!(fixture.bodies(), ["1"]);
}

#[tokio::test(start_paused = true)]
async fn an_orderly_stop_finishes_what_is_in_flight_and_begins_nothing() {
    let fixture = Fixture::new(1, 0, &[]);
    fixture.put("a", "1").await;
    fixture.put("b", "2").await;
    fixture.pass(MOMENT).await;
    fixture.stop.send_replace(true);
    fixture.pass(SECOND).await;
    assert!(!fixture.task.is_finished(), "a turn is in flight");
    fixture.turns.answers.add_permits(9);
    fixture.pass(MOMENT).await;
    assert!(fixture.task.is_finished());
    assert_eq!(fixture.bodies(), ["1"]);
    assert_eq!(fixture.depth().await, 1, "the other is there at the next start");
}

//! Groups, seen from the callers: who hears what, and what is in the file then.

use std::{
    future::Future,
    path::Path,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll, Waker},
};

use rusqlite::{Connection, params};
use store::StoreError;

use crate::{
    backlog::Lane,
    database::{Database, Failure, prepare},
};

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A database in a file, with a table for numbers and blobs.
struct Fixture {
    database: Database,
    folder: tempfile::TempDir,
    commits: Arc<AtomicUsize>,
}

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("magpie.db");
        let mut connection = prepare(Connection::open(&path)).unwrap();
        let commits = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&commits);
        let hook = move || count.fetch_add(1, Ordering::SeqCst) == usize::MAX;
        connection.commit_hook(Some(hook)).unwrap();
        connection.busy_handler(Some(give_up)).unwrap();
        let database = Database::start(connection, Some(&path)).unwrap();
        let table = "CREATE TABLE t (n INTEGER PRIMARY KEY, b BLOB)";
        database.run(move |connection| Ok(connection.execute_batch(table)?)).await.unwrap();
        Self { database, folder, commits }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("magpie.db")
    }

    /// What another process sees.
    fn numbers(&self) -> Vec<i64> {
        numbers(&self.path())
    }

    /// Hands a job over without waiting for its answer.
    fn submit<T: Send + 'static>(
        &self,
        lane: Lane,
        work: impl FnMut(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Answer<'_, T> {
        let mut answer: Answer<'_, T> = Box::pin(self.database.run_then(lane, work, |_| ()));
        assert!(is_pending(&mut answer), "no job was handed over");
        answer
    }

    /// Stops the writer inside a job, until the sender is used or dropped.
    fn stop(&self) -> (Answer<'_, ()>, mpsc::Sender<()>) {
        let (started, starts) = mpsc::channel();
        let (resume, resumed) = mpsc::channel();
        let answer = self.submit(Lane::Ordinary, move |_| {
            started.send(()).unwrap();
            let _ = resumed.recv();
            Ok(())
        });
        starts.recv().unwrap();
        (answer, resume)
    }
}

/// How often a writer found its file locked. Of all tests one alone locks a file.
static LOCKED: AtomicUsize = AtomicUsize::new(0);

fn give_up(_tries: i32) -> bool {
    let _ = LOCKED.fetch_add(1, Ordering::SeqCst);
    false
}

fn numbers(path: &Path) -> Vec<i64> {
    let connection = Connection::open(path).unwrap();
    let mut select = connection.prepare("SELECT n FROM t ORDER BY n").unwrap();
    let rows = select.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

fn is_pending<T>(future: &mut (impl Future<Output = T> + Unpin)) -> bool {
    matches!(Pin::new(future).poll(&mut Context::from_waker(Waker::noop())), Poll::Pending)
}

fn insert(n: i64) -> impl FnMut(&Connection) -> Result<i64, Failure> + Send + 'static {
    move |connection| {
        connection.execute("INSERT INTO t (n) VALUES (?1)", [n])?;
        Ok(n)
    }
}

fn insert_blob(n: i64, bytes: i64) -> impl FnMut(&Connection) -> Result<(), Failure> + Send + 'static {
    move |connection| {
        connection.execute("INSERT INTO t (n, b) VALUES (?1, zeroblob(?2))", params![n, bytes])?;
        Ok(())
    }
}

fn is_unavailable<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Unavailable(_)))
}

#[tokio::test]
async fn a_job_that_fails_takes_back_its_own_writes_only_and_all_share_one_commit() {
    let fixture = Fixture::new().await;
    let (stopped, resume) = fixture.stop();
    let before = fixture.commits.load(Ordering::SeqCst);
    let first = fixture.submit(Lane::Ordinary, insert(1));
    let mut two = insert(2);
    let fence_lost = fixture.submit(Lane::Ordinary, move |connection| {
        two(connection)?;
        Err::<(), _>(StoreError::FenceLost.into())
    });
    let mut three = insert(3);
    let wrong = fixture.submit(Lane::Ordinary, move |connection| {
        three(connection)?;
        Ok(connection.execute("INSERT INTO t (n) VALUES (1)", [])?)
    });
    let mut four = insert(4);
    let panics = fixture.submit(Lane::Ordinary, move |connection| {
        four(connection)?;
        let n: i64 = connection.query_row("SELECT n FROM t WHERE n = 4", [], |row| row.get(0))?;
        assert_eq!(n, 5, "this job panics");
        Ok(())
    });
    let last = fixture.submit(Lane::Ordinary, insert(5));
    resume.send(()).unwrap();

    assert_eq!(stopped.await, Ok(()));
    assert_eq!(first.await, Ok(1));
    assert_eq!(fence_lost.await, Err(StoreError::FenceLost));
    assert!(is_unavailable(&wrong.await));
    assert!(is_unavailable(&panics.await));
    assert_eq!(last.await, Ok(5));
    assert_eq!(fixture.numbers(), [1, 5]);
    let commits = fixture.commits.load(Ordering::SeqCst) - before;
    assert_eq!(commits, 2, "one for the job that stopped the writer, one for the rest");
}

#[tokio::test]
async fn nothing_is_told_before_the_commit() {
    let fixture = Fixture::new().await;
    let announced = Arc::new(AtomicUsize::new(0));
    let (stopped, resume) = fixture.stop();
    let tell = Arc::clone(&announced);
    let announce = move |_: &i64| {
        let _ = tell.fetch_add(1, Ordering::SeqCst);
    };
    let mut acknowledged = pin!(fixture.database.run_then(Lane::Acknowledgement, insert(1), announce));
    assert!(is_pending(&mut acknowledged));
    // Of the same group, and after it: when this one runs, the other has.
    let (started, starts) = mpsc::channel();
    let (finish, finished) = mpsc::channel::<()>();
    let neighbour = fixture.submit(Lane::Ordinary, move |_| {
        started.send(()).unwrap();
        let _ = finished.recv();
        Ok(())
    });
    resume.send(()).unwrap();
    starts.recv().unwrap();

    assert_eq!(stopped.await, Ok(()), "the group before is committed");
    assert!(is_pending(&mut acknowledged), "its job ran, and is not committed");
    assert_eq!(announced.load(Ordering::SeqCst), 0);
    assert!(fixture.numbers().is_empty());
    drop(finish);
    assert_eq!(acknowledged.await, Ok(1));
    assert_eq!(neighbour.await, Ok(()));
    assert_eq!(announced.load(Ordering::SeqCst), 1);
    assert_eq!(fixture.numbers(), [1]);
}

#[tokio::test]
async fn a_commit_that_fails_is_every_job_s_failure() {
    let fixture = Fixture::new().await;
    let tables = "CREATE TABLE parent (id INTEGER PRIMARY KEY);
                  CREATE TABLE child (id REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)";
    fixture.database.run(move |connection| Ok(connection.execute_batch(tables)?)).await.unwrap();
    let (stopped, resume) = fixture.stop();
    let acknowledged = fixture.submit(Lane::Acknowledgement, insert(1));
    let orphan = fixture
        .submit(Lane::Ordinary, |connection| Ok(connection.execute("INSERT INTO child VALUES (7)", [])?));
    let fence_lost = fixture.submit(Lane::Ordinary, |_| Err::<(), _>(Failure::from(StoreError::FenceLost)));
    drop(resume);

    assert_eq!(stopped.await, Ok(()));
    assert!(is_unavailable(&acknowledged.await));
    assert!(is_unavailable(&orphan.await));
    assert!(is_unavailable(&fence_lost.await), "what it saw may have been a neighbour's");
    assert!(fixture.numbers().is_empty());
    assert_eq!(fixture.database.run(insert(2)).await, Ok(2), "the next transaction can begin");
    assert_eq!(fixture.numbers(), [2]);
}

#[tokio::test]
async fn a_full_disk_fails_the_job_that_needs_the_room_and_its_neighbours_go_again() {
    let fixture = Fixture::new().await;
    let limit = "PRAGMA max_page_count = 100";
    let limit = fixture
        .database
        .run(move |connection| Ok(connection.query_row(limit, [], |row| row.get::<_, i64>(0))?));
    assert_eq!(limit.await, Ok(100));
    let (stopped, resume) = fixture.stop();
    let announced = Arc::new(AtomicUsize::new(0));
    let tell = Arc::clone(&announced);
    let announce = move |_: &i64| {
        let _ = tell.fetch_add(1, Ordering::SeqCst);
    };
    let mut before = pin!(fixture.database.run_then(Lane::Acknowledgement, insert(1), announce));
    assert!(is_pending(&mut before));
    let large = fixture.submit(Lane::Ordinary, insert_blob(2, 1 << 20));
    let mut three = insert_blob(3, 1 << 20);
    let unnoticed = fixture.submit(Lane::Ordinary, move |connection| {
        drop(three(connection));
        Ok(())
    });
    let after = fixture.submit(Lane::Ordinary, insert(4));
    drop(resume);

    assert_eq!(stopped.await, Ok(()));
    assert_eq!(before.await, Ok(1));
    assert!(is_unavailable(&large.await));
    assert!(is_unavailable(&unnoticed.await), "its work was rolled back, whatever it believes");
    assert_eq!(after.await, Ok(4));
    assert_eq!(fixture.numbers(), [1, 4]);
    assert_eq!(announced.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn acknowledgements_go_first_and_leave_room_for_turns() {
    let fixture = Fixture::new().await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let (stopped, resume) = fixture.stop();
    let note = |lane| {
        let order = Arc::clone(&order);
        move |_: &Connection| {
            order.lock().unwrap().push(lane);
            Ok(())
        }
    };
    let ordinary: Vec<_> = (0..300).map(|_| fixture.submit(Lane::Ordinary, note(Lane::Ordinary))).collect();
    let acknowledgements: Vec<_> =
        (0..300).map(|_| fixture.submit(Lane::Acknowledgement, note(Lane::Acknowledgement))).collect();
    drop(resume);
    assert_eq!(stopped.await, Ok(()));
    for answer in ordinary.into_iter().chain(acknowledgements) {
        assert_eq!(answer.await, Ok(()));
    }
    let order = order.lock().unwrap();
    let position = |wanted, number| {
        let mut places =
            order.iter().enumerate().filter(|(_, lane)| **lane == wanted).map(|(place, _)| place);
        places.nth(number).unwrap()
    };
    assert_eq!(order.len(), 600);
    assert_eq!(position(Lane::Acknowledgement, 0), 0, "though the others came before");
    assert!(position(Lane::Ordinary, 0) < position(Lane::Acknowledgement, 299), "turns go on under a flood");
    assert!(position(Lane::Acknowledgement, 299) < position(Lane::Ordinary, 299));
}

#[tokio::test]
async fn a_full_lane_refuses_at_once_and_the_other_does_not() {
    let fixture = Fixture::new().await;
    let (stopped, resume) = fixture.stop();
    let waiting: Vec<_> = (0..4_096).map(|_| fixture.submit(Lane::Acknowledgement, |_| Ok(()))).collect();
    let refused = fixture.database.run_then(Lane::Acknowledgement, |_| Ok(()), |()| ()).await;
    assert!(is_unavailable(&refused), "while the writer stands still");
    let other = fixture.submit(Lane::Ordinary, |_| Ok(()));
    drop(resume);
    assert_eq!(stopped.await, Ok(()));
    for answer in waiting {
        assert_eq!(answer.await, Ok(()));
    }
    assert_eq!(other.await, Ok(()));
}

#[tokio::test]
async fn readers_see_what_their_caller_wrote_and_wait_for_no_writer() {
    let fixture = Fixture::new().await;
    let count = |connection: &Connection| {
        Ok(connection.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0))?)
    };
    for n in 1..=100 {
        fixture.database.run(insert(n)).await.unwrap();
        assert_eq!(fixture.database.read(count).await, Ok(n));
    }
    let (stopped, resume) = fixture.stop();
    let waiting = fixture.submit(Lane::Ordinary, insert(101));
    assert_eq!(fixture.database.read(count).await, Ok(100));
    drop(resume);
    assert_eq!((stopped.await, waiting.await), (Ok(()), Ok(101)));
    let write = |connection: &Connection| Ok(connection.execute("DELETE FROM t", [])?);
    assert!(is_unavailable(&fixture.database.read(write).await), "a reader cannot write");
    assert_eq!(fixture.database.read(count).await, Ok(101));
}

#[tokio::test]
async fn a_read_that_panics_is_its_own_failure() {
    let fixture = Fixture::new().await;
    for _ in 0..8 {
        let panics = fixture.database.read(|connection| {
            let one: i64 = connection.query_row("SELECT 1", [], |row| row.get(0))?;
            assert_eq!(one, 2, "this read panics");
            Ok(())
        });
        assert!(is_unavailable(&panics.await));
    }
    assert_eq!(fixture.database.read(|_| Ok(7)).await, Ok(7));
}

#[tokio::test]
async fn in_memory_the_writer_reads() {
    let database = Database::open_in_memory().unwrap();
    database
        .run(|connection| Ok(connection.execute_batch("CREATE TABLE t (n); INSERT INTO t VALUES (1)")?))
        .await
        .unwrap();
    let count = database.read(|connection| {
        Ok(connection.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0))?)
    });
    assert_eq!(count.await, Ok(1));
}

#[tokio::test]
async fn a_locked_file_is_tried_once_for_all_acknowledgements_that_wait() {
    let fixture = Fixture::new().await;
    let (started, starts) = mpsc::channel();
    let (resume, resumed) = mpsc::channel::<()>();
    // Stops the writer between two transactions.
    let stop = move |(): &()| {
        started.send(()).unwrap();
        let _ = resumed.recv();
    };
    let mut stopped = pin!(fixture.database.run_then(Lane::Ordinary, |_| Ok(()), stop));
    assert!(is_pending(&mut stopped));
    starts.recv().unwrap();
    let other = Connection::open(fixture.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let waiting: Vec<_> = (0..300).map(|n| fixture.submit(Lane::Acknowledgement, insert(n))).collect();
    drop(resume);

    assert_eq!(stopped.await, Ok(()));
    for answer in waiting {
        assert!(is_unavailable(&answer.await));
    }
    assert_eq!(LOCKED.load(Ordering::SeqCst), 1, "a second try would make them wait twice as long");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(fixture.database.run(insert(1)).await, Ok(1));
    assert_eq!(fixture.numbers(), [1]);
}

#[tokio::test]
async fn what_was_handed_over_is_done_though_nobody_waits_and_the_store_is_dropped() {
    let fixture = Fixture::new().await;
    let (stopped, resume) = fixture.stop();
    drop(fixture.submit(Lane::Ordinary, insert(1)));
    drop(stopped);
    drop(resume);
    let Fixture { database, folder, .. } = fixture;
    drop(database);
    assert_eq!(numbers(&folder.path().join("magpie.db")), [1]);
}

#[tokio::test]
async fn the_log_begins_anew_and_does_not_grow_with_all_that_is_written() {
    let fixture = Fixture::new().await;
    for n in 0..40 {
        fixture.database.run(insert_blob(n, 400 << 10)).await.unwrap();
    }
    let log = std::fs::metadata(fixture.folder.path().join("magpie.db-wal")).unwrap().len();
    assert!(log < 8 << 20, "{log} bytes of log for 16 MB");
    assert_eq!(fixture.numbers().len(), 40);
}

//! `magpie dead-letters`: what ended without an answer, and how to bring it back.
//!
//! Works beside a running server: a redrive is one transaction in its database, and the server finds the message when
//! it next looks. With the cargo feature `aws` and `MAGPIE_TABLE` in the environment it works on a deployment instead.
//! What people wrote is sealed and never shown.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, bail};
use chat::{Clock as _, Timestamp, TurnKey};
use clap::Subcommand;
use host::SystemClock;
use settings::{Environment as _, ProcessEnvironment};
use store::{DeadLetter, DeadLetters, ParkReason, Redriven, StoreError};
use store_sqlite::SqliteStore;

use crate::{configuration, data, dot_env::DotEnv, table::table};

/// How much of a cause stands in a list, in characters. `show` has all of it.
const CAUSE_IN_LIST: usize = 80;

/// How many characters of a key name a dead letter in a list: enough for ten thousand of them to differ.
const SHORT: usize = 12;

/// Names the table of a deployment; `infra/template.yaml` sets it for the functions.
const TABLE: &str = "MAGPIE_TABLE";

/// What `magpie dead-letters` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct DeadLettersArgs {
    #[command(subcommand)]
    action: Action,
    /// The configuration, found like that of `serve`
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the latest, newest first
    List {
        /// How many
        #[arg(long, value_name = "NUMBER", default_value_t = 50)]
        limit: usize,
    },
    /// Show what is known of one; never what was said
    Show {
        /// Its turn's key, or the beginning of it
        id: String,
    },
    /// Bring one back, or all: the message is queued again with all tries before it
    Redrive(Which),
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// Its turn's key, or the beginning of it
    id: Option<String>,
    /// All of them, oldest first
    #[arg(long)]
    all: bool,
}

/// Does what was asked and says what came of it.
#[expect(clippy::print_stdout, reason = "a person at a terminal reads the outcome")]
pub(crate) async fn dead_letters(args: DeadLettersArgs, dot_env: DotEnv) -> anyhow::Result<()> {
    let desk = Desk { letters: open(args.config.as_deref(), dot_env)? };
    let said = match args.action {
        Action::List { limit } => desk.list(limit).await?,
        Action::Show { id } => show(&desk.find(&id).await?),
        Action::Redrive(Which { id: Some(id), .. }) => desk.redrive(vec![desk.find(&id).await?]).await?,
        Action::Redrive(Which { id: None, .. }) => desk.redrive(desk.letters.list(usize::MAX).await?).await?,
    };
    println!("{said}");
    Ok(())
}

/// The dead letters of the deployment that the environment names, else of the configured data folder.
fn open(config: Option<&Path>, dot_env: DotEnv) -> anyhow::Result<Arc<dyn DeadLetters>> {
    if ProcessEnvironment.get(TABLE).is_some_and(|table| !table.is_empty()) {
        return deployed();
    }
    let settings = configuration::load(config, dot_env)?;
    let path = data::database_in(&settings.standalone.data);
    if !path.exists() {
        bail!(
            "there is no database at {}: start `magpie serve` once, or name its configuration with --config",
            path.display()
        );
    }
    let store = SqliteStore::open(&path).with_context(|| format!("{} cannot be opened", path.display()))?;
    Ok(Arc::new(store))
}

#[cfg(feature = "aws")]
fn deployed() -> anyhow::Result<Arc<dyn DeadLetters>> {
    lambda::operator::dead_letters()
}

#[cfg(not(feature = "aws"))]
fn deployed() -> anyhow::Result<Arc<dyn DeadLetters>> {
    bail!(
        "{TABLE} names the table of a deployment, and this magpie was built without AWS: \
         build it with `--features aws`, or take {TABLE} out of the environment for the local data folder"
    )
}

/// Where an operator works on dead letters.
struct Desk {
    letters: Arc<dyn DeadLetters>,
}

impl Desk {
    async fn list(&self, limit: usize) -> Result<String, StoreError> {
        let letters = self.letters.list(limit).await?;
        if letters.is_empty() {
            return Ok("no dead letters".to_owned());
        }
        let mut rows =
            vec![["ID", "SINCE", "REASON", "TRIES", "CONVERSATION", "CAUSE"].map(str::to_owned).to_vec()];
        rows.extend(letters.iter().map(|letter| {
            vec![
                short(letter.turn.as_str()),
                moment(letter.at),
                name(letter.reason).to_owned(),
                letter.tries.to_string(),
                short(letter.conversation.as_str()),
                letter.cause.as_deref().map_or_else(String::new, in_list),
            ]
        }));
        Ok(table(&rows))
    }

    /// The one dead letter whose key begins so.
    async fn find(&self, id: &str) -> anyhow::Result<DeadLetter> {
        let mut found = self.letters.list(usize::MAX).await?;
        found.retain(|letter| letter.turn.as_str().starts_with(id));
        match (found.pop(), found.len()) {
            (Some(letter), 0) => Ok(letter),
            (Some(_), others) => {
                bail!("{} dead letters begin with `{id}`: give more of the key", others + 1)
            }
            (None, _) => {
                bail!("no dead letter begins with `{id}`: `magpie dead-letters list` names all")
            }
        }
    }

    /// Oldest first, so that a conversation's messages come back in their order.
    async fn redrive(&self, mut letters: Vec<DeadLetter>) -> Result<String, StoreError> {
        letters.reverse();
        let mut rows = Vec::new();
        for DeadLetter { turn, .. } in letters {
            let outcome = self.redrive_one(&turn).await?;
            rows.push(vec![short(turn.as_str()), outcome]);
        }
        Ok(if rows.is_empty() { "no dead letters".to_owned() } else { table(&rows) })
    }

    async fn redrive_one(&self, turn: &TurnKey) -> Result<String, StoreError> {
        let redriven = self.letters.redrive(turn, SystemClock.now()).await?;
        Ok(match redriven {
            Redriven::Reopened => "in the queue; the turn is open again".to_owned(),
            Redriven::Requeued => {
                "in the queue; its turn was not parked, and goes on only if it was never answered".to_owned()
            }
            Redriven::Held { until } => {
                format!(
                    "left: a worker has the turn still; redrive it again once it is over, or after {}",
                    moment(until)
                )
            }
            Redriven::NotFound => "gone: somebody else brought it back".to_owned(),
        })
    }
}

fn show(letter: &DeadLetter) -> String {
    table(&[
        vec!["turn".to_owned(), letter.turn.as_str().to_owned()],
        vec!["conversation".to_owned(), letter.conversation.as_str().to_owned()],
        vec!["since".to_owned(), moment(letter.at)],
        vec!["tries".to_owned(), letter.tries.to_string()],
        vec!["reason".to_owned(), name(letter.reason).to_owned()],
        vec!["cause".to_owned(), letter.cause.clone().unwrap_or_else(|| "not known".to_owned())],
        vec!["redrive".to_owned(), meaning(letter.reason).to_owned()],
    ])
}

fn in_list(cause: &str) -> String {
    match cause.char_indices().nth(CAUSE_IN_LIST) {
        Some((end, _)) => format!("{}…", &cause[..end]),
        None => cause.to_owned(),
    }
}

/// The reason's name, as logs write it.
fn name(reason: Option<ParkReason>) -> &'static str {
    reason.map_or("unknown", ParkReason::as_str)
}

/// What a redrive does.
const fn meaning(reason: Option<ParkReason>) -> &'static str {
    match reason {
        Some(ParkReason::NoAnswer) => {
            "asks the models again; the person has an apology and gets the answer after it"
        }
        Some(ParkReason::SendRefused) => "sends the answer that is kept, without asking again",
        Some(ParkReason::SendUncertain) => {
            "sends the answer that is kept once more; if the platform took it the first time, it may show twice"
        }
        Some(ParkReason::TriesExhausted) => {
            "sends the answer that is kept, or asks the models where there is only an apology; \
             a part that the platform may have taken in the last try may show twice"
        }
        None => "tries the message as if it had just come in",
    }
}

fn short(key: &str) -> String {
    key.chars().take(SHORT).collect()
}

/// To the second, in UTC.
fn moment(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis())
        .map_or_else(|_| at.as_millis().to_string(), |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use store::{ClaimRequest, MemoryStore, Park as _, ParkedTurn, Turns as _, words};

    use super::*;

    async fn desk(turns: &[&str]) -> Desk {
        let store = MemoryStore::default();
        for (number, turn) in (0..).zip(turns) {
            let parked = ParkedTurn {
                turn: words::turn_key(&format!("{turn:0<64}")).unwrap(),
                conversation: words::conversation_key(&"c".repeat(64)).unwrap(),
                reason: ParkReason::NoAnswer,
                cause: Some("office: server, status 503: no\u{1b}[2J slot".to_owned()),
                body: "canary".to_owned(),
                tries: 2,
                at: Timestamp::from_millis(1_790_000_000_000 + number * 1_000),
            };
            store.park(parked).await.unwrap();
        }
        Desk { letters: Arc::new(store) }
    }

    #[tokio::test]
    async fn a_list_is_aligned_newest_first_and_shows_nobodys_words() {
        let said = desk(&["ab1", "cd2"]).await.list(50).await.unwrap();
        let expected = "\
ID            SINCE                 REASON     TRIES  CONVERSATION  CAUSE
cd2000000000  2026-09-21 14:13:21Z  no_answer  2      cccccccccccc  office: server, status 503: no\\u{1b}[2J slot
ab1000000000  2026-09-21 14:13:20Z  no_answer  2      cccccccccccc  office: server, status 503: no\\u{1b}[2J slot";
        assert_eq!(said, expected);
        assert_eq!(desk(&[]).await.list(50).await.unwrap(), "no dead letters");
    }

    #[tokio::test]
    async fn a_letter_is_found_by_the_beginning_of_its_key() {
        let desk = desk(&["ab1", "ab2", "cd3"]).await;
        let shown = show(&desk.find("cd").await.unwrap());
        assert!(shown.contains("office: server, status 503"), "{shown}");
        assert!(shown.contains("asks the models again") && !shown.contains("canary"), "{shown}");
        assert!(desk.find("ab").await.unwrap_err().to_string().contains("2 dead letters"));
        assert!(desk.find("ef").await.unwrap_err().to_string().contains("no dead letter"));
    }

    #[tokio::test]
    async fn all_come_back_oldest_first() {
        let desk = desk(&["ab1", "cd2"]).await;
        let letters = desk.letters.list(usize::MAX).await.unwrap();
        let said = desk.redrive(letters).await.unwrap();
        let ids: Vec<_> = said.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(ids, ["ab1000000000", "cd2000000000"], "{said}");
        assert_eq!(desk.list(50).await.unwrap(), "no dead letters");
    }

    #[tokio::test]
    async fn what_a_worker_holds_is_left_and_said() {
        let store = MemoryStore::default();
        let (turn, now) = (words::turn_key(&"a".repeat(64)).unwrap(), SystemClock.now());
        let (lease, keep_until) = (Duration::from_secs(600), now.plus(Duration::from_secs(6_000)));
        store.claim(&turn, ClaimRequest { now, lease, accepted_at: now, keep_until }).await.unwrap();
        let parked = ParkedTurn {
            turn: turn.clone(),
            conversation: words::conversation_key(&"c".repeat(64)).unwrap(),
            reason: ParkReason::NoAnswer,
            cause: None,
            body: "sealed".to_owned(),
            tries: 1,
            at: now,
        };
        store.park(parked).await.unwrap();
        let desk = Desk { letters: Arc::new(store) };
        let said = desk.redrive(desk.letters.list(9).await.unwrap()).await.unwrap();
        assert!(
            said.contains("a worker has the turn still") && said.contains(&moment(now.plus(lease))),
            "{said}"
        );
        assert_eq!(desk.letters.list(9).await.unwrap().len(), 1, "it stays");
    }
}

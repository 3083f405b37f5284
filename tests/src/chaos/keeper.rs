//! The process, its killing and its restarts.

use std::{net::TcpListener, path::PathBuf, time::Duration};

use anyhow::Context as _;
use chat::{Entropy as _, Pause as _};
use host::{SystemEntropy, SystemPause};
use store::{DeadLetter, DeadLetters as _};
use store_sqlite::SqliteStore;
use tempfile::TempDir;
use tokio::time::{Instant, interval, timeout};
use url::Url;

use super::{Plan, ledger::Ledger};
use crate::{
    platforms::{DINGTALK_KEYS, FEISHU_KEYS, OPERATOR_TOKEN},
    process::Process,
};

/// Ports that no system hands out by itself to outgoing connections: Linux begins at 32768, others later. A port that
/// a client could be given might be taken while the process is down.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// How often the killer looks whether its moment has come.
const LOOK: Duration = Duration::from_millis(3);

/// The longest it waits after that, in milliseconds. As long as a turn takes, so that a kill falls anywhere into one.
const WAIT_MAX: u64 = 80;

/// One restart in so many is killed before it is ready.
const HASTY: u32 = 8;

/// The longest that such a restart lives, in milliseconds.
const HASTE_MAX: u64 = 80;

/// When nothing was acknowledged or answered for so long, the moment will not come by itself: answers may be lost, and
/// the verdict is to name them.
const STANDSTILL: Duration = Duration::from_secs(1);

/// What a process says once it can be reached.
const READY: &str = "listens on ";

/// How many lines of the log are remembered.
const LINES: usize = 40;

/// A `magpie` that is killed and comes back at the same address.
pub struct Keeper {
    /// Where it listens, whenever it does.
    pub url: Url,
    binary: PathBuf,
    folder: TempDir,
    process: Option<Process>,
    complaints: Vec<String>,
}

impl Keeper {
    /// Starts it in a folder of its own, with this configuration.
    ///
    /// # Errors
    ///
    /// When it does not come up; the error holds what it said.
    pub async fn start(binary: &str, configuration: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        for (name, content) in [
            ("feishu.json", FEISHU_KEYS),
            ("dingtalk.json", DINGTALK_KEYS),
            ("operator.token", OPERATOR_TOKEN),
            ("magpie.toml", configuration),
        ] {
            std::fs::write(folder.path().join(name), content)?;
        }
        let url = Url::parse(&format!("http://127.0.0.1:{}/", free_port()?))?;
        let binary = std::path::absolute(binary)?;
        let mut keeper = Self { url, binary, folder, process: None, complaints: Vec::new() };
        keeper.launch()?;
        keeper.ready().await?;
        Ok(keeper)
    }

    /// Kills and restarts it as often as planned, at moments that are spread over the work to do.
    ///
    /// # Errors
    ///
    /// When it does not come up again, or had ended before it was killed.
    pub async fn strike(&mut self, plan: &Plan, ledger: &Ledger) -> anyhow::Result<()> {
        let mut chance = fastrand::Rng::with_seed(plan.seed ^ 0xdead);
        // Counted in acknowledgements and answers. Not to the very end: answers may be missing.
        let most = (plan.messages + plan.messages / 4 * 3).max(1);
        let mut moments: Vec<usize> = (0..plan.kills).map(|_| chance.usize(0..most)).collect();
        moments.sort_unstable();
        let mut up = true;
        for moment in moments {
            if up {
                reached(ledger, moment).await;
                SystemPause.pause(Duration::from_millis(chance.u64(0..=WAIT_MAX))).await;
            }
            self.kill().await?;
            ledger.killed();
            self.launch()?;
            let haste = Duration::from_millis(chance.u64(0..=HASTE_MAX));
            if chance.u32(0..HASTY) == 0 {
                up = timeout(haste, self.ready()).await.is_ok();
            } else {
                self.ready().await?;
                up = true;
            }
        }
        if up { Ok(()) } else { self.ready().await }
    }

    /// Ends it, and opens what it left behind: its dead letters, `most` at most.
    ///
    /// # Errors
    ///
    /// When it had ended already, or its database cannot be read.
    pub async fn end(mut self, most: usize) -> anyhow::Result<Vec<DeadLetter>> {
        self.kill().await?;
        let store = SqliteStore::open(&self.folder.path().join("magpie-data").join("magpie.db"))?;
        Ok(store.list(most).await?)
    }

    /// The latest warnings and errors in its log.
    pub fn complaints(&mut self) -> String {
        let said = self.process.as_mut().map(Process::said).unwrap_or_default();
        let ours = self.complaints.iter().map(String::as_str).chain(said.lines());
        ours.collect::<Vec<_>>().join("\n")
    }

    fn launch(&mut self) -> anyhow::Result<()> {
        let listen = format!("127.0.0.1:{}", self.url.port().context("the address has a port")?);
        let arguments = ["serve", "--config", "magpie.toml", "--listen", &listen];
        let log = [("MAGPIE_LOG", "warn")];
        self.process = Some(Process::start(&self.binary, &arguments, &log, self.folder.path())?);
        Ok(())
    }

    async fn ready(&mut self) -> anyhow::Result<()> {
        self.process.as_mut().context("no process")?.line_with(READY).await?;
        Ok(())
    }

    async fn kill(&mut self) -> anyhow::Result<()> {
        let mut process = self.process.take().context("no process")?;
        let said = process.said();
        self.complaints.extend(said.lines().filter(|line| !line.starts_with("  ")).map(str::to_owned));
        let old = self.complaints.len().saturating_sub(LINES);
        self.complaints.drain(..old);
        process.crash().await
    }
}

/// Waits until so much is done, or nothing more comes.
pub(super) async fn reached(ledger: &Ledger, moment: usize) {
    let mut looks = interval(LOOK);
    let mut latest = (ledger.done(), Instant::now());
    while latest.0 < moment && latest.1.elapsed() < STANDSTILL {
        looks.tick().await;
        let done = ledger.done();
        if done != latest.0 {
            latest = (done, Instant::now());
        }
    }
}

/// A port of [`PORTS`] that nobody listens on.
fn free_port() -> anyhow::Result<u16> {
    let mut chance = [0; 8];
    SystemEntropy.fill(&mut chance);
    let mut chance = fastrand::Rng::with_seed(u64::from_le_bytes(chance));
    let mut tries = (0..100).map(|_| chance.u16(PORTS));
    tries.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).context("no port is free")
}

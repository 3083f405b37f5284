//! A gateway's process: started on a free port of loopback, used once it answers, ended by its id.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
};

/// How long a gateway may take to answer for the first time. The slowest takes 15 s on two cores.
const PATIENCE: Duration = Duration::from_secs(120);

/// Between two looks at whether it answers.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// A running gateway. Ended when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Where it listens.
    pub socket: SocketAddr,
    /// Its id.
    pub id: u32,
}

/// A command whose process ends with this one even when this one is killed, where the system has a way to say so.
#[must_use]
pub fn bound_to_us(program: &Path) -> Command {
    let available = std::process::Command::new("setpriv").arg("--version").stdout(Stdio::null()).status();
    if !available.is_ok_and(|status| status.success()) {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "--"]).arg(program);
    command
}

/// A port that was free a moment ago, and that this process is given once only: whoever gets one has yet to listen, and the
/// system may name it again until then.
///
/// # Errors
///
/// When there is none.
pub fn free_port() -> anyhow::Result<u16> {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        if GIVEN.lock().unwrap_or_else(PoisonError::into_inner).insert(port) {
            return Ok(port);
        }
    }
}

impl Process {
    /// Starts the command made for a free port and waits until it answers HTTP at `path`. Its output goes to a file.
    ///
    /// # Errors
    ///
    /// When it does not come up; the error holds the end of what it said.
    pub async fn start(
        name: &str,
        logs: &Path,
        path: &str,
        command: impl FnOnce(u16) -> Command,
    ) -> anyhow::Result<Self> {
        fs::create_dir_all(logs)?;
        let log = logs.join(format!("{name}.log"));
        let file = File::create(&log).with_context(|| log.display().to_string())?;
        let port = free_port()?;
        let mut command = command(port);
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("{name} cannot be started"))?;
        let id = child.id().context("no process id")?;
        let mut process = Self { child, socket: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), id };
        process.wait_until_ready(name, path, &log).await?;
        Ok(process)
    }

    async fn wait_until_ready(&mut self, name: &str, path: &str, log: &PathBuf) -> anyhow::Result<()> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                bail!("{name} ended with {status} before it answered:\n{}", last_words(log));
            }
            if answers(self.socket, path).await.unwrap_or(false) {
                return Ok(());
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        bail!("{name} does not answer after {} s:\n{}", PATIENCE.as_secs(), last_words(log));
    }
}

fn last_words(log: &PathBuf) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

/// Whether it answers, with anything but a failure of its own: routers say 503 as long as they know no worker.
async fn answers(socket: SocketAddr, path: &str) -> anyhow::Result<bool> {
    let stream = TcpStream::connect(socket).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let request = Request::get(path).header("host", socket.to_string()).body(Empty::<Bytes>::new())?;
    let answer = tokio::time::timeout(Duration::from_secs(5), sender.send_request(request)).await;
    driver.abort();
    Ok(!answer??.status().is_server_error())
}

//! A child process that ends with its test.

use std::{path::Path, process::Stdio, time::Duration};

use anyhow::{Context as _, bail};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
    sync::mpsc,
};

/// How long a process may take to say that it is ready.
const READY: Duration = Duration::from_secs(30);

/// A running child and the lines that it writes. Killed when dropped.
pub struct Process {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
    said: Vec<String>,
}

impl Process {
    /// Starts a program with nothing of this process's environment but `PATH`.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start(program: &Path, args: &[&str], env: &[(&str, &str)], folder: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command
            .args(args)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .envs(env.iter().copied())
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child =
            command.spawn().with_context(|| format!("{} cannot be started", program.display()))?;
        let (sender, lines) = mpsc::unbounded_channel();
        forward(child.stdout.take(), sender.clone());
        forward(child.stderr.take(), sender);
        Ok(Self { child, lines, said: Vec::new() })
    }

    /// Waits for a line that holds `text` and returns it.
    ///
    /// # Errors
    ///
    /// When the process ends first, or takes too long; the error holds what it said.
    pub async fn line_with(&mut self, text: &str) -> anyhow::Result<String> {
        let found = tokio::time::timeout(READY, async {
            while let Some(line) = self.lines.recv().await {
                self.said.push(line.clone());
                if line.contains(text) {
                    return Some(line);
                }
            }
            None
        });
        match found.await {
            Ok(Some(line)) => Ok(line),
            Ok(None) => {
                bail!("the process ended without saying {text:?}; it said:\n{}", self.said.join("\n"))
            }
            Err(_) => bail!("the process did not say {text:?} in time; it said:\n{}", self.said.join("\n")),
        }
    }

    /// Waits for the end and returns the exit code with everything that was said.
    ///
    /// # Errors
    ///
    /// When the process does not end in time.
    pub async fn end(mut self) -> anyhow::Result<(Option<i32>, String)> {
        let status =
            tokio::time::timeout(READY, self.child.wait()).await.context("the process did not end")??;
        while let Some(line) = self.lines.recv().await {
            self.said.push(line);
        }
        Ok((status.code(), self.said.join("\n")))
    }

    /// Everything said so far.
    pub fn said(&mut self) -> String {
        while let Ok(line) = self.lines.try_recv() {
            self.said.push(line);
        }
        self.said.join("\n")
    }

    /// Ends the process as a crash would: no warning, no cleaning up.
    ///
    /// # Errors
    ///
    /// When it had ended already.
    pub async fn crash(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// The process's id.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }
}

fn forward(stream: Option<impl AsyncRead + Unpin + Send + 'static>, lines: mpsc::UnboundedSender<String>) {
    let Some(stream) = stream else { return };
    tokio::spawn(async move {
        let mut reader = BufReader::new(stream).lines();
        while let Ok(Some(line)) = reader.next_line().await {
            if lines.send(line).is_err() {
                return;
            }
        }
    });
}

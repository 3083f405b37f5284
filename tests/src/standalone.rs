//! A running `magpie`.

use std::path::Path;

use anyhow::Context as _;
use tempfile::TempDir;
use url::Url;

use crate::process::Process;

/// A running `magpie` in a folder of its own.
pub struct Magpie {
    /// Where it listens.
    pub url: Url,
    /// The process.
    pub process: Process,
    folder: TempDir,
    binary: String,
}

impl Magpie {
    /// Starts one with this configuration, on a free port.
    ///
    /// # Errors
    ///
    /// When it does not come up; the error holds what it said.
    pub async fn start(binary: &str, config: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("magpie.toml"), config)?;
        Self::start_in(binary.to_owned(), folder, &[]).await
    }

    /// Starts one in a folder that has its configuration and key files already.
    ///
    /// # Errors
    ///
    /// When it does not come up; the error holds what it said.
    pub async fn start_in(binary: String, folder: TempDir, env: &[(&str, &str)]) -> anyhow::Result<Self> {
        let args = ["serve", "--config", "magpie.toml", "--listen", "127.0.0.1:0"];
        let mut process = Process::start(Path::new(&binary), &args, env, folder.path())?;
        let line = process.line_with("listens on ").await?;
        let (_, address) = line.split_once("listens on ").context("no address")?;
        // In a log in JSON the address ends with the text that it is in.
        let address = address.split('"').next().unwrap_or(address);
        Ok(Self { url: Url::parse(address.trim())?, process, folder, binary })
    }

    /// Crashes it, and starts another on the same data.
    ///
    /// # Errors
    ///
    /// When the other does not come up.
    pub async fn crash_and_restart(self) -> anyhow::Result<Self> {
        self.process.crash().await?;
        Self::start_in(self.binary, self.folder, &[]).await
    }

    /// The folder it runs in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

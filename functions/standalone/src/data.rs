//! The data folder: its lock, the vault's keys, the demo bots' keys.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chat::Entropy;

/// Where the database of a data folder is.
pub(crate) fn database_in(path: &Path) -> PathBuf {
    path.join("magpie.db")
}

/// The data folder of one running Magpie.
pub(crate) struct DataFolder {
    path: PathBuf,
    /// Held for as long as the process lives; the system gives it back however the process ends.
    _lock: File,
}

impl DataFolder {
    /// Opens the folder, makes it when it is missing, and locks it: two processes on one queue would each believe
    /// that the other's work had been left behind by a crash.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(path).with_context(|| {
            format!(
                "the data folder {} cannot be made; set `standalone.data` to one that can",
                path.display()
            )
        })?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .with_context(|| format!("the data folder {} cannot be written to", path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => bail!(
                "another Magpie is using the data folder {}: stop it, or give this one a folder of its own with `standalone.data`",
                path.display()
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("the data folder {} cannot be locked", path.display()))
            }
        }
    }

    /// Where the database is.
    pub(crate) fn database(&self) -> PathBuf {
        database_in(&self.path)
    }

    /// The file of the vault's keys: made on the first start, kept ever after. Whoever loses it loses what it sealed.
    pub(crate) fn vault_keys(&self, entropy: &dyn Entropy) -> anyhow::Result<PathBuf> {
        let name = "vault.json";
        self.once(name, || {
            let mut key = [0; 32];
            entropy.fill(&mut key);
            // The greatest name seals, so this one gives way to any key that is named after a date.
            serde_json::json!({ "0-first": STANDARD.encode(key) }).to_string()
        })?;
        Ok(self.path.join(name))
    }

    /// The keys of a demo bot: made on the first start, so that its webhook URL stays good.
    pub(crate) fn demo_keys(&self, bot: &str, make: impl FnOnce() -> String) -> anyhow::Result<String> {
        self.once(&format!("demo-{bot}.json"), make)
    }

    /// A file's content, made the first time. Written aside and renamed, so that a crash leaves no half file; readable
    /// by its owner only.
    fn once(&self, name: &str, make: impl FnOnce() -> String) -> anyhow::Result<String> {
        let path = self.path.join(name);
        if path.exists() {
            return fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()));
        }
        let content = make();
        let aside = self.path.join(format!("{name}.new"));
        write_private(&aside, &content)
            .and_then(|()| fs::rename(&aside, &path))
            .with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(content)
    }
}

fn write_private(path: &Path, content: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_owner_at_a_time_and_keeps_its_keys() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataFolder::open(folder.path()).unwrap();
        assert!(DataFolder::open(folder.path()).is_err(), "the lock must keep a second process out");
        let keys = fs::read(first.vault_keys(&host::SystemEntropy).unwrap()).unwrap();
        drop(first);
        let second = DataFolder::open(folder.path()).unwrap();
        assert_eq!(fs::read(second.vault_keys(&host::SystemEntropy).unwrap()).unwrap(), keys);
    }

    #[cfg(unix)]
    #[test]
    fn keys_are_readable_by_their_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        data.vault_keys(&host::SystemEntropy).unwrap();
        let mode = fs::metadata(folder.path().join("vault.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

//! Fetching what references name.

use std::{fs::File, io::Read as _, path::Path, sync::Arc};

use async_trait::async_trait;
use secrecy::SecretString;

use crate::{Environment, KeySource};

/// Longest secret, in bytes: as much as Secrets Manager keeps. A bigger file is some other file.
const SECRET_MAX: u64 = 64 * 1024;

/// A secret, and while it rotates the version before.
#[derive(Debug, Clone)]
pub struct SecretVersions {
    /// The version in force.
    pub current: SecretString,
    /// The version before, which may still be in use elsewhere.
    pub previous: Option<SecretString>,
}

/// Why a secret cannot be had. Never holds a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reference}: {happened}; {mend}")]
pub struct SecretError {
    /// The reference, as configured.
    pub reference: String,
    /// What happened.
    pub happened: String,
    /// How to mend it.
    pub mend: String,
}

impl SecretError {
    /// An error about the secret that `source` names.
    #[must_use]
    pub fn new(source: &KeySource, happened: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { reference: source.to_string(), happened: happened.into(), mend: mend.into() }
    }
}

/// Where secrets are kept.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// Fetches what the reference names, as it is now: nothing is remembered here.
    ///
    /// # Errors
    ///
    /// Says what happened and how to mend it, without a value.
    async fn fetch(&self, source: &KeySource) -> Result<SecretVersions, SecretError>;
}

/// Secrets without a secret store: environment variables and files.
///
/// `secret:magpie/cloud-key` is read from the variable `MAGPIE_CLOUD_KEY` (see [`variable`]), so that one
/// configuration file serves Lambda, with Secrets Manager, and a laptop.
pub struct LocalSecrets {
    env: Arc<dyn Environment + Send + Sync>,
}

impl LocalSecrets {
    /// Secrets from this environment, and from files.
    #[must_use]
    pub fn new(env: Arc<dyn Environment + Send + Sync>) -> Self {
        Self { env }
    }

    fn variable(&self, source: &KeySource, name: &str) -> Result<SecretString, SecretError> {
        let value = self.env.get(name).ok_or_else(|| {
            let mend = format!("set the variable {name}, in the environment or in .env");
            SecretError::new(source, format!("the variable {name} is not set"), mend)
        })?;
        filled(source, &value, || format!("the variable {name} is empty"))
    }
}

impl std::fmt::Debug for LocalSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalSecrets").finish_non_exhaustive()
    }
}

#[async_trait]
impl Secrets for LocalSecrets {
    async fn fetch(&self, source: &KeySource) -> Result<SecretVersions, SecretError> {
        let current = match source {
            KeySource::Env(name) => self.variable(source, name)?,
            KeySource::Secret(name) => self.variable(source, &variable(name))?,
            KeySource::File(path) => read(source, path)?,
            KeySource::Demo => {
                let mend = "use a `secret:`, `env:` or `file:` reference here";
                return Err(SecretError::new(source, "only standalone can make demo keys", mend));
            }
        };
        Ok(SecretVersions { current, previous: None })
    }
}

/// The environment variable that stands for a secret's name: upper case, everything but letters and digits `_`.
///
/// ```
/// assert_eq!(settings::secrets::variable("magpie/cloud-key"), "MAGPIE_CLOUD_KEY");
/// ```
#[must_use]
pub fn variable(secret: &str) -> String {
    secret.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// Reads a small file. Blocking, and short enough not to matter: it happens at the start and every few minutes.
fn read(source: &KeySource, path: &Path) -> Result<SecretString, SecretError> {
    let unreadable = |error: std::io::Error| {
        let mend = "give a file that this process may read";
        SecretError::new(source, format!("the file cannot be read ({})", error.kind()), mend)
    };
    let mut text = String::new();
    let file = File::open(path).map_err(unreadable)?;
    let length = file.take(SECRET_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if length as u64 > SECRET_MAX {
        let happened = format!("the file is larger than {SECRET_MAX} bytes");
        return Err(SecretError::new(
            source,
            happened,
            "give the file that holds the secret and nothing else",
        ));
    }
    filled(source, &text, || "the file is empty".to_owned())
}

/// The value without the line's end that editors leave; an empty one is no secret.
fn filled(
    source: &KeySource,
    value: &str,
    empty: impl FnOnce() -> String,
) -> Result<SecretString, SecretError> {
    match value.trim() {
        "" => Err(SecretError::new(source, empty(), "put the secret there")),
        value => Ok(SecretString::from(value)),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, io::Write as _};

    use secrecy::ExposeSecret as _;

    use super::*;

    fn local(pairs: &[(&str, &str)]) -> LocalSecrets {
        let map: BTreeMap<_, _> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        LocalSecrets::new(Arc::new(map))
    }

    async fn fetch(secrets: &LocalSecrets, reference: &str) -> Result<String, String> {
        let versions = secrets.fetch(&reference.parse().unwrap()).await.map_err(|error| error.to_string())?;
        assert!(versions.previous.is_none());
        Ok(versions.current.expose_secret().to_owned())
    }

    #[tokio::test]
    async fn variables_and_files_are_read() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"from a file\n").unwrap();
        let secrets = local(&[("KEY", " from env "), ("MAGPIE_CLOUD_KEY", "by name")]);
        assert_eq!(fetch(&secrets, "env:KEY").await.unwrap(), "from env");
        assert_eq!(fetch(&secrets, "secret:magpie/cloud-key").await.unwrap(), "by name");
        assert_eq!(fetch(&secrets, &format!("file:{}", file.path().display())).await.unwrap(), "from a file");
    }

    #[tokio::test]
    async fn errors_say_the_reference_what_happened_and_how_to_mend_it() {
        let mut big = tempfile::NamedTempFile::new().unwrap();
        big.write_all(&vec![b'x'; usize::try_from(SECRET_MAX).unwrap() + 1]).unwrap();
        let empty = tempfile::NamedTempFile::new().unwrap();
        let secrets = local(&[("EMPTY", " \n")]);
        let (big, empty) =
            (format!("file:{}", big.path().display()), format!("file:{}", empty.path().display()));
        for (reference, error) in [
            (
                "env:NONE",
                "the variable NONE is not set; set the variable NONE, in the environment or in .env",
            ),
            (
                "secret:a/b",
                "the variable A_B is not set; set the variable A_B, in the environment or in .env",
            ),
            ("env:EMPTY", "the variable EMPTY is empty; put the secret there"),
            (
                "file:/no/such",
                "the file cannot be read (entity not found); give a file that this process may read",
            ),
            (
                &big,
                "the file is larger than 65536 bytes; give the file that holds the secret and nothing else",
            ),
            (&empty, "the file is empty; put the secret there"),
            ("demo", "only standalone can make demo keys; use a `secret:`, `env:` or `file:` reference here"),
        ] {
            assert_eq!(fetch(&secrets, reference).await.unwrap_err(), format!("{reference}: {error}"));
        }
    }
}

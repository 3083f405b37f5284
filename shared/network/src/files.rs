//! The files of certificate authorities.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use chat::Timestamp;
use egress::Authority;
use settings::{Mistakes, mistakes::Mistake, model::AuthoritySource};

/// The key for the file that somebody wrote for Magpie.
const CA_FILE: &str = "network.ca_file";

/// The largest file that is read, in bytes. The authorities of a whole system are a quarter of a megabyte.
const FILE_MAX: u64 = 4 << 20;

/// What was added from one file or folder.
#[derive(Debug, Clone)]
pub struct Added {
    /// What names the file: `network.ca_file`, `SSL_CERT_FILE` or `SSL_CERT_DIR`.
    pub key: &'static str,
    /// The file, or the folder.
    pub path: PathBuf,
    /// Its authorities that are still valid and not bundled anyway.
    pub authorities: Vec<Authority>,
}

/// Reads all files. Expired certificates are left out with a warning; a file with nothing else is a mistake. An authority
/// that several files have counts once.
pub(crate) fn read(sources: &[AuthoritySource], now: Timestamp, mistakes: &mut Mistakes) -> Vec<Added> {
    let mut added: Vec<Added> = Vec::new();
    for source in sources {
        let read = if source.folder { of_folder(source, now) } else { of_file(source, &source.path, now) };
        match read {
            Ok(mut file) => {
                file.authorities.retain(|one| !added.iter().any(|other| other.authorities.contains(one)));
                added.push(file);
            }
            Err(mistake) => mistakes.0.push(mistake),
        }
    }
    added
}

/// The files of a folder as OpenSSL has them: each certificate by a name of its own, and again by its hash. What is no
/// certificate there is no mistake, as long as something is.
fn of_folder(source: &AuthoritySource, now: Timestamp) -> Result<Added, Mistake> {
    let folder = &source.path;
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(source, folder, &error))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file());
    let files: Vec<_> = paths.filter_map(|path| of_file(source, &path, now).ok()).collect();
    if files.is_empty() {
        let found = format!("`{}`, a folder without a certificate that is valid", folder.display());
        return Err(Mistake::new(source.key, found, "a folder with certificates in PEM, or no folder"));
    }
    let mut authorities: Vec<Authority> = Vec::new();
    for authority in files.into_iter().flat_map(|file| file.authorities) {
        if !authorities.contains(&authority) {
            authorities.push(authority);
        }
    }
    authorities.sort_by(|one, other| one.subject.cmp(&other.subject));
    Ok(Added { key: source.key, path: folder.clone(), authorities })
}

fn of_file(source: &AuthoritySource, path: &Path, now: Timestamp) -> Result<Added, Mistake> {
    let key = source.key;
    let shown = path.display();
    let bytes = bytes(path).map_err(|error| unreadable(source, path, &error))?;
    let read = Authority::read(&bytes)
        .map_err(|error| Mistake::new(key, format!("`{shown}`, where {error} is"), error.wanted()))?;
    let (expired, authorities): (Vec<_>, Vec<_>) =
        read.into_iter().partition(|authority| authority.has_expired(now.as_seconds()));
    if authorities.is_empty() {
        let names: Vec<_> = expired.iter().map(|authority| authority.subject.as_str()).collect();
        let found = format!("`{shown}`, whose certificates have all expired ({})", names.join("; "));
        return Err(Mistake::new(key, found, "the certificate that your network uses now"));
    }
    for Authority { subject, .. } in expired {
        // A system's own file always has some; one that somebody wrote for Magpie should not.
        if key == CA_FILE {
            tracing::warn!(file = %shown, authority = subject, "a certificate authority has expired and is left out");
        } else {
            tracing::debug!(file = %shown, authority = subject, "a certificate authority has expired and is left out");
        }
    }
    let authorities = authorities.into_iter().filter(|authority| !authority.bundled).collect();
    Ok(Added { key, path: path.to_owned(), authorities })
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_MAX + 1).read_to_end(&mut bytes)?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= FILE_MAX);
    if fits { Ok(bytes) } else { Err(io::Error::from(io::ErrorKind::FileTooLarge)) }
}

fn unreadable(source: &AuthoritySource, path: &Path, error: &io::Error) -> Mistake {
    let found = format!("`{}`, which cannot be read ({})", path.display(), error.kind());
    let wanted = if source.key.starts_with("SSL_") {
        "a readable file of certificates (for SSL_CERT_DIR, a folder), or the variable unset"
    } else {
        "the path of a readable file of certificates, from the configuration's folder or the working directory"
    };
    Mistake::new(source.key, found, wanted)
}

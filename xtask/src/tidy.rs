//! `cargo xtask tidy`: the shape of the workspace, kept by a program so that nobody has to remember it.
//!
//! # Layout
//!
//! - [`direction`]: which crate may depend on which, and which few may know AWS or build an HTTP client
//! - [`sources`]: what may not stand in a source file, how long it may be, what it may be called
//! - [`documents`]: the two READMEs have the same shape
//!
//! Every check takes what it looks at as an argument and gives findings, so that a test can hand it something bad.

use std::{fmt, fs, process::Command};

use anyhow::{Result, bail};

use crate::{commands, workspace::Workspace};

mod direction;
mod documents;
mod sources;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    place: String,
    what: String,
    mend: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n    to mend: {}", self.place, self.what, self.mend)
    }
}

/// A file of the repository that is text.
#[derive(Debug, Clone)]
pub(crate) struct TextFile {
    /// Its path below the root, with `/` between the parts.
    path: String,
    text: String,
}

/// Looks at everything and prints what it finds.
///
/// # Errors
///
/// When it finds something, or cannot look.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let files = tracked(workspace)?;
    let mut findings = direction::check(&workspace.packages);
    findings.extend(direction::check_tree("standalone", &tree(workspace, "standalone")?));
    findings.extend(sources::check(&files));
    findings.extend(documents::check(&files));
    for finding in &findings {
        println!("{finding}");
    }
    println!("{}", sources::lengths(&files));
    match findings.len() {
        0 => Ok(()),
        count => bail!("{count} findings in the shape of the workspace"),
    }
}

/// The text files that git tracks, and those it would if they were added.
fn tracked(workspace: &Workspace) -> Result<Vec<TextFile>> {
    let mut git = Command::new("git");
    git.current_dir(&workspace.root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listed = commands::read(&mut git)?;
    let mut files = Vec::new();
    for path in listed.split('\0').filter(|path| !path.is_empty()) {
        // A file that is listed and gone is one that is about to be removed; one that is not text has no lines.
        if let Ok(text) = fs::read_to_string(workspace.root.join(path)) {
            files.push(TextFile { path: path.to_owned(), text });
        }
    }
    Ok(files)
}

/// Every crate that ends up in a program, one a line. Also finds a lock file that does not match the manifests.
fn tree(workspace: &Workspace, package: &str) -> Result<String> {
    let mut cargo = workspace.cargo();
    cargo.args(["tree", "--locked", "--package", package, "--edges", "normal", "--prefix", "none"]);
    commands::read(&mut cargo)
}

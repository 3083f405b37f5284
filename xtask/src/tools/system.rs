//! Programs that the machine's own package manager installs: looked for, installed where that is ours to do, named
//! with the command that installs them everywhere else.

use std::{fs, process::Command};

use anyhow::{Result, bail};

use super::Part;
use crate::{commands, steps::Steps};

/// One thing that the machine must have.
struct Need {
    /// What it is, for the message.
    what: &'static str,
    /// How to see that it is there.
    check: Check,
    /// Debian's packages that bring it.
    packages: &'static [&'static str],
    /// The parts that use it.
    used_by: &'static [Part],
}

/// How to see that something is there.
#[derive(Clone, Copy)]
enum Check {
    /// One of these programs is on the search path.
    Program(&'static [&'static str]),
    /// This command ends well and writes something.
    Answer(&'static [&'static str]),
}

/// The names under which Chromium, or a browser made from it, is installed.
const BROWSERS: &[&str] = &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

const NEEDS: &[Need] = &[
    Need {
        what: "Java",
        check: Check::Program(&["java"]),
        packages: &["default-jre-headless"],
        used_by: &[Part::Dynamodb],
    },
    Need {
        what: "npm",
        check: Check::Program(&["npm"]),
        packages: &["npm"],
        used_by: &[Part::Dynamodb, Part::Browser],
    },
    Need { what: "Node", check: Check::Program(&["node"]), packages: &["nodejs"], used_by: &[Part::Browser] },
    Need {
        what: "Python with venv and pip",
        check: Check::Answer(&["python3", "-c", "import ensurepip, venv; print('here')"]),
        packages: &["python3", "python3-venv"],
        used_by: &[Part::Aws, Part::Lambda, Part::Sam],
    },
    Need {
        what: "Chromium",
        check: Check::Program(BROWSERS),
        packages: &["chromium"],
        used_by: &[Part::Browser],
    },
    Need {
        what: "a font with Chinese characters",
        check: Check::Answer(&["fc-list", ":lang=zh"]),
        packages: &["fontconfig", "fonts-noto-cjk"],
        used_by: &[Part::Browser],
    },
];

impl Check {
    fn passes(self) -> bool {
        match self {
            Self::Program(names) => names.iter().any(|name| commands::find(name).is_some()),
            Self::Answer(words) => {
                let Some((program, arguments)) = words.split_first() else { return false };
                commands::read(Command::new(program).args(arguments))
                    .is_ok_and(|answer| !answer.trim().is_empty())
            }
        }
    }
}

/// The browser.
///
/// # Errors
///
/// When there is none.
pub(crate) fn browser() -> Result<std::path::PathBuf> {
    match BROWSERS.iter().find_map(|name| commands::find(name)) {
        Some(path) => Ok(path),
        None => bail!("none of {} is on the search path", BROWSERS.join(", ")),
    }
}

/// Makes sure that everything is there that the parts not left out use.
///
/// # Errors
///
/// When something is missing and is not ours to install; says what and how.
pub(crate) fn ensure(steps: &mut Steps, without: &[Part]) -> Result<()> {
    let missing = missing(without, Check::passes);
    if missing.is_empty() {
        return Ok(());
    }
    let packages = packages(&missing);
    if !(on_debian() && is_root()) {
        bail!("{}", advice(&missing, &packages));
    }
    steps.run(&format!("install {}", packages.join(" ")), || {
        let apt = |arguments: &[&str]| {
            let mut command = Command::new("apt-get");
            commands::read(command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments)).map(drop)
        };
        apt(&["update", "-q"])?;
        apt(&[&["install", "-q", "-y", "--no-install-recommends"], packages.as_slice()].concat())
    })?;
    match self::missing(without, Check::passes).as_slice() {
        [] => Ok(()),
        still => bail!("still missing after the installation: {}", names(still)),
    }
}

/// What is needed and does not pass. A need stays as long as one part that uses it does.
fn missing(without: &[Part], passes: impl Fn(Check) -> bool) -> Vec<&'static Need> {
    let needed = |need: &&Need| need.used_by.iter().any(|part| !without.contains(part));
    NEEDS.iter().filter(needed).filter(|need| !passes(need.check)).collect()
}

fn packages(missing: &[&Need]) -> Vec<&'static str> {
    missing.iter().flat_map(|need| need.packages).copied().collect()
}

fn names(missing: &[&Need]) -> String {
    missing.iter().map(|need| need.what).collect::<Vec<_>>().join(", ")
}

fn advice(missing: &[&Need], packages: &[&str]) -> String {
    let mut parts = Vec::new();
    for part in missing.iter().flat_map(|need| need.used_by) {
        if !parts.contains(&part.name()) {
            parts.push(part.name());
        }
    }
    format!(
        "missing: {}.\n  On Debian or Ubuntu: sudo apt-get install --no-install-recommends {}\n  \
         Elsewhere: install them by your system's package manager and put them on the search path.\n  \
         Or leave out what needs them: cargo xtask test --without {}",
        names(missing),
        packages.join(" "),
        parts.join(",")
    )
}

fn on_debian() -> bool {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let family = release.lines().filter(|line| line.starts_with("ID=") || line.starts_with("ID_LIKE="));
    family.into_iter().any(|line| line.contains("debian") || line.contains("ubuntu"))
}

fn is_root() -> bool {
    commands::read(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_part_uses_is_not_asked_for() {
        let nothing = |_: Check| false;
        let named = |without: &[Part]| names(&missing(without, nothing));
        assert!(named(&[]).contains("Java"));
        assert!(!named(&[Part::Dynamodb]).contains("Java"));
        assert!(named(&[Part::Dynamodb]).contains("npm"), "the browser's driver comes from npm too");
        assert_eq!(named(&[Part::Dynamodb, Part::Aws, Part::Lambda, Part::Browser, Part::Sam]), "");
        assert!(missing(&[], |_| true).is_empty());
    }

    #[test]
    fn advice_names_what_is_missing_and_the_command_that_installs_it() {
        let browser_only = [Part::Dynamodb, Part::Aws, Part::Lambda, Part::Sam];
        let missing = missing(&browser_only, |check| matches!(check, Check::Program(["npm" | "node"])));
        let text = advice(&missing, &packages(&missing));
        for part in [
            "missing: Chromium, a font with Chinese characters",
            "apt-get install --no-install-recommends chromium fontconfig fonts-noto-cjk",
            "--without browser",
        ] {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
    }

    #[test]
    fn checks_look_at_the_machine() {
        assert!(Check::Program(&["no-such-program", "sh"]).passes());
        assert!(!Check::Program(&["no-such-program"]).passes());
        assert!(Check::Answer(&["echo", "here"]).passes());
        assert!(!Check::Answer(&["true"]).passes(), "no answer");
        assert!(!Check::Answer(&["false"]).passes());
    }
}

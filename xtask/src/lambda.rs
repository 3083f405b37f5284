//! The functions as AWS Lambda runs them: a program named `bootstrap` each, and the archive it is uploaded in.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::{
    commands,
    steps::Steps,
    tools::Part,
    tools::{Shelf, system},
    workspace::Workspace,
};

/// What is deployed: each function by the name of its binary; its crate's name has `-function` behind it.
const FUNCTIONS: &[&str] = &["feishu", "dingtalk", "worker"];

/// The C library of Amazon Linux 2023, which `provided.al2023` is: a bootstrap that asks for a newer one does not
/// start there.
const GLIBC_OF_LAMBDA: (u32, u32) = (2, 34);

/// `cargo xtask package`: builds the archives and refuses those that AWS Lambda could not start.
///
/// # Errors
///
/// When something does not build, or needs a newer C library than Lambda has.
pub(crate) fn package(workspace: &Workspace, shelf: &Shelf, steps: &mut Steps, zig: bool) -> Result<()> {
    let all_but_these = [Part::Dynamodb, Part::Aws, Part::Browser, Part::Sam];
    system::ensure(steps, &all_but_these)?;
    let folder = build(workspace, shelf, steps, zig)?;
    for name in FUNCTIONS {
        let needs = glibc_needed(&fs::read(folder.join(name).join("bootstrap"))?);
        if needs > GLIBC_OF_LAMBDA {
            let ((major, minor), (has_major, has_minor)) = (needs, GLIBC_OF_LAMBDA);
            bail!(
                "{name} needs glibc {major}.{minor} and AWS Lambda has {has_major}.{has_minor}: \
                 build it with `cargo xtask package --zig`"
            );
        }
    }
    Ok(())
}

/// Builds every function, prints the size of each archive, and gives the folder in which each has one of its own.
///
/// Builds for the processor of this machine. The linker is the system's unless `zig` is asked for.
///
/// # Errors
///
/// When something does not build.
pub(crate) fn build(workspace: &Workspace, shelf: &Shelf, steps: &mut Steps, zig: bool) -> Result<PathBuf> {
    let mut folders = vec![shelf.cargo_lambda(steps)?];
    if zig {
        // In front, so that `python3 -m ziglang`, which cargo-lambda tries, means this one.
        folders.insert(0, shelf.zig(steps)?);
    }
    let path = commands::path_with(&folders)?;
    let folder = workspace.target.join("lambda");
    // The archive second: the build is then done, and both come from it.
    for format in ["binary", "zip"] {
        steps.run(&format!("build functions ({format})"), || {
            let mut cargo = workspace.cargo();
            cargo.env("PATH", &path).args(["lambda", "build", "--release", "--output-format", format]);
            cargo
                .args(["--compiler", if zig { "cargo-zigbuild" } else { "cargo" }])
                .arg("--lambda-dir")
                .arg(&folder);
            for name in FUNCTIONS {
                cargo.args(["--package", &format!("{name}-function")]);
            }
            commands::run(&mut cargo)
        })?;
    }
    for name in FUNCTIONS {
        report(&folder, name)?;
    }
    Ok(folder)
}

/// Prints how large a function is and what it asks of the machine.
fn report(folder: &std::path::Path, name: &str) -> Result<()> {
    let (program, archive) = (folder.join(name).join("bootstrap"), folder.join(name).join("bootstrap.zip"));
    let program = fs::read(&program).with_context(|| program.display().to_string())?;
    let archive = fs::metadata(&archive).with_context(|| archive.display().to_string())?.len();
    let (major, minor) = glibc_needed(&program);
    println!(
        "    {name}: {} zipped, {} unzipped, glibc {major}.{minor}",
        kib(archive),
        kib(program.len() as u64)
    );
    Ok(())
}

fn kib(bytes: u64) -> String {
    format!("{} KiB", bytes.div_ceil(1024))
}

/// The newest version of the C library that a program names. Its symbol versions stand in it as plain text.
fn glibc_needed(program: &[u8]) -> (u32, u32) {
    const MARK: &[u8] = b"GLIBC_";
    let starts = program.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK);
    starts.filter_map(|(at, _)| version(program.get(at + MARK.len()..)?)).max().unwrap_or_default()
}

/// `2.34` at the start of these bytes, up to the end of the text.
fn version(bytes: &[u8]) -> Option<(u32, u32)> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    let text = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let mut parts = text.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_c_library_named_counts() {
        for (program, needed) in [
            (&b"\0GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.17\0GLIBC_PRIVATE\0"[..], (2, 34)),
            (b"\0GLIBC_2.9\0GLIBC_2.30\0", (2, 30)),
            (b"a static program", (0, 0)),
            (b"GLIBC_2.99 in a text that does not end there", (0, 0)),
        ] {
            assert_eq!(glibc_needed(program), needed, "{program:?}");
        }
    }
}

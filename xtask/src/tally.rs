//! Counting tests: the sum over every `test result:` line of `cargo test`.

use std::{
    fmt,
    io::{BufRead as _, BufReader, Write},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

/// How many tests passed, failed and were not run, and whether `cargo test` was content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    passed: u64,
    failed: u64,
    ignored: u64,
    broke_off: bool,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

impl Tally {
    /// Adds what a line reports, if it is one that does.
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for count in counts.split(';') {
            let Some((number, kind)) = count.trim().split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match kind {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }

    /// Whether everything ran and passed.
    ///
    /// # Errors
    ///
    /// When a test failed or could not be built, when none ran, or when one was ignored: a test that did not run has
    /// not passed.
    pub(crate) fn verdict(self) -> Result<()> {
        if self.broke_off || self.failed > 0 {
            bail!("{} tests failed, or something could not be built", self.failed);
        }
        if self.ignored > 0 {
            bail!(
                "{} tests are marked as ignored: run them, or leave their part out with --without",
                self.ignored
            );
        }
        if self.passed == 0 {
            bail!("no test ran");
        }
        Ok(())
    }
}

/// Runs `cargo test`, hands on what it writes as it comes, and sums its results.
///
/// # Errors
///
/// When it cannot be started or read. A failed test is no error here: see [`Tally::verdict`].
pub(crate) fn run(command: &mut Command, out: &mut impl Write) -> Result<Tally> {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("cargo cannot be started")?;
    let mut tally = Tally::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n') {
            let line = line?;
            out.write_all(&line)?;
            out.write_all(b"\n")?;
            tally.add(&String::from_utf8_lossy(&line));
        }
    }
    tally.broke_off = !child.wait()?.success();
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_summed_and_other_lines_are_not() {
        let mut tally = Tally::default();
        for line in [
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: FAILED. 2 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "a test said: test result: ok. 9 passed; 9 failed",
        ] {
            tally.add(line);
        }
        assert_eq!(tally, Tally { passed: 5, failed: 4, ignored: 1, broke_off: false });
        assert_eq!(tally.to_string(), "5 passed, 4 failed");
    }

    #[test]
    fn only_a_whole_run_passes() {
        let good = "test result: ok. 1 passed; 0 failed; 0 ignored";
        for (script, verdict) in [
            (format!("echo '{good}'"), ""),
            (format!("echo '{good}'; exit 1"), "0 tests failed, or something could not be built"),
            ("echo 'test result: FAILED. 1 passed; 2 failed; 0 ignored'".to_owned(), "2 tests failed"),
            (
                "echo 'test result: ok. 1 passed; 0 failed; 3 ignored'".to_owned(),
                "3 tests are marked as ignored",
            ),
            ("echo nothing here".to_owned(), "no test ran"),
        ] {
            let tally = run(Command::new("sh").args(["-c", &script]), &mut Vec::new()).unwrap();
            let found = tally.verdict().err().map(|error| error.to_string()).unwrap_or_default();
            assert!(
                found.starts_with(verdict) && found.is_empty() == verdict.is_empty(),
                "{script}: {found}"
            );
        }
    }
}

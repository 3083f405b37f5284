//! From the text of the file to its table, and what is wrong with the text, in plain language.
//!
//! A parser stops at its first error. Here each faulty line is explained and then corrected in memory, so that the rest
//! of the file, and what is wrong with its values, is reported in the same run. What was corrected never takes effect:
//! a file with a mistake is refused.
//!
//! - this file: the loop over faulty lines
//! - `diagnose`: what is wrong with a line, and how it is meant
//! - `line`: the parts of a line, and what of it may be shown

mod diagnose;
mod line;

use toml::Table;

use self::{
    diagnose::{Correction, Fault, diagnose},
    line::{is_header, key_of, shown},
};
use crate::{Mistakes, mistakes::Mistake};

/// Most faulty lines that are reported in one run. A file with more is no TOML at all.
const FAULTS_MAX: usize = 20;

/// A file's table, as far as its text can be read.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    /// The table, with faulty lines corrected; `None` where too much of it is unclear.
    pub(crate) table: Option<Table>,
    /// Keys whose lines had to be left out: that they are not there is no second mistake.
    left_out: Vec<String>,
    /// Names of tables that were explained already.
    names: Vec<String>,
}

impl Parsed {
    /// Whether a mistake about a value only follows from a faulty line that was reported.
    pub(crate) fn explains(&self, mistake: &Mistake) -> bool {
        let last = mistake.key.rsplit('.').next().unwrap_or_default();
        let is_missing = mistake.found == "nothing" && self.left_out.iter().any(|key| key == last);
        is_missing || self.names.iter().any(|name| mistake.found == format!("the name `{name}`"))
    }
}

/// Reads the text, and notes every faulty line.
pub(crate) fn read(text: &str, mistakes: &mut Mistakes) -> Parsed {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Ok(table) = text.parse() {
        return Parsed { table: Some(table), ..Parsed::default() };
    }
    let original: Vec<&str> = text.lines().collect();
    let mut lines: Vec<String> = original.iter().map(|line| (*line).to_owned()).collect();
    let mut parsed = Parsed::default();
    let mut corrected = Vec::new();
    for _ in 0..FAULTS_MAX {
        let text = lines.join("\n");
        let error = match text.parse::<Table>() {
            Ok(table) => return Parsed { table: Some(table), ..parsed },
            Err(error) => error,
        };
        let (line, column) = line_and_column(&text, error.span().map_or(0, |span| span.start));
        let mut fault = diagnose(&lines, line - 1, error.message());
        let again = corrected.contains(&fault.index);
        if !again {
            note(&original, &fault, if fault.index == line - 1 { column } else { 1 }, mistakes);
        } else if matches!(fault.correction, Correction::Line(_)) {
            fault.correction = Correction::LeaveOut;
        } else {
            return parsed;
        }
        corrected.push(fault.index);
        if !parsed.correct(&mut lines, fault) {
            return parsed;
        }
    }
    parsed
}

fn note(original: &[&str], fault: &Fault, column: usize, mistakes: &mut Mistakes) {
    let at = (fault.index + 1, column);
    let mut mistake =
        Mistake::new(format!("line {}, column {}", at.0, at.1), fault.found.clone(), fault.wanted.clone());
    mistake.position = Some(Box::new(at));
    mistake.line = original
        .get(fault.index)
        .map(|line| shown(line))
        .filter(|line| !line.is_empty())
        .map(String::into_boxed_str);
    mistakes.0.push(mistake);
}

impl Parsed {
    /// Corrects the fault, so that what follows can be read. Says whether it can.
    fn correct(&mut self, lines: &mut [String], fault: Fault) -> bool {
        self.names.extend(fault.name);
        let Some(line) = lines.get_mut(fault.index) else { return false };
        match fault.correction {
            Correction::Line(corrected) => {
                if *line == corrected {
                    return false;
                }
                *line = corrected;
            }
            Correction::LeaveOut => {
                if is_header(line) || line.trim().is_empty() {
                    return false;
                }
                self.left_out.extend(key_of(line));
                line.clear();
            }
            Correction::LeaveOutTable => {
                let rest = lines.iter_mut().skip(fault.index + 1);
                rest.take_while(|line| !is_header(line)).for_each(String::clear);
                lines[fault.index].clear();
            }
            Correction::None => return false,
        }
        true
    }
}

/// Where a byte of the text stands, both from 1; columns count characters.
fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

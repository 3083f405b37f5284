//! The two READMEs say the same in two languages, so they have the same shape.

use std::fmt;

use super::{Finding, TextFile};

const ENGLISH: &str = "README.md";
const CHINESE: &str = "README.zh-CN.md";

/// What a translation keeps: the levels of its headings in order, and the code it shows.
#[derive(PartialEq, Eq)]
struct Shape {
    headings: Vec<usize>,
    code_blocks: usize,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "headings of levels {:?} and {} pieces of code", self.headings, self.code_blocks)
    }
}

/// Compares the two.
pub(crate) fn check(files: &[TextFile]) -> Vec<Finding> {
    let read = |path: &str| files.iter().find(|file| file.path == path).map(|file| shape(&file.text));
    let (Some(english), Some(chinese)) = (read(ENGLISH), read(CHINESE)) else {
        let what = format!("{ENGLISH} and {CHINESE} are not both there");
        return vec![Finding { place: ENGLISH.to_owned(), what, mend: "write the one that is missing" }];
    };
    if english == chinese {
        return Vec::new();
    }
    let what = format!("{ENGLISH} has {english} and {CHINESE} has {chinese}");
    vec![Finding {
        place: ENGLISH.to_owned(),
        what,
        mend: "translate the sections and examples that one of them lacks",
    }]
}

fn shape(text: &str) -> Shape {
    let (mut headings, mut fences) = (Vec::new(), 0_usize);
    for line in text.lines() {
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        if line.trim_start().starts_with("```") {
            fences += 1;
        } else if fences.is_multiple_of(2) && level > 0 && line[level..].starts_with(' ') {
            headings.push(level);
        }
    }
    Shape { headings, code_blocks: fences.div_ceil(2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(english: &str, chinese: &str) -> usize {
        let file = |path: &str, text: &str| TextFile { path: path.to_owned(), text: text.to_owned() };
        check(&[file(ENGLISH, english), file(CHINESE, chinese)]).len()
    }

    #[test]
    fn translations_have_the_same_shape() {
        let english = "# Magpie\n\n## Start\n\n```sh\n# a comment\ncargo run\n```\n";
        for (chinese, expected) in [
            ("# 鹊桥\n## 开始\n```sh\ncargo run\n```\n", 0),
            ("# 鹊桥\n```sh\ncargo run\n```\n", 1),
            ("# 鹊桥\n# 开始\n```sh\ncargo run\n```\n", 1),
            ("# 鹊桥\n## 开始\n", 1),
            ("# 鹊桥\n## 开始\n```sh\n```\n```sh\n```\n", 1),
        ] {
            assert_eq!(findings(english, chinese), expected, "{chinese}");
        }
    }

    #[test]
    fn a_missing_readme_is_found() {
        assert_eq!(check(&[]).len(), 1);
    }
}

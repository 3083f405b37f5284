//! Lists of words, as mistakes tell them.

/// Every word of a closed list: `` `a`, `b` or `c` ``.
pub(crate) fn words<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str) -> String {
    let words: Vec<_> = all.iter().map(|&one| format!("`{}`", word(one))).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_stands_behind_or() {
        assert_eq!(words(&["a", "b", "c"], |word| word), "`a`, `b` or `c`");
        assert_eq!(words(&["a"], |word| word), "`a`");
    }
}

//! Text without its differences of case, so that a word is found however it is written.

/// What is between a full-width letter, as Chinese input methods write them, and the same letter in ASCII.
const FULL_WIDTH: u32 = 0xFEE0;

/// Folds a text: small letters only, full-width ones as ASCII. Letter by letter, so that what a letter becomes does not
/// depend on its neighbours.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            _ if letter.is_ascii() => folded.push(letter.to_ascii_lowercase()),
            // Scripts without case, which are most of what is written here.
            '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7AF}' => folded.push(letter),
            '\u{FF01}'..='\u{FF5E}' => {
                let ascii = char::from_u32(u32::from(letter) - FULL_WIDTH).unwrap_or(letter);
                folded.push(ascii.to_ascii_lowercase());
            }
            // First large, then small: some letters have two small forms.
            _ => folded.extend(letter.to_uppercase().flat_map(char::to_lowercase)),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_however_it_is_written() {
        for (written, word) in [
            ("Top SECRET", "secret"),
            ("ＳＥＣＲＥＴ", "secret"),
            ("Ｓｅｃｒｅｔ！", "secret!"),
            ("ΟΔΟΣ", "οδός".trim_end_matches("ός")),
            ("ΟΔΟΣΑ", "ΟΔΟΣ"),
            ("οδος", "ΟΔΟΣ"),
            ("STRASSE", "straße"),
            ("МАГИЯ", "магия"),
            ("这份机密文件", "机密"),
        ] {
            assert!(fold(written).contains(&fold(word)), "{written} {word}");
        }
        assert!(!fold("secre t").contains(&fold("secret")));
    }
}

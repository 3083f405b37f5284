use std::ops::Add;

use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation as _;

use super::*;

/// Characters, and bytes beside them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Size(usize, usize);

impl Add for Size {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0, self.1 + other.1)
    }
}

impl Weight for Size {
    fn of_char(c: char) -> Self {
        Self(1, c.len_utf8())
    }

    fn fits(self, limit: Self) -> bool {
        self.0 <= limit.0 && self.1 <= limit.1
    }
}

/// What [`fitting`] is to give, cluster by cluster from the beginning.
fn plainly(text: &str, used: Size, limit: Size) -> usize {
    let (mut taken, mut gap) = (used, 0);
    for (at, cluster) in text.grapheme_indices(true) {
        taken = taken + Size::of(cluster);
        if !taken.fits(limit) {
            return match at {
                0 => fitting_chars(cluster, used, limit),
                at if gap > at / 2 => gap,
                at => at,
            };
        }
        if cluster.ends_with(|c: char| c.is_whitespace() || "，。；：、！？".contains(c)) {
            gap = at + cluster.len();
        }
    }
    text.len()
}

/// Signs that join with what is before or behind them, among some that part words and some that do neither.
const SIGNS: [&str; 22] = [
    "a", "b", "字", " ", "，", "。", "\r", "\n", "\r\n", "\u{301}", "\u{200d}", "👩", "🚀", "🏽", "🇨", "🇳",
    "क", "\u{94d}", "ᄀ", "ᅡ", "ᆨ", "\u{600}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn a_cut_is_where_reading_from_the_beginning_puts_it(
        signs in proptest::collection::vec(proptest::sample::select(&SIGNS[..]), 1..60),
        used in 0_usize..4,
        limit in (1_usize..30, 1_usize..60),
    ) {
        let (text, used, limit) = (signs.concat(), Size(used, used), Size(limit.0, limit.1));
        prop_assert_eq!(fitting(&text, used, limit), plainly(&text, used, limit), "{:?}", text);
        let parts = cut(&text, used, limit);
        prop_assert_eq!(&parts.iter().map(|(part, _)| *part).collect::<String>(), &text);
        prop_assert!(parts.iter().all(|(part, weight)| *weight == Size::of(part)));
    }
}

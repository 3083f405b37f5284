//! Amounts of the operator's currency, exact to a millionth.

use routing::Micros;

/// What an amount must look like; part of every mistake about one.
pub(crate) const WANTED: &str = "an amount from 0 to 100000000, with at most six digits behind the point";

/// The largest amount, in whole units. With six digits behind the point it has fifteen, and so many come through the
/// floating-point number that TOML makes of them unchanged.
const MOST: u64 = 100_000_000;

/// Digits behind the point.
const DIGITS: usize = 6;

/// The amount that a decimal number says, without rounding.
pub(crate) fn micros(text: &str) -> Option<Micros> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > DIGITS || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let fraction: u64 = format!("{fraction:0<DIGITS$}").parse().ok()?;
    let amount = whole.checked_mul(1_000_000)?.checked_add(fraction)?;
    (amount <= MOST * 1_000_000).then_some(amount)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_exact_or_refused() {
        for (text, amount) in [
            ("0", Some(0)),
            ("0.5", Some(500_000)),
            ("1.5", Some(1_500_000)),
            ("0.1", Some(100_000)),
            ("0.000001", Some(1)),
            ("100000000", Some(100_000_000_000_000)),
            ("100000000.000001", None),
            ("0.0000001", None),
            ("-1", None),
            ("+1", Some(1_000_000)),
            ("inf", None),
            ("NaN", None),
            ("1.-5", None),
            ("", None),
        ] {
            assert_eq!(micros(text), amount, "{text}");
        }
    }

    proptest! {
        /// However an amount is written in the file, it comes through the parser's floating point unchanged.
        #[test]
        fn what_is_written_is_what_counts(amount in 0..=MOST * 1_000_000) {
            let text = format!("price = {}.{:06}", amount / 1_000_000, amount % 1_000_000);
            let table: toml::Table = text.parse().unwrap();
            prop_assert_eq!(micros(&table["price"].as_float().unwrap().to_string()), Some(amount));
        }
    }
}

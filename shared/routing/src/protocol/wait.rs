//! How long a server asks to be left alone.
//!
//! `Retry-After` (RFC 9110) in seconds, also with a fraction, or as a date; `retry-after-ms` (OpenAI, Azure); the time at
//! which an allowance that is used up is whole again (`x-ratelimit-reset-…` with its `…-remaining-…`, OpenAI and its
//! clones; `x-ratelimit-reset`, OpenRouter; `ratelimit-reset`, the IETF's draft); Google's `RetryInfo` in the body.

use std::time::{Duration, UNIX_EPOCH};

use http::{HeaderMap, header};
use serde_json::Value;

/// The longest wait that is believed; a longer one is a moment taken for a time.
const LONGEST: Duration = Duration::from_secs(31 * 24 * 60 * 60);

/// What these headers ask for, else what the body does.
pub(super) fn asked(headers: &HeaderMap, body: impl FnOnce() -> Option<Duration>) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let now = text(header::DATE.as_str()).and_then(|now| httpdate::parse_http_date(now).ok());
    let millis = || seconds(text("retry-after-ms")?).map(|wait| wait / 1000);
    let after = || {
        let wanted = text(header::RETRY_AFTER.as_str())?;
        seconds(wanted).or_else(|| {
            // Held against the server's own clock, so that neither has to be right; without it a date says nothing.
            let until = httpdate::parse_http_date(wanted).ok()?;
            Some(until.duration_since(now?).unwrap_or_default())
        })
    };
    let used_up = || ["requests", "tokens"].into_iter().filter_map(|of| allowance(text, of)).max();
    let reset = || {
        let wanted = text("ratelimit-reset").or_else(|| text("x-ratelimit-reset"))?;
        moment(seconds(wanted)?, now.and_then(|now| now.duration_since(UNIX_EPOCH).ok()))
    };
    let asked = millis().or_else(after).or_else(body).or_else(used_up).or_else(reset);
    asked.filter(|&wait| wait <= LONGEST)
}

/// What Google's body asks for.
pub(super) fn in_body(error: &Value) -> Option<Duration> {
    let details = error.get("details")?.as_array()?;
    let delay = details.iter().find_map(|detail| detail.get("retryDelay"))?;
    delay.as_str().and_then(span)
}

/// When an allowance is whole again, if it is used up.
fn allowance<'a>(text: impl Fn(&str) -> Option<&'a str>, of: &str) -> Option<Duration> {
    let left = text(&format!("x-ratelimit-remaining-{of}"))?;
    let reset = text(&format!("x-ratelimit-reset-{of}"))?;
    (left == "0").then(|| seconds(reset).or_else(|| span(reset)))?
}

/// A number of seconds since the epoch, or of milliseconds, as the time until then.
fn moment(number: Duration, now: Option<Duration>) -> Option<Duration> {
    const YEAR_2001: u64 = 1_000_000_000;
    let until = match number.as_secs() {
        seconds if seconds < YEAR_2001 => return Some(number),
        seconds if seconds < YEAR_2001 * 1000 => number,
        _ => number / 1000,
    };
    Some(until.saturating_sub(now?))
}

/// A number of seconds.
fn seconds(text: &str) -> Option<Duration> {
    let digits = |c: char| c.is_ascii_digit() || c == '.';
    let number = text.chars().all(digits).then(|| text.parse().ok())?;
    Duration::try_from_secs_f64(number?).ok()
}

/// A span as Go writes it and Google's JSON does: `1h2m3.5s`, `20ms`.
fn span(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut whole = Duration::ZERO;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (count, tail) = rest.split_at(number);
        let unit = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let factor = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            "us" | "µs" => 0.000_001,
            _ => return None,
        };
        let count: f64 = count.parse().ok()?;
        whole = whole.checked_add(Duration::try_from_secs_f64(count * factor).ok()?)?;
        rest = tail;
    }
    (!text.trim().is_empty()).then_some(whole)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn asked_by(headers: &[(&'static str, &'static str)]) -> Option<Duration> {
        let pair = |&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
        asked(&headers.iter().map(pair).collect(), || None)
    }

    #[test]
    fn every_way_of_asking_is_understood() {
        const NOW: (&str, &str) = ("date", "Sun, 22 Nov 2026 08:00:00 GMT");
        for (headers, millis) in [
            (&[("retry-after", "2")][..], Some(2000)),
            (&[("retry-after", "1.5")], Some(1500)),
            (&[("retry-after", "2"), ("retry-after-ms", "250")], Some(250)),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "99999999999999999999")], None),
            (&[NOW, ("retry-after", "Sun, 22 Nov 2026 08:01:30 GMT")], Some(90_000)),
            (&[("retry-after", "Sun, 22 Nov 2026 08:01:30 GMT")], None),
            (
                &[("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "1m2.5s")],
                Some(62_500),
            ),
            (&[("x-ratelimit-remaining-requests", "7"), ("x-ratelimit-reset-requests", "20ms")], None),
            (
                &[
                    ("x-ratelimit-remaining-requests", "0"),
                    ("x-ratelimit-reset-requests", "20ms"),
                    ("x-ratelimit-remaining-tokens", "0"),
                    ("x-ratelimit-reset-tokens", "6s"),
                ],
                Some(6000),
            ),
            (&[("ratelimit-reset", "30")], Some(30_000)),
            (&[NOW, ("x-ratelimit-reset", "1795334460")], Some(60_000)),
            (&[NOW, ("x-ratelimit-reset", "1795334460000")], Some(60_000)),
            (&[NOW, ("x-ratelimit-reset", "1795334300")], Some(0)),
            (&[("x-ratelimit-reset", "1795334460")], None),
            (&[], None),
        ] {
            assert_eq!(asked_by(headers), millis.map(Duration::from_millis), "{headers:?}");
        }
    }

    #[test]
    fn spans_are_read_or_left() {
        for (text, millis) in [
            ("34.07s", Some(34_070)),
            ("0s", Some(0)),
            ("1h2m3s", Some(3_723_000)),
            ("20ms", Some(20)),
            ("", None),
            ("5", None),
            ("s", None),
            ("1.2.3s", None),
            ("1w", None),
            ("-1s", None),
        ] {
            assert_eq!(span(text), millis.map(Duration::from_millis), "{text:?}");
        }
    }
}

//! How the endpoints fare, at `/healthz` and for `magpie route`.

use std::time::Duration;

use chat::Timestamp;
use routing::{
    Place,
    health::{Failing, Gate, Sign},
};
use serde::{Deserialize, Serialize};

/// How one endpoint fares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Health {
    pub(crate) name: String,
    place: Place,
    state: State,
    /// For how much longer it is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seconds: Option<u64>,
    in_work: u32,
    /// How long its first token took of late; absent before the first answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_token_millis: Option<u64>,
    /// What it failed with since it last answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<LastError>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// It is asked.
    Ready,
    /// It is asked, and has not answered since it failed.
    Failing,
    /// It failed, and the next question tries whether it is back.
    Probing,
    /// It failed, and is asked only when nobody else is left.
    LeftAlone,
}

/// The failures since the last answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct LastError {
    /// The class of the last one.
    class: String,
    /// Its HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// What the server said of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// When the first one was, as RFC 3339 has it.
    since: String,
    /// How many there were.
    count: u64,
}

impl From<Failing> for LastError {
    fn from(failing: Failing) -> Self {
        let Failing { class, status, message, since, count } = failing;
        let since = jiff::Timestamp::from_millisecond(since.as_millis()).map_or_else(
            |_| since.as_millis().to_string(),
            |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        );
        Self { class: class.to_owned(), status, message, since, count }
    }
}

/// Of every endpoint, in configured order.
pub(crate) fn of(signs: Vec<Sign>, now: Timestamp) -> Vec<Health> {
    let health = |sign: Sign| {
        let (state, seconds) = match sign.gate {
            Gate::Closed if sign.failing.is_some() => (State::Failing, None),
            Gate::Closed => (State::Ready, None),
            Gate::Probing => (State::Probing, None),
            Gate::Open { until } => (State::LeftAlone, Some(until.millis_since(now).div_ceil(1000))),
        };
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Health {
            name: sign.endpoint,
            place: sign.place,
            state,
            seconds,
            in_work: sign.in_work,
            first_token_millis: sign.first_token.map(millis),
            last_error: sign.failing.map(LastError::from),
        }
    };
    signs.into_iter().map(health).collect()
}

/// For a person at a terminal.
impl std::fmt::Display for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.state, self.seconds) {
            (State::LeftAlone, Some(seconds)) => write!(f, "failed, left alone for {seconds} s")?,
            (State::LeftAlone, None) => f.write_str("failed, left alone")?,
            (State::Probing, _) => f.write_str("failed, tried again now")?,
            (State::Failing, _) => f.write_str("failing")?,
            (State::Ready, _) => f.write_str("ready")?,
        }
        if let Some(millis) = self.first_token_millis {
            write!(f, ", first token {millis} ms")?;
        }
        if self.in_work > 0 {
            write!(f, ", {} in work", self.in_work)?;
        }
        let Some(error) = &self.last_error else { return Ok(()) };
        write!(f, ", {} times since {}: {}", error.count, error.since, error.class)?;
        if let Some(status) = error.status {
            write!(f, ", status {status}")?;
        }
        error.message.iter().try_for_each(|message| write!(f, ": {message}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign(name: &str, gate: Gate, first_token: Option<u64>, in_work: u32) -> Sign {
        let first_token = first_token.map(Duration::from_millis);
        Sign { endpoint: name.to_owned(), place: Place::Local, gate, in_work, first_token, failing: None }
    }

    fn failing(sign: Sign) -> Sign {
        let message = Some("no such model".to_owned());
        let since = Timestamp::from_millis(1_790_000_000_000);
        let failing = Failing { class: "bad_request", status: Some(404), message, since, count: 3 };
        Sign { failing: Some(failing), ..sign }
    }

    #[test]
    fn each_state_is_told_to_programs_and_to_people() {
        let now = Timestamp::from_millis(1_000);
        let until = Timestamp::from_millis(5_500);
        let signs = vec![
            sign("a", Gate::Closed, Some(120), 2),
            sign("b", Gate::Open { until }, None, 0),
            sign("c", Gate::Probing, None, 0),
            failing(sign("d", Gate::Closed, None, 0)),
        ];
        let health = of(signs, now);
        let json = serde_json::to_value(&health).unwrap();
        let error = serde_json::json!({
            "class": "bad_request", "status": 404, "message": "no such model", "since": "2026-09-21T14:13:20Z",
            "count": 3,
        });
        assert_eq!(
            json,
            serde_json::json!([
                { "name": "a", "place": "local", "state": "ready", "in_work": 2, "first_token_millis": 120 },
                { "name": "b", "place": "local", "state": "left_alone", "seconds": 5, "in_work": 0 },
                { "name": "c", "place": "local", "state": "probing", "in_work": 0 },
                { "name": "d", "place": "local", "state": "failing", "in_work": 0, "last_error": error },
            ])
        );
        let said: Vec<_> = health.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "ready, first token 120 ms, 2 in work",
                "failed, left alone for 5 s",
                "failed, tried again now",
                "failing, 3 times since 2026-09-21T14:13:20Z: bad_request, status 404: no such model",
            ]
        );
        assert_eq!(serde_json::from_value::<Vec<Health>>(json).unwrap(), health);
    }
}

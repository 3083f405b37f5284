//! How the endpoints fare, at `/healthz` and for `magpie route`.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use chat::Timestamp;
use routing::{
    Place,
    health::{Gate, Sign},
};
use serde::{Deserialize, Serialize};
use transport::{Limits, OutRequest, Transport};

/// What a look at a running Magpie may take.
const LIMITS: Limits = Limits { total: Duration::from_millis(800), bytes: 1024 * 1024 };

/// How one endpoint fares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Health {
    name: String,
    place: Place,
    state: State,
    /// For how much longer it is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<u64>,
    in_work: u32,
    /// How long its first token took of late; absent before the first answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_token_millis: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// It is asked.
    Ready,
    /// It failed, and the next question tries whether it is back.
    Probing,
    /// It failed, and is asked only when nobody else is left.
    LeftAlone,
}

/// Of every endpoint, in configured order.
pub(crate) fn of(signs: Vec<Sign>, now: Timestamp) -> Vec<Health> {
    let health = |sign: Sign| {
        let (state, seconds) = match sign.gate {
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
        }
    };
    signs.into_iter().map(health).collect()
}

/// What `/healthz` says, as far as it is of use here.
#[derive(Deserialize)]
struct Said {
    endpoints: Vec<Health>,
}

/// What a Magpie that runs at this address knows of the endpoints, by name; nothing when none runs there.
pub(crate) async fn of_running(transport: &dyn Transport, address: SocketAddr) -> BTreeMap<String, Health> {
    let Ok(base) = crate::connections::own_url(address) else { return BTreeMap::new() };
    let Ok(url) = base.join("healthz") else { return BTreeMap::new() };
    let answer = transport.call(OutRequest::get(url), LIMITS).await;
    let said = answer.ok().and_then(|answer| serde_json::from_slice::<Said>(&answer.body).ok());
    let endpoints = said.map(|said| said.endpoints).unwrap_or_default();
    endpoints.into_iter().map(|health| (health.name.clone(), health)).collect()
}

/// For a person at a terminal.
impl std::fmt::Display for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.state, self.seconds) {
            (State::LeftAlone, Some(seconds)) => write!(f, "failed, left alone for {seconds} s")?,
            (State::LeftAlone, None) => f.write_str("failed, left alone")?,
            (State::Probing, _) => f.write_str("failed, tried again now")?,
            (State::Ready, _) => f.write_str("ready")?,
        }
        if let Some(millis) = self.first_token_millis {
            write!(f, ", first token {millis} ms")?;
        }
        if self.in_work > 0 {
            write!(f, ", {} in work", self.in_work)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign(name: &str, gate: Gate, first_token: Option<u64>, in_work: u32) -> Sign {
        let first_token = first_token.map(Duration::from_millis);
        Sign { endpoint: name.to_owned(), place: Place::Local, gate, in_work, first_token }
    }

    #[test]
    fn each_state_is_told_to_programs_and_to_people() {
        let now = Timestamp::from_millis(1_000);
        let until = Timestamp::from_millis(5_500);
        let signs = vec![
            sign("a", Gate::Closed, Some(120), 2),
            sign("b", Gate::Open { until }, None, 0),
            sign("c", Gate::Probing, None, 0),
        ];
        let health = of(signs, now);
        let json = serde_json::to_value(&health).unwrap();
        assert_eq!(
            json,
            serde_json::json!([
                { "name": "a", "place": "local", "state": "ready", "in_work": 2, "first_token_millis": 120 },
                { "name": "b", "place": "local", "state": "left_alone", "seconds": 5, "in_work": 0 },
                { "name": "c", "place": "local", "state": "probing", "in_work": 0 },
            ])
        );
        let said: Vec<_> = health.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            ["ready, first token 120 ms, 2 in work", "failed, left alone for 5 s", "failed, tried again now"]
        );
        assert_eq!(serde_json::from_value::<Vec<Health>>(json).unwrap(), health);
    }
}

//! Calls to the outside, which fail in every way that calls fail.

use std::sync::Arc;

use async_trait::async_trait;
use chat::TurnKey;
use transport::{Limits, NetError, OutRequest, OutResponse, Transport};

use crate::{
    faults::Fault,
    model,
    platforms::{self, Purpose},
    sim::{Pace, Sim, State},
};

/// The transport.
pub(crate) struct Wire(pub(crate) Arc<Sim>);

/// What will become of one call.
enum Fate {
    /// It arrives, and so does its answer.
    Served,
    /// It arrives, and something else comes back.
    Garbled(Result<OutResponse, NetError>),
    /// It does not arrive, and this comes back.
    Stopped(Result<OutResponse, NetError>),
}

#[async_trait]
impl Transport for Wire {
    async fn call(&self, request: OutRequest, limits: Limits) -> Result<OutResponse, NetError> {
        let total = i64::try_from(limits.total.as_millis()).unwrap_or(i64::MAX);
        let purpose = Purpose::of(&request);
        let (fate, early, wait, issued) = self.0.with(|state| {
            let (fate, wait) = fate(state, &purpose, total);
            (fate, state.chance.bool(), wait, state.now)
        });
        let garbled = match fate {
            Fate::Stopped(answer) => {
                self.0.rest(wait.min(total)).await;
                return answer;
            }
            Fate::Garbled(answer) => Some(answer),
            Fate::Served => None,
        };
        let serve = || self.0.with(|state| platforms::serve(state, &purpose, &request));
        let answer = if early {
            let answer = serve();
            self.0.rest(wait.min(total)).await;
            answer
        } else {
            self.0.rest(wait.min(total)).await;
            // A process that stood still meanwhile has hung up: nothing of the call goes out any more.
            if self.0.now().as_millis() - issued > total {
                return Err(NetError::Timeout);
            }
            serve()
        };
        if wait > total {
            return Err(NetError::Timeout);
        }
        garbled.unwrap_or(Ok(answer))
    }
}

fn fate(state: &mut State, purpose: &Purpose, total: i64) -> (Fate, i64) {
    if *purpose == Purpose::Model {
        return model_fate(state);
    }
    let wait = state.pace(Pace::Call);
    if state.fails(Fault::TokenEnded) {
        state.platforms.end_tokens();
        state.oracle.token_ends += 1;
    }
    if !purpose.is_send() {
        let down = state.fails(Fault::TokenDown);
        return (if down { Fate::Stopped(Err(NetError::Broken)) } else { Fate::Served }, wait);
    }
    let turn = state.turn();
    let said = |answer| (Fate::Stopped(Ok(answer)), wait);
    if state.fails(Fault::SendRefused) {
        tell(turn, |turn| state.oracle.refused(turn));
        said(platforms::refuse(purpose))
    } else if state.fails(Fault::SendBusy) {
        let seconds = state.chance.u64(1..15);
        said(platforms::postpone(purpose, seconds))
    } else if state.fails(Fault::SendBlocked) {
        said(platforms::postpone(purpose, 60))
    } else if state.fails(Fault::SendUnreachable) {
        (Fate::Stopped(Err(NetError::Unreachable)), wait)
    } else {
        uncertain(state, wait, total)
    }
}

/// The faults after which nobody knows whether the platform has it.
fn uncertain(state: &mut State, wait: i64, total: i64) -> (Fate, i64) {
    let turn = state.turn();
    let (fate, wait) = if state.fails(Fault::SendVanished) {
        (Fate::Stopped(Err(NetError::Timeout)), total)
    } else if state.fails(Fault::SendLost) {
        (Fate::Garbled(Err(NetError::Broken)), wait)
    } else if state.fails(Fault::SendGarbled) {
        (Fate::Garbled(Ok(platforms::page(200))), wait)
    } else if state.fails(Fault::SendGateway) {
        let page = Ok(platforms::page(502));
        (if state.chance.bool() { Fate::Garbled(page) } else { Fate::Stopped(page) }, wait)
    } else if state.fails(Fault::SendSlow) {
        (Fate::Served, state.chance.i64(3_000..15_000))
    } else {
        return (Fate::Served, wait);
    };
    tell(turn, |turn| state.oracle.troubled(turn));
    (fate, wait)
}

fn model_fate(state: &mut State) -> (Fate, i64) {
    let wait = state.pace(Pace::Model);
    let turn = state.turn();
    let (fate, wait) = if state.fails(Fault::ModelDown) {
        (Fate::Stopped(Err(NetError::Unreachable)), wait)
    } else if state.fails(Fault::ModelEmpty) {
        (Fate::Garbled(Ok(model::empty())), wait)
    } else if state.fails(Fault::ModelGarbled) {
        (Fate::Garbled(Ok(platforms::page(503))), wait)
    } else if state.fails(Fault::ModelSlow) {
        (Fate::Served, state.chance.i64(20_000..200_000))
    } else {
        return (Fate::Served, wait);
    };
    tell(turn, |turn| state.oracle.modelless(turn));
    (fate, wait)
}

fn tell(turn: Option<TurnKey>, act: impl FnOnce(&TurnKey)) {
    if let Some(turn) = turn {
        act(&turn);
    }
}

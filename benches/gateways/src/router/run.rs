//! All of it, several times.

use std::{net::SocketAddr, thread};

use anyhow::Context as _;
use tokio::sync::oneshot;

use super::{
    Found, SHAPES,
    cost::Cost,
    load::{self, Span},
    machine::Split,
    paired,
    plan::Plan,
    stillness::Still,
};
use crate::{
    gateway::{Product, Programs, Track},
    mock::Mock,
    scale::Scale,
};

/// Does what the plan says, and tells what it is about to do.
///
/// # Errors
///
/// When a gateway does not start, or the mock itself fails.
pub async fn run(plan: &Plan, programs: &Programs, tell: impl Fn(String)) -> anyhow::Result<Vec<Found>> {
    let split = Split::here()?;
    let (mock, _stop) = mock_on_its_own_thread()?;
    let mut found = Vec::new();
    for number in 1..=plan.runs {
        tell(format!("run {number} of {}: starting {} gateways", plan.runs, plan.products.len() - 1));
        split.go_there()?;
        let mut tracks = Vec::new();
        for product in &plan.products {
            tracks.push((*product, Track::start(*product, programs, mock).await?));
        }
        split.go_home()?;
        found.push(once(plan, &tracks, &tell).await?);
    }
    Ok(found)
}

async fn once(plan: &Plan, tracks: &[(Product, Track)], tell: &impl Fn(String)) -> anyhow::Result<Found> {
    let mut found = Found::default();
    let addresses: Vec<_> = tracks.iter().map(|(product, track)| (*product, &track.address)).collect();
    for shape in SHAPES {
        tell(format!("one connection: {shape}"));
        found.paired.extend(paired::run(shape, plan.rounds_of(shape), &addresses).await?);
    }
    let mut order: Vec<_> = tracks.iter().collect();
    fastrand::shuffle(&mut order);
    for (product, track) in order {
        tell(format!("many connections: {product}"));
        let process = track.process.as_ref().map(|process| process.id);
        let others = tracks.iter().filter_map(|(_, track)| Some(track.process.as_ref()?.id));
        let _still = Still::of(others.filter(|other| Some(*other) != process))?;
        for connections in &plan.connections {
            for shape in &plan.loaded {
                let span = Span { warm_up: plan.load_warm_up, counted: plan.load };
                let asked = (*shape, *connections);
                found.loaded.push(load::run(*product, &track.address, process, asked, span).await);
            }
        }
    }
    for (product, track) in tracks {
        if let Some(process) = &track.process {
            found.memory.push((*product, Cost::of(process.id).peak_kb));
        }
    }
    Ok(found)
}

/// The mock, with a thread and a runtime to itself, so that it and the client do not wait for each other.
fn mock_on_its_own_thread() -> anyhow::Result<(SocketAddr, oneshot::Sender<()>)> {
    let (started, address) = std::sync::mpsc::channel();
    let (stop, stopped) = oneshot::channel();
    thread::Builder::new().name("mock".to_owned()).spawn(move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return drop(started.send(Err(error.into()))),
        };
        runtime.block_on(async {
            let mock = Mock::start(Scale::REAL).await;
            let address = mock.as_ref().map(|mock| mock.address);
            let _ = started.send(address.map_err(|error| anyhow::anyhow!("{error:#}")));
            // Until whoever wanted it is gone.
            let _ = stopped.await;
        });
    })?;
    Ok((address.recv().context("the mock did not start")??, stop))
}

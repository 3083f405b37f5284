//! That a server verifies what it acknowledges: one that takes everything would be the quickest of all.

use anyhow::{Context as _, bail};
use gateways::client::{Address, Connection};
use http::StatusCode;

use crate::{open::post, webhook::Maker};

/// Sends a genuine webhook, which must be acknowledged, and forged ones, which must not.
///
/// # Errors
///
/// When the server does anything else; the error says what.
pub async fn check(address: &Address, maker: &Maker, question: usize) -> anyhow::Result<()> {
    let mut connection = Connection::to(address.socket);
    let status = post(&mut connection, address, &maker.make(question)).await.context("a genuine webhook")?;
    if status != StatusCode::OK {
        bail!("a genuine webhook got {status}");
    }
    for (why, forged) in maker.forge(question) {
        let status =
            post(&mut connection, address, &forged).await.with_context(|| format!("a webhook {why}"))?;
        if status.is_success() {
            bail!("a forged webhook was acknowledged with {status}: {why}");
        }
    }
    Ok(())
}

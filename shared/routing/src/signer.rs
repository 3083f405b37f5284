//! Signing calls to services that know their caller by a role and not by a key.

use async_trait::async_trait;
use transport::OutRequest;

/// Signs calls in the name of whoever runs this.
#[async_trait]
pub trait Signer: Send + Sync {
    /// The same call, signed. One that cannot be signed goes as it is, and the service then says what it misses.
    async fn sign(&self, request: OutRequest) -> OutRequest;
}

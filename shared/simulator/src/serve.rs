//! A router on a port of its own.

use tokio::{net::TcpListener, task::JoinHandle};
use url::Url;

/// A server that runs until this is dropped.
pub struct Served {
    /// Where it listens: `http://127.0.0.1:{port}/`.
    pub url: Url,
    task: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves on a free port of 127.0.0.1.
///
/// # Errors
///
/// When no port can be bound.
pub async fn serve(router: axum::Router) -> std::io::Result<Served> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = Url::parse(&format!("http://{}/", listener.local_addr()?)).map_err(std::io::Error::other)?;
    let task = tokio::spawn(async move {
        // Ends only with the listener, and then there is nobody left to tell.
        let _ = axum::serve(listener, router).await;
    });
    Ok(Served { url, task })
}

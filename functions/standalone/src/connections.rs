//! Incoming connections, from the first to the orderly end of the last.
//!
//! As `axum::serve` does it, with limits of our own: what a connection reads at once, and how long it may say nothing.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    serve::{Listener as _, ListenerExt as _},
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::watch};
use url::Url;

/// How much a connection reads at once, in bytes, and so the most that the head of a request may have.
///
/// What a connection has once read into it keeps for its life. Unlimited, a program that sends long conversations
/// leaves 64 KiB behind on each of its connections; no head is as long as this.
const READ_AT_ONCE: usize = 16 << 10;

/// How long a connection may take for the head of its next request, idle time included: longer than load balancers
/// keep an idle connection (60 s), so that they close it and not we, just as their next request arrives.
const NEXT_HEAD_WITHIN: Duration = Duration::from_secs(75);

/// Serves until it is told to stop, and then until the last request is answered.
pub(crate) async fn serve(listener: TcpListener, routes: Router, mut stop: watch::Receiver<bool>) {
    // Small pieces of an answer must not wait for the peer's delayed acknowledgement (40 ms). A connection that
    // refuses the option serves all the same.
    let mut listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(NEXT_HEAD_WITHIN).max_buf_size(READ_AT_ONCE);
    let open = GracefulShutdown::new();
    loop {
        let (connection, _) = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let service = TowerToHyperService::new(routes.clone());
        let connection = open.watch(http.serve_connection(TokioIo::new(connection), service));
        // How a connection ends is the peer's affair: whoever asked was answered, or is not there any more.
        tokio::spawn(async move { drop(connection.await) });
    }
    drop(listener);
    open.shutdown().await;
}

/// Where this process reaches itself: the address it listens on, or loopback when it listens on all.
pub(crate) fn own_url(address: SocketAddr) -> anyhow::Result<Url> {
    let ip = if address.ip().is_unspecified() { "127.0.0.1".to_owned() } else { address.ip().to_string() };
    let host = if ip.contains(':') { format!("[{ip}]") } else { ip };
    Ok(Url::parse(&format!("http://{host}:{}/", address.port()))?)
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
        time::Instant,
    };

    use super::*;

    /// Time stands still here but for what somebody waits for.
    #[tokio::test(start_paused = true)]
    async fn a_connection_that_does_not_finish_a_head_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (_stop, stopping) = watch::channel(false);
        tokio::spawn(serve(listener, Router::new(), stopping));
        for head in ["", "GET /healthz HTTP/1.1\r\nHost: "] {
            let mut connection = TcpStream::connect(address).await.unwrap();
            connection.write_all(head.as_bytes()).await.unwrap();
            let began = Instant::now();
            let mut answer = Vec::new();
            let ended = tokio::time::timeout(2 * NEXT_HEAD_WITHIN, connection.read_to_end(&mut answer)).await;
            assert!(ended.is_ok(), "{head:?} is still waited for");
            assert!(began.elapsed() >= NEXT_HEAD_WITHIN, "{head:?} ended after {:?}", began.elapsed());
        }
    }
}

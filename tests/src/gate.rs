//! A gate before a server: shut, it cuts every connection and lets nobody in.

use std::net::SocketAddr;

use anyhow::Context as _;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use url::Url;

/// A port of our own before a server's. Calls that are under way when it is shut may have been carried out, and nobody
/// hears of it.
pub struct Gate {
    /// Where it stands: `http://127.0.0.1:{port}/`.
    pub url: Url,
    open: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Gate {
    /// An open gate before the server at this URL, which is on this machine.
    ///
    /// # Errors
    ///
    /// When the URL has no port, or none can be had.
    pub async fn before(server: &str) -> anyhow::Result<Self> {
        let port = Url::parse(server)?.port().context("a server's URL has a port")?;
        let server = SocketAddr::from(([127, 0, 0, 1], port));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = Url::parse(&format!("http://{}/", listener.local_addr()?))?;
        let (open, state) = watch::channel(true);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server, state.clone()));
            }
        });
        Ok(Self { url, open, task })
    }

    /// Cuts every connection; new ones are closed as soon as they are made.
    pub fn shut(&self) {
        self.open.send_replace(false);
    }

    /// Lets calls through again.
    pub fn open(&self) {
        self.open.send_replace(true);
    }
}

async fn pass(mut client: TcpStream, server: SocketAddr, mut state: watch::Receiver<bool>) {
    if !*state.borrow_and_update() {
        return;
    }
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = state.wait_for(|open| !open) => {}
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn a_shut_gate_cuts_and_an_open_one_lets_through() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gate = Gate::before(&format!("http://{}", server.local_addr().unwrap())).await.unwrap();
        let address = format!("127.0.0.1:{}", gate.url.port().unwrap());
        for _ in 0..2 {
            let mut client = TcpStream::connect(&address).await.unwrap();
            let (mut served, _) = server.accept().await.unwrap();
            client.write_all(b"ping").await.unwrap();
            let mut heard = [0; 4];
            served.read_exact(&mut heard).await.unwrap();
            assert_eq!(&heard, b"ping");
            gate.shut();
            assert_eq!(client.read(&mut heard).await.unwrap_or(0), 0, "cut");
            let mut refused = TcpStream::connect(&address).await.unwrap();
            assert_eq!(refused.read(&mut heard).await.unwrap_or(0), 0, "nobody is let in");
            gate.open();
        }
    }
}

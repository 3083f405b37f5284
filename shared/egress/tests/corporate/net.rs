//! A company's network on loopback: a certificate authority, a TLS server with a certificate of it, and a proxy.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use egress::{Authority, Egress, EgressOptions, Proxy};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};
use transport::{Limits, NetError, OutRequest, OutResponse, Transport as _, Via};

/// Long enough for any call that a test expects to end by itself.
pub(crate) const LONG: Duration = Duration::from_secs(20);
/// Short enough to be waited for.
pub(crate) const SHORT: Duration = Duration::from_millis(200);

/// What a server read, in the order of its connections.
pub(crate) type Seen = Arc<Mutex<Vec<String>>>;

/// The company's certificate authority.
pub(crate) struct Ca {
    pub(crate) pem: String,
    pub(crate) der: Vec<u8>,
    pub(crate) key_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Ca {
    /// Valid in these years.
    pub(crate) fn new(name: &str, years: (i32, i32)) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
        params.not_after = rcgen::date_time_ymd(years.1, 1, 1);
        let key = KeyPair::generate().unwrap();
        let key_pem = key.serialize_pem();
        let certificate = params.self_signed(&key).unwrap();
        let (pem, der) = (certificate.pem(), certificate.der().to_vec());
        Self { pem, der, key_pem, issuer: Issuer::new(params, key) }
    }

    /// A server of this name, with a certificate of this authority. It answers every request with `200` and `ok`.
    pub(crate) async fn serve(&self, name: &str) -> (SocketAddr, Seen) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Seen::default();
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that does not trust the certificate ends the handshake.
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let Some(head) = head(&mut stream).await else { continue };
                log.lock().unwrap().push(head);
                let _ = stream.write_all(OK.as_bytes()).await;
            }
        });
        (address, seen)
    }
}

/// What every server here answers.
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

/// What a proxy does with a call.
#[derive(Clone, Copy)]
pub(crate) enum Does {
    /// Connects to this server, whatever host it is asked for.
    Connect(SocketAddr),
    /// Answers in its own name.
    Answer(&'static str),
    /// Answers as the server would, which is what it does outside a tunnel.
    Forward,
    /// Reads the call and says nothing.
    Hang,
    /// Ends the connection.
    Close,
}

/// A proxy, and the heads of the calls that reached it.
pub(crate) async fn proxy(does: Does) -> (SocketAddr, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Seen::default();
    let log = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(relay(stream, does, Arc::clone(&log)));
        }
    });
    (address, seen)
}

async fn relay(mut client: TcpStream, does: Does, seen: Seen) {
    let Some(head) = head(&mut client).await else { return };
    seen.lock().unwrap().push(head);
    match does {
        Does::Connect(server) => {
            let mut server = TcpStream::connect(server).await.unwrap();
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
        Does::Answer(text) => client.write_all(text.as_bytes()).await.unwrap(),
        Does::Forward => client.write_all(OK.as_bytes()).await.unwrap(),
        Does::Hang => std::future::pending().await,
        Does::Close => {}
    }
}

/// The head of one request.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let (mut text, mut buffer) = (String::new(), [0; 4096]);
    while !text.contains("\r\n\r\n") {
        let read = stream.read(&mut buffer).await.ok().filter(|&read| read > 0)?;
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    Some(text)
}

/// A client of this network.
pub(crate) fn client(authorities: &[&Ca], proxy: Option<&str>, connect_timeout: Duration) -> Egress {
    let authorities = authorities.iter().flat_map(|ca| Authority::read(ca.pem.as_bytes()).unwrap());
    Egress::new(EgressOptions {
        connect_timeout,
        authorities: authorities.collect(),
        proxy: proxy.map(|text| Proxy::parse(text).unwrap()),
        ..EgressOptions::default()
    })
    .unwrap()
}

pub(crate) async fn call(client: &Egress, url: &str, via: Via) -> Result<OutResponse, NetError> {
    let limits = Limits { total: LONG, bytes: 100 };
    client.call(OutRequest::get(url.parse().unwrap()).via(via), limits).await
}

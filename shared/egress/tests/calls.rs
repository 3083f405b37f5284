//! Calls to a server that follows a script, byte by byte.
#![expect(clippy::unwrap_used, reason = "a test whose server cannot be set up has failed")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use egress::{Egress, EgressError, EgressOptions};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use transport::{Limits, NetError, OutRequest, OutResponse, Transport as _};
use url::Url;

/// One thing that the server does on a connection. After the last one it closes the connection.
#[derive(Clone, Copy)]
enum Step {
    /// Reads one request, head and body.
    Read,
    /// Writes these bytes.
    Write(&'static str),
    /// Neither reads nor writes, and keeps the connection.
    Hold,
}
use Step::{Hold, Read, Write};

/// What the server read: the number of the connection, and the request.
type Seen = Arc<Mutex<Vec<(usize, String)>>>;

/// A server whose connections follow these scripts, first come first served.
async fn server(scripts: Vec<Vec<Step>>) -> (Url, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/path?q=1", listener.local_addr().unwrap()).parse().unwrap();
    let seen = Seen::default();
    let log = Arc::clone(&seen);
    tokio::spawn(async move {
        for (number, script) in scripts.into_iter().enumerate() {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(follow(stream, script, number, Arc::clone(&log)));
        }
    });
    (url, seen)
}

async fn follow(mut stream: TcpStream, script: Vec<Step>, number: usize, seen: Seen) {
    for step in script {
        match step {
            Read => {
                let Some(request) = read(&mut stream).await else { return };
                seen.lock().unwrap().push((number, request));
            }
            Write(text) => stream.write_all(text.as_bytes()).await.unwrap(),
            Hold => std::future::pending().await,
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<String> {
    let (mut text, mut buffer) = (String::new(), [0; 4096]);
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |n| n.parse().unwrap()) {
                return Some(text);
            }
        }
        let read = stream.read(&mut buffer).await.ok().filter(|&n| n > 0)?;
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
}

fn egress(connect_timeout: Duration) -> Egress {
    Egress::new(EgressOptions {
        connect_timeout,
        user_agent: "magpie/test".into(),
        ..EgressOptions::default()
    })
    .unwrap()
}

/// Long enough for any call that a test expects to succeed.
const LONG: Duration = Duration::from_secs(20);
/// Short enough to be waited for.
const SHORT: Duration = Duration::from_millis(100);

async fn call(url: &Url, total: Duration, bytes: usize) -> Result<OutResponse, NetError> {
    egress(LONG).call(OutRequest::get(url.clone()), Limits { total, bytes }).await
}

/// One connection with this script, one call with these limits.
async fn outcome(script: &[Step], total: Duration, bytes: usize) -> Result<String, NetError> {
    let (url, _) = server(vec![script.to_vec()]).await;
    let answer = call(&url, total, bytes).await?;
    Ok(String::from_utf8(answer.body.to_vec()).unwrap())
}

/// Says when the last who holds it has let go.
struct Held(Option<oneshot::Sender<()>>);

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        b"a long conversation"
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.take().unwrap().send(());
    }
}

#[tokio::test]
async fn what_is_sent_is_not_kept_until_the_answer() {
    let (url, _) = server(vec![vec![Read, Hold]]).await;
    let (held, let_go) = oneshot::channel();
    let request = OutRequest { body: Bytes::from_owner(Held(Some(held))), ..OutRequest::post_json(url, "") };
    let egress = egress(LONG);
    tokio::select! {
        gone = let_go => gone.unwrap(),
        answer = egress.call(request, Limits { total: LONG, bytes: 3 }) => panic!("still held at {answer:?}"),
    }
}

#[tokio::test]
async fn a_call_arrives_as_it_was_described() {
    let answer = "HTTP/1.1 418 Odd\r\nx-kind: tea\r\ncontent-length: 3\r\n\r\npot";
    let (url, seen) = server(vec![vec![Read, Write(answer)]]).await;
    let request =
        OutRequest::post_json(url, "{\"a\":1}").with_secret_header(http::header::AUTHORIZATION, "Bearer k");
    let response = egress(LONG).call(request, Limits { total: LONG, bytes: 3 }).await.unwrap();
    assert_eq!(response.status, 418);
    assert_eq!(response.headers["x-kind"], "tea");
    assert_eq!(response.body, "pot");

    let seen = seen.lock().unwrap();
    let (head, body) = seen[0].1.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /path?q=1 HTTP/1.1\r\n"), "{head}");
    assert_eq!(body, "{\"a\":1}");
    for line in [
        "content-type: application/json; charset=utf-8",
        "authorization: Bearer k",
        "user-agent: magpie/test",
    ] {
        assert!(head.lines().any(|l| l == line), "{line} in {head}");
    }
    assert!(!head.contains("accept-encoding"), "{head}");
}

#[tokio::test]
async fn answers_end_where_they_say_or_not_at_all() {
    const WHOLE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
    const CHUNKED: &str =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
    const UNTIL_CLOSED: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello";
    const CUT: &str = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello";
    const CUT_CHUNKS: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
    let hello = || Ok("hello".to_owned());
    for (script, expected) in [
        (vec![Read, Write(WHOLE)], hello()),
        (vec![Read, Write(CHUNKED)], hello()),
        (vec![Read, Write(UNTIL_CLOSED)], hello()),
        (vec![Read, Write("HTTP/1.1 204 No Content\r\n\r\n")], Ok(String::new())),
        (vec![Read, Write(CUT)], Err(NetError::Broken)),
        (vec![Read, Write(CUT_CHUNKS)], Err(NetError::Broken)),
        (vec![Read], Err(NetError::Broken)),
        (vec![Read, Write("HTTP/1.1 200")], Err(NetError::Broken)),
        (vec![Read, Write("SSH-2.0-nonsense\r\n\r\n")], Err(NetError::Broken)),
    ] {
        assert_eq!(outcome(&script, LONG, 100).await, expected);
    }
}

#[tokio::test]
async fn silence_is_cut_before_and_amid_the_answer() {
    const HALF: &str = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello";
    for script in
        [vec![Read, Hold], vec![Read, Write("HTTP/1.1 200 OK\r\n"), Hold], vec![Read, Write(HALF), Hold]]
    {
        // Without its limit the call would wait for ever; a test that fails says more than one that hangs.
        let ended = tokio::time::timeout(LONG, outcome(&script, SHORT, 100)).await;
        assert_eq!(ended.unwrap(), Err(NetError::Timeout));
    }
}

/// The server keeps the connection after what it wrote, so a client that read on would end in a timeout.
#[tokio::test]
async fn an_answer_is_cut_at_its_limit() {
    const ANNOUNCED: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
    const CHUNKS: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n";
    for (text, bytes) in [(ANNOUNCED, 4), (ANNOUNCED, 0), (CHUNKS, 4), (CHUNKS, 2), (CHUNKS, 0)] {
        assert_eq!(
            outcome(&[Read, Write(text), Hold], LONG, bytes).await,
            Err(NetError::TooLarge),
            "{bytes}"
        );
    }
    for text in [ANNOUNCED, CHUNKS] {
        assert_eq!(outcome(&[Read, Write(text), Hold], SHORT, 5).await, Err(NetError::Timeout));
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let moved = "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n";
    let (url, seen) =
        server(vec![vec![Read, Write(moved), Read, Write(moved)], vec![Read, Write(moved)]]).await;
    let answer = call(&url, LONG, 100).await.unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!(answer.headers["location"], "/elsewhere");
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_connection_is_used_again_by_every_clone() {
    const WHOLE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
    let (url, seen) = server(vec![[Read, Write(WHOLE)].repeat(3), [Read, Write(WHOLE)].repeat(3)]).await;
    let egress = egress(LONG);
    for _ in 0..3 {
        let limits = Limits { total: LONG, bytes: 100 };
        egress.clone().call(OutRequest::get(url.clone()), limits).await.unwrap();
    }
    let connections: Vec<_> = seen.lock().unwrap().iter().map(|(number, _)| *number).collect();
    assert_eq!(connections, [0, 0, 0]);
}

/// Whatever fails before a connection stands, the peer has seen nothing.
#[tokio::test]
async fn a_connection_that_cannot_be_made_is_unreachable() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (plain, _) = server(vec![vec![Write("HTTP/1.1 400 This is no TLS\r\n\r\n")]]).await;
    let port = plain.port().unwrap();
    for url in [
        format!("http://{closed}/"),
        format!("https://127.0.0.1:{port}/"),
        // A label longer than DNS allows is refused without asking anybody.
        format!("http://{}.invalid/", "x".repeat(64)),
        "ftp://127.0.0.1/".to_owned(),
    ] {
        assert_eq!(call(&url.parse().unwrap(), LONG, 100).await.unwrap_err(), NetError::Unreachable, "{url}");
    }
}

#[tokio::test]
async fn a_handshake_that_hangs_is_a_connect_timeout() {
    let (url, _) = server(vec![vec![Hold], vec![Hold]]).await;
    let url: Url = url.as_str().replace("http://", "https://").parse().unwrap();
    let limits = Limits { total: LONG, bytes: 100 };
    let late = egress(SHORT).call(OutRequest::get(url.clone()), limits).await;
    assert_eq!(late.unwrap_err(), NetError::ConnectTimeout);
    // When the whole call's time ends first, it is the call that was late.
    assert_eq!(call(&url, SHORT, 100).await.unwrap_err(), NetError::Timeout);
}

#[test]
fn a_user_agent_that_no_header_may_hold_is_refused() {
    let options =
        EgressOptions { connect_timeout: LONG, user_agent: "a\r\nb".into(), ..EgressOptions::default() };
    assert!(matches!(Egress::new(options), Err(EgressError::UserAgent)));
}

/// Calls for a stream and puts its pieces together.
async fn streamed(script: &[Step], total: Duration, bytes: usize) -> Result<String, NetError> {
    let (url, _) = server(vec![script.to_vec()]).await;
    let answer = egress(LONG).stream(OutRequest::get(url), Limits { total, bytes }).await;
    let (mut body, mut text) = (answer?.body, String::new());
    while let Some(piece) = body.next().await? {
        assert!(!piece.is_empty());
        text.push_str(std::str::from_utf8(&piece).unwrap());
    }
    Ok(text)
}

/// The server says no more and keeps the connection: only a client that hands pieces out at once gets any.
#[tokio::test]
async fn a_stream_is_handed_out_as_it_comes() {
    const FIRST: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n";
    let (url, _) = server(vec![vec![Read, Write(FIRST), Hold]]).await;
    let limits = Limits { total: LONG, bytes: 100 };
    let mut answer = egress(LONG).stream(OutRequest::get(url), limits).await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body.next().await.unwrap().unwrap(), "hel");
}

#[tokio::test]
async fn a_stream_ends_whole_or_says_why_not() {
    const CHUNKS: &str =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
    const CUT: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
    for (script, total, bytes, expected) in [
        (vec![Read, Write(CHUNKS)], LONG, 5, Ok("hello".to_owned())),
        (vec![Read, Write(CHUNKS)], LONG, 4, Err(NetError::TooLarge)),
        (vec![Read, Write(CUT)], LONG, 100, Err(NetError::Broken)),
        (vec![Read, Write(CUT), Hold], SHORT, 100, Err(NetError::Timeout)),
    ] {
        assert_eq!(streamed(&script, total, bytes).await, expected);
    }
}

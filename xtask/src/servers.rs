//! Emulators: started on a free port, used once they answer, stopped by process id.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use crate::commands;

/// How long a server may take to answer for the first time. They take 3 s; a busy machine takes longer.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long a server may take to end when asked to, before it is ended.
const GRACE: Duration = Duration::from_secs(5);

/// How long to wait between two looks.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// A running server. Stops when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    name: &'static str,
    child: Child,
    port: u16,
    log: PathBuf,
}

/// DynamoDB Local, in memory.
///
/// It listens on all interfaces and has no option against that, so whoever can reach this machine can reach it while
/// the tests run. It holds nothing but what they put in, and its port is another one each time.
///
/// # Errors
///
/// When it does not come up.
pub(crate) fn dynamodb(folder: &Path, logs: &Path) -> Result<Server> {
    Server::start("dynamodb", logs, |port| {
        let mut java = bound_to_us("java");
        java.current_dir(folder).args([
            "-Xmx512m",
            "-XX:TieredStopAtLevel=1",
            "-Djava.library.path=./DynamoDBLocal_lib",
        ]);
        java.args(["-jar", "DynamoDBLocal.jar", "-inMemory", "-sharedDb", "-disableTelemetry", "-port"]);
        java.arg(port.to_string());
        java
    })
}

/// SQS FIFO and Secrets Manager. Told to find no container engine, and not to listen for devices.
///
/// # Errors
///
/// When it does not come up.
pub(crate) fn ministack(programs: &Path, logs: &Path) -> Result<Server> {
    Server::start("ministack", logs, |port| {
        let mut ministack = bound_to_us(&programs.join("ministack").to_string_lossy());
        ministack.env("GATEWAY_PORT", port.to_string()).env("BIND_HOST", "127.0.0.1");
        ministack.env("DOCKER_HOST", "unix:///nonexistent/docker.sock").env("IOT_MTLS_ENABLED", "0");
        ministack.env("LAMBDA_EXECUTOR", "local");
        ministack
    })
}

/// A language model behind llama.cpp's own server. It answers before its weights are loaded, and says so.
///
/// # Errors
///
/// When it does not come up.
pub(crate) fn model(programs: &Path, logs: &Path) -> Result<Server> {
    Server::start("model", logs, |port| {
        let mut python = bound_to_us(&programs.join("python3").to_string_lossy());
        python.args(["-c", include_str!("servers/model.py"), &port.to_string()]);
        python
    })
}

/// A command whose process ends with this one even when this one is killed, where the system has a way to say so.
fn bound_to_us(program: &str) -> Command {
    if commands::find("setpriv").is_none() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "--", program]);
    command
}

impl Server {
    /// Starts the command made for a free port and waits until it answers HTTP. Its output goes to a file in `logs`.
    fn start(name: &'static str, logs: &Path, command: impl FnOnce(u16) -> Command) -> Result<Self> {
        fs::create_dir_all(logs)?;
        let log = logs.join(format!("{name}.log"));
        let file = File::create(&log).with_context(|| log.display().to_string())?;
        let port = free_port()?;
        let mut command = command(port);
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().with_context(|| format!("{name} cannot be started"))?;
        let mut server = Self { name, child, port, log };
        server.wait_until_ready(PATIENCE)?;
        println!("    {name} answers at {} (process {})", server.url(), server.child.id());
        Ok(server)
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn wait_until_ready(&mut self, patience: Duration) -> Result<()> {
        let began = Instant::now();
        while began.elapsed() < patience {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status} before it answered:\n{}", self.name, self.last_words());
            }
            if answers(self.port).is_ok_and(|it_does| it_does) {
                return Ok(());
            }
            thread::sleep(BETWEEN_LOOKS);
        }
        bail!("{} does not answer after {} s:\n{}", self.name, patience.as_secs(), self.last_words());
    }

    /// The end of its log.
    fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Asks it to end, and ends it when it has not after `grace`.
    fn stop(&mut self, grace: Duration) -> Result<()> {
        if self.child.try_wait()?.is_none() {
            commands::read(Command::new("kill").args(["-TERM", &self.child.id().to_string()]))?;
        }
        let began = Instant::now();
        while began.elapsed() < grace {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            thread::sleep(BETWEEN_LOOKS);
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.stop(GRACE) {
            eprintln!("warning: {} (process {}) may still be running: {error:#}", self.name, self.child.id());
        }
    }
}

/// A port that was free a moment ago. The servers take a number and cannot be handed a socket.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Whether something on the port speaks HTTP, whatever it has to say.
fn answers(port: u16) -> Result<bool> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
    let mut start = [0_u8; 7];
    stream.read_exact(&mut start)?;
    Ok(&start == b"HTTP/1.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("magpie-xtask-{}-{name}", std::process::id()))
    }

    fn python(port: u16, program: &str) -> Command {
        let mut command = bound_to_us("python3");
        command.args(["-c", program, &port.to_string()]);
        command
    }

    const SERVER: &str = "import http.server,sys\n\
        http.server.HTTPServer(('127.0.0.1',int(sys.argv[1])),http.server.BaseHTTPRequestHandler).serve_forever()";

    #[test]
    fn a_server_is_used_when_it_answers_and_is_gone_after_the_drop() {
        let logs = logs("answers");
        let server = Server::start("answering", &logs, |port| python(port, SERVER)).unwrap();
        let port = server.port;
        assert!(answers(port).unwrap());
        drop(server);
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
        fs::remove_dir_all(logs).unwrap();
    }

    #[test]
    fn a_server_that_ends_at_once_is_reported_with_its_last_words() {
        let logs = logs("ends");
        let error =
            Server::start("ending", &logs, |port| python(port, "raise SystemExit('no room')")).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("ending ended with") && error.contains("no room"), "{error}");
        fs::remove_dir_all(logs).unwrap();
    }

    #[test]
    fn a_server_that_will_not_end_is_ended() {
        let logs = logs("stubborn");
        let stubborn = format!("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{SERVER}");
        let mut server = Server::start("stubborn", &logs, |port| python(port, &stubborn)).unwrap();
        server.stop(Duration::ZERO).unwrap();
        assert!(server.child.try_wait().unwrap().is_some());
        fs::remove_dir_all(logs).unwrap();
    }
}

//! A built `bootstrap` under the Lambda Runtime Interface Emulator.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, bail};
use egress::{Egress, EgressOptions};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use transport::{Limits, OutRequest, Transport as _};
use url::Url;

use crate::{component::Component, process::Process};

/// How long the emulator may take to be there, on a machine that is busy compiling.
const READY: Duration = Duration::from_secs(20);

/// What one invocation may take.
const LIMITS: Limits = Limits { total: Duration::from_secs(60), bytes: 8 << 20 };

/// A function behind the emulator's invocation API.
pub struct Function {
    /// The emulator, whose child the function is.
    pub process: Process,
    url: Url,
    client: Egress,
    _folder: TempDir,
}

impl Function {
    /// Starts the function of this name with this configuration; `None` when Lambda was left out.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub async fn start(
        name: &str,
        config: &Path,
        environment: &[(&'static str, String)],
    ) -> anyhow::Result<Option<Self>> {
        let (Some(rie), Some(bootstraps)) = (Component::Rie.find(), Component::Bootstraps.find()) else {
            return Ok(None);
        };
        let bootstrap = Path::new(&bootstraps).join(name).join("bootstrap");
        let bootstrap = bootstrap.to_str().context("a path that is text")?;
        let (invoke, runtime) = (free_address().await?, free_address().await?);
        let args =
            ["--runtime-interface-emulator-address", &invoke, "--runtime-api-address", &runtime, bootstrap];
        let folder = tempfile::tempdir()?;
        let config = config.to_str().context("a path that is text")?;
        let mut env = vec![
            ("AWS_LAMBDA_FUNCTION_NAME", name),
            ("AWS_LAMBDA_FUNCTION_TIMEOUT", "60"),
            ("MAGPIE_CONFIG", config),
            ("MAGPIE_LOG", "debug"),
        ];
        env.extend(environment.iter().map(|(name, value)| (*name, value.as_str())));
        let process = Process::start(Path::new(&rie), &args, &env, folder.path())?;
        let url = Url::parse(&format!("http://{invoke}/2015-03-31/functions/function/invocations"))?;
        let client = Egress::new(EgressOptions::default())?;
        Ok(Some(Self { process, url, client, _folder: folder }))
    }

    /// Hands the function an event and returns its answer.
    ///
    /// # Errors
    ///
    /// When the function failed: the emulator says so with status 200 and an `errorType` in the body.
    pub async fn invoke(&mut self, event: &Value) -> anyhow::Result<Value> {
        let body = serde_json::to_vec(event)?;
        let call = async {
            let mut patience = tokio::time::interval(Duration::from_millis(50));
            loop {
                patience.tick().await;
                let request = OutRequest::post_json(self.url.clone(), body.clone());
                match self.client.call(request, LIMITS).await {
                    // Not listening yet.
                    Err(error) if !error.may_have_arrived() => {}
                    other => return other,
                }
            }
        };
        let answer = tokio::time::timeout(READY + LIMITS.total, call).await.context("no emulator")??;
        let value: Value = serde_json::from_slice(&answer.body)
            .with_context(|| format!("not JSON: {}", String::from_utf8_lossy(&answer.body)))?;
        if value.get("errorType").is_some() {
            bail!("the function failed: {value}\n{}", self.process.said());
        }
        Ok(value)
    }
}

/// An address on loopback that nobody uses. Somebody could take it before the emulator does; the kernel hands the
/// freed ports out last.
async fn free_address() -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    Ok(listener.local_addr()?.to_string())
}

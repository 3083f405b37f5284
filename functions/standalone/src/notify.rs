//! Outgoing notifications.

mod text;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chat::{Clock as _, Entropy as _};
use dingtalk::custom_robot::{CustomRobot, notices};
use host::{SystemClock, SystemEntropy};
use platform::{ConnectOptions, Keys, SendOutcome};
use secrecy::ExposeSecret as _;
use settings::{LocalSecrets, ProcessEnvironment, Secrets as _};
use transport::{Limits, ThroughProxy, Transport as _};

use crate::{configuration, dot_env::DotEnv};

/// What one notification may take.
const LIMITS: Limits = Limits { total: Duration::from_secs(10), bytes: 64 * 1024 };

/// What `magpie notify` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct NotifyArgs {
    /// The configuration, found like that of `serve`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The channel: the NAME of `[channels.NAME]`
    channel: String,
    /// What to say, as Markdown; `-` reads it from standard input
    #[arg(allow_hyphen_values = true)]
    text: String,
}

/// Sends one notification and says what came of it.
pub(crate) async fn notify(args: NotifyArgs, dot_env: DotEnv) -> anyhow::Result<()> {
    let text = text::of(&args.text, std::io::stdin().lock())?;
    let settings = configuration::load(args.config.as_deref(), dot_env)?;
    let channel =
        settings.channels.iter().find(|channel| channel.name == args.channel).with_context(|| {
            let names: Vec<_> = settings.channels.iter().map(|channel| channel.name.as_str()).collect();
            format!("there is no [channels.{}]; configured are: {}", args.channel, names.join(", "))
        })?;
    let secrets = LocalSecrets::new(Arc::new(ProcessEnvironment));
    let keys = secrets.fetch(&channel.keys).await?;
    let keys = Keys::from_json(keys.current.expose_secret())
        .with_context(|| format!("{} cannot be used", channel.keys))?;
    let options = ConnectOptions { base_url: channel.base_url.clone() };
    let robot = CustomRobot::connect(&keys, &options)
        .map_err(|errors| {
            anyhow::anyhow!(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        })
        .with_context(|| format!("{} cannot be used", channel.keys))?;
    let network = network::connect(&settings, &secrets, SystemClock.now()).await?;
    let transport = ThroughProxy(&network.egress);
    for notice in notices(&text) {
        let request = robot.request(&notice, SystemClock.now(), &fresh_id());
        check(&robot.outcome(transport.call(request, LIMITS).await))?;
    }
    Ok(())
}

/// An id under which DingTalk drops a repetition.
fn fresh_id() -> String {
    let mut id = [0; 16];
    SystemEntropy.fill(&mut id);
    URL_SAFE_NO_PAD.encode(id)
}

fn check(outcome: &SendOutcome) -> anyhow::Result<()> {
    match outcome {
        SendOutcome::Accepted(_) => Ok(()),
        SendOutcome::Refused(refusal) => {
            bail!("DingTalk refused the notification: {}", refusal.sanitised(&[]))
        }
        SendOutcome::Retry { after } => {
            bail!(
                "DingTalk did not take the notification, or could not be reached; try again in {} s",
                after.as_secs()
            )
        }
        SendOutcome::TokenExpired | SendOutcome::Moved(_) | SendOutcome::Unknown => {
            bail!("nobody knows whether DingTalk took the notification: its answer was lost or made no sense")
        }
    }
}

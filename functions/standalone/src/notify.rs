//! Outgoing notifications.

mod text;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chat::{Clock as _, Entropy as _, Pause as _};
use host::{SystemClock, SystemEntropy, SystemPause};
use platform::Delivery;
use settings::{LocalSecrets, ProcessEnvironment};
use transport::{Limits, ThroughProxy, Transport as _};

use crate::{configuration, dot_env::DotEnv, platforms::KINDS};

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
    let robot = settings::connect_channel(channel, &KINDS, &secrets).await?;
    let network = network::connect(&settings, &secrets, SystemClock.now()).await?;
    let transport = ThroughProxy(&network.egress);
    let notices = robot.notices(&text);
    for (index, notice) in notices.iter().enumerate() {
        if index > 0 {
            SystemPause.pause(robot.interval()).await;
        }
        let request = robot.request(notice, SystemClock.now(), &fresh_id());
        let outcome = robot.outcome(transport.call(request, LIMITS).await);
        check(&outcome, channel.platform.as_str())
            .with_context(|| format!("message {} of {} to `{}`", index + 1, notices.len(), channel.name))?;
    }
    Ok(())
}

/// An id under which a platform with idempotency keys drops a repetition.
fn fresh_id() -> String {
    let mut id = [0; 16];
    SystemEntropy.fill(&mut id);
    URL_SAFE_NO_PAD.encode(id)
}

/// What came of one message, in a sentence for an operator.
fn check(outcome: &Delivery, platform: &str) -> anyhow::Result<()> {
    match outcome {
        Delivery::Accepted => Ok(()),
        Delivery::Refused { code, help: Some(help) } => bail!("{platform} refused it ({code}): {help}"),
        Delivery::Refused { code, help: None } => bail!("{platform} refused it ({code})"),
        Delivery::Retry { error: Some(error), .. } => bail!("{platform} was not reached: {error}"),
        Delivery::Retry { after, error: None } => {
            bail!("{platform} takes no more messages now; try again in {} s", after.as_secs())
        }
        Delivery::Unknown => {
            bail!("it is unknown whether {platform} took it: its answer was lost or cannot be read")
        }
    }
}

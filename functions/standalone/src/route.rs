//! `magpie route`: which endpoints a question goes to, and what became of each.
//!
//! The question goes the way that a turn's would go, without a platform, a store or memory: what is wrong with a route
//! shows here before people meet it.

use std::{path::PathBuf, sync::Arc};

use anyhow::bail;
use egress::{Egress, EgressOptions};
use routing::{Answer, Ask, Attempt, AttemptOutcome, Context, Endpoint, NoAnswer, Prompt, Router};
use settings::{LocalSecrets, ProcessEnvironment, Settings};
use transport::Transport;

use crate::{platforms::PLATFORMS, serve, table::table};

/// What `magpie route` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct RouteArgs {
    /// What to ask
    question: String,
    /// Ask as this bot would: with its persona
    #[arg(long, value_name = "NAME")]
    bot: Option<String>,
    /// Only show where the question would go, and ask nobody
    #[arg(long)]
    explain: bool,
    /// The configuration, found like that of `serve`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Shows the plan, asks, and shows the answer with every attempt on the way. Fails when nobody answered.
#[expect(clippy::print_stdout, reason = "a person at a terminal reads the answer")]
pub(crate) async fn route(args: RouteArgs) -> anyhow::Result<()> {
    let settings = settings::load(args.config.as_deref(), &ProcessEnvironment, &PLATFORMS)?;
    let prompt =
        Prompt { system: persona(&settings, args.bot.as_deref())?, ..Prompt::question(args.question) };
    let router = router(&settings).await?;
    println!("strategy {}\n{}", settings.routing.route.strategy.as_str(), plan(&router.usual()));
    if args.explain {
        return Ok(());
    }
    let context = Context::default();
    match router.ask(&Ask::whole(&prompt, &context, settings.routing.turn_timeout)).await {
        Ok(answer) => {
            println!("\n{}\n\n{}", harmless(&answer.text), attempts(&answer.attempts));
            println!("{}", tokens(&answer));
            Ok(())
        }
        Err(NoAnswer { reason, attempts: tried }) => {
            println!("\n{}", attempts(&tried));
            bail!("nobody answered ({})", reason.as_str())
        }
    }
}

/// What the bot of this name tells a model about itself.
fn persona(settings: &Settings, bot: Option<&str>) -> anyhow::Result<Option<String>> {
    let Some(name) = bot else { return Ok(None) };
    match settings.bots.iter().find(|bot| bot.bot.as_str() == name) {
        Some(bot) => Ok(bot.persona.clone()),
        None => {
            let names: Vec<_> = settings.bots.iter().map(|bot| format!("`{}`", bot.bot)).collect();
            bail!("no bot is named `{name}`: there are {}", names.join(", "))
        }
    }
}

/// The router that `magpie serve` would ask.
async fn router(settings: &Settings) -> anyhow::Result<Router> {
    let options =
        EgressOptions { connect_timeout: settings.routing.connect_timeout, ..EgressOptions::default() };
    let transport: Arc<dyn Transport> = Arc::new(Egress::new(options)?);
    let secrets = LocalSecrets::new(Arc::new(ProcessEnvironment));
    Ok(Router::new(
        serve::endpoints(settings, &secrets, transport.as_ref()).await?,
        settings.routing.route.clone(),
        settings.routing.clocks,
        serve::routing_ports(transport),
    )?)
}

/// Where the question goes, first choice first.
fn plan(endpoints: &[&Endpoint]) -> String {
    let mut rows = vec![["ENDPOINT", "PLACE", "PROTOCOL", "MODEL"].map(str::to_owned).to_vec()];
    rows.extend(endpoints.iter().map(|endpoint| {
        vec![
            endpoint.name.clone(),
            endpoint.place.as_str().to_owned(),
            endpoint.protocol.as_str().to_owned(),
            endpoint.model.clone(),
        ]
    }));
    table(&rows)
}

/// Whom it was asked of, and how each attempt ended.
fn attempts(attempts: &[Attempt]) -> String {
    let mut rows = vec![["ASKED", "PLACE", "MODEL", "MILLISECONDS", "OUTCOME"].map(str::to_owned).to_vec()];
    rows.extend(attempts.iter().map(|attempt| {
        vec![
            attempt.endpoint.clone(),
            attempt.place.as_str().to_owned(),
            harmless(&attempt.model),
            attempt.millis.to_string(),
            match attempt.outcome {
                AttemptOutcome::Answered => "answered".to_owned(),
                AttemptOutcome::Failed(failure) => failure.to_string(),
                AttemptOutcome::Outrun => "another was faster".to_owned(),
            },
        ]
    }));
    table(&rows)
}

/// What a server said, without what would steer the terminal: escape sequences could hide or forge lines.
fn harmless(said: &str) -> String {
    said.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

fn tokens(answer: &Answer) -> String {
    let counted = if answer.usage.estimated { ", by estimate" } else { "" };
    format!("{} tokens asked, {} answered{counted}", answer.usage.prompt, answer.usage.completion)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use routing::{Failure, Finish, Place, Usage};

    use super::*;

    #[test]
    fn a_bot_lends_its_persona_and_an_unknown_one_is_told() {
        let text = "[bots.desk]\nplatform = 'feishu'\nkeys = 'demo'\npersona = 'You are the desk.'";
        let settings = settings::parse(text, None, &BTreeMap::new(), &PLATFORMS).unwrap();
        assert_eq!(persona(&settings, None).unwrap(), None);
        assert_eq!(persona(&settings, Some("desk")).unwrap().as_deref(), Some("You are the desk."));
        let error = persona(&settings, Some("dest")).unwrap_err().to_string();
        assert_eq!(error, "no bot is named `dest`: there are `desk`");
    }

    #[test]
    fn the_plan_and_the_attempts_are_columns() {
        let echo = Endpoint::echo();
        assert_eq!(plan(&[&echo]), "ENDPOINT  PLACE  PROTOCOL  MODEL\necho      local  echo      echo");
        let attempt = |name: &str, outcome| Attempt {
            endpoint: name.to_owned(),
            place: Place::Local,
            model: "m".to_owned(),
            millis: 12,
            first_token_millis: None,
            usage: None,
            cost: 0,
            outcome,
        };
        let tried = [
            attempt("near", AttemptOutcome::Failed(Failure::Unreachable)),
            attempt("far", AttemptOutcome::Answered),
        ];
        assert_eq!(
            attempts(&tried),
            "ASKED  PLACE  MODEL  MILLISECONDS  OUTCOME\n\
             near   local  m      12            the endpoint cannot be reached\n\
             far    local  m      12            answered"
        );
    }

    #[test]
    fn a_server_cannot_steer_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\r\u{9b}31m\n\t鹊桥"), "a[2Jb31m\n\t鹊桥");
    }

    #[test]
    fn counted_and_estimated_tokens_are_told_apart() {
        let answer = |estimated| Answer {
            text: "hi".to_owned(),
            endpoint: "near".to_owned(),
            place: Place::Local,
            model: "m".to_owned(),
            usage: Usage { prompt: 3, completion: 1, estimated },
            finish: Finish::Complete,
            attempts: Vec::new(),
        };
        assert_eq!(tokens(&answer(false)), "3 tokens asked, 1 answered");
        assert_eq!(tokens(&answer(true)), "3 tokens asked, 1 answered, by estimate");
    }
}

//! `magpie route`: which endpoints a question goes to, and what became of each.
//!
//! The question goes the way that a turn's would go, without a platform or memory: what is wrong with a route shows here
//! before people meet it. What the endpoints were last known to do comes from the Magpie that runs beside it, and what
//! may still be spent from its store.

mod budget;
mod ways;

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::bail;
use chat::{ChatKind, Clock as _, UserId};
use host::SystemClock;
use routing::{
    Answer, Ask, Attempt, AttemptOutcome, Context, Endpoint, LeftOut, Micros, NoAnswer, NoAnswerReason, Plan,
    Prompt, Router, Usage,
};
use settings::{BotSettings, LocalSecrets, ProcessEnvironment, Secrets, Settings};
use transport::Transport;

use self::budget::Budget;
use crate::{
    configuration, discover::report::how_to_connect, dot_env::DotEnv, running::Running, serve, table::table,
};

/// What `magpie route` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct RouteArgs {
    /// What to ask
    question: String,
    /// Ask as this bot would: with its persona, and by the rules for it
    #[arg(long, value_name = "NAME")]
    bot: Option<String>,
    /// Ask as this person would, by the id that the platform has for them, or as `program:NAME`
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// Ask as in a group; otherwise as in a direct chat
    #[arg(long)]
    group: bool,
    /// Ask this model, or endpoint, first, as after `/model`
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Only show where the question would go, and ask nobody
    #[arg(long)]
    explain: bool,
    /// Where the Magpie listens that is asked how the endpoints fare; otherwise where the configuration says
    #[arg(long, value_name = "ADDR", value_parser = settings::listen_address)]
    listen: Option<SocketAddr>,
    /// The configuration, found like that of `serve`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Shows the plan, asks, and shows the answer with every attempt on the way. Fails when nobody answered.
#[expect(clippy::print_stdout, reason = "a person at a terminal reads the answer")]
pub(crate) async fn route(args: RouteArgs, dot_env: DotEnv) -> anyhow::Result<()> {
    let settings = configuration::load(args.config.as_deref(), dot_env)?;
    let secrets = LocalSecrets::new(Arc::new(ProcessEnvironment));
    let network = network::connect(&settings, &secrets, SystemClock.now()).await?;
    let transport: Arc<dyn Transport> = Arc::new(network.egress.clone());
    let router = router(&settings, Arc::clone(&transport)).await?;
    let bot = bot(&settings, args.bot.as_deref())?;
    let budget = Budget::of(&settings, bot, args.user.as_deref()).await?;
    let context = Context { allowance: budget.left, ..context(bot, &router, &args)? };
    let system = bot.and_then(|bot| bot.persona.clone());
    let running = running(&settings, &secrets, transport.as_ref(), args.listen).await?;
    router.adopt(&running.openings(SystemClock.now()));
    let prompt = Prompt { system, ..Prompt::question(args.question) };
    let ask = Ask { waits: false, ..Ask::whole(&prompt, &context, settings.routing.turn_timeout) };
    println!("{running}");
    budget.lines.iter().for_each(|line| println!("{line}"));
    println!("{}", explanation(&router, &router.plan(&ask), &running));
    if args.explain {
        println!("\n{}", ways::ways(&router, &network));
        return Ok(());
    }
    if budget.is_spent {
        bail!("nobody was asked: the budget of this month is spent")
    }
    let answer = router.ask(&ask).await;
    budget.book(&settings, answer.as_ref().map_or_else(NoAnswer::cost, Answer::cost)).await;
    match answer {
        Ok(answer) => {
            println!("\n{}\n\n{}", harmless(&answer.text), attempts(&answer.attempts));
            Ok(())
        }
        Err(NoAnswer { reason, attempts: tried }) => {
            if reason == NoAnswerReason::NoModel {
                bail!("no model is connected: {}", how_to_connect())
            }
            println!("\n{}", attempts(&tried));
            bail!("nobody answered ({})", reason.as_str())
        }
    }
}

/// What the Magpie at this address knows, or the one that is configured.
async fn running(
    settings: &Settings,
    secrets: &dyn Secrets,
    transport: &dyn Transport,
    address: Option<SocketAddr>,
) -> anyhow::Result<Running> {
    let token = settings::operator_token(settings.standalone.operator_token.as_ref(), secrets).await?;
    let address = address.unwrap_or(settings.standalone.listen);
    Ok(Running::ask(transport, address, token.as_ref()).await)
}

/// The bot of this name.
fn bot<'a>(settings: &'a Settings, name: Option<&str>) -> anyhow::Result<Option<&'a BotSettings>> {
    let Some(name) = name else { return Ok(None) };
    match settings.bots.iter().find(|bot| bot.bot.as_str() == name) {
        Some(bot) => Ok(Some(bot)),
        None => {
            let names: Vec<_> = settings.bots.iter().map(|bot| format!("`{}`", bot.bot)).collect();
            bail!("no bot is named `{name}`: there are {}", names.join(", "))
        }
    }
}

/// From whom the question comes, for rules.
fn context(bot: Option<&BotSettings>, router: &Router, args: &RouteArgs) -> anyhow::Result<Context> {
    let known = |name: &str| router.endpoints().iter().any(|e| e.name == name || e.model == name);
    if let Some(unknown) = args.model.as_deref().filter(|name| !known(name)) {
        let names: Vec<_> = router.endpoints().iter().map(|e| format!("`{}`", e.name)).collect();
        bail!("no endpoint and no model is named `{unknown}`: there are the endpoints {}", names.join(", "))
    }
    Ok(Context {
        bot: bot.map(|bot| bot.bot.clone()),
        chat: Some(if args.group { ChatKind::Group } else { ChatKind::Direct }),
        user: args.user.as_deref().map(UserId::parse).transpose()?,
        model: args.model.clone(),
        ..Context::default()
    })
}

/// The router that `magpie serve` would ask.
async fn router(settings: &Settings, transport: Arc<dyn Transport>) -> anyhow::Result<Router> {
    let secrets = LocalSecrets::new(Arc::new(ProcessEnvironment));
    let finder = serve::finder(settings, &secrets, &transport).await?;
    let found = finder.find(&[]).await;
    Ok(serve::router(settings, &transport, finder.in_service(&found.endpoints))?)
}

/// Where the question goes, first choice first, and where not, and why. `running` is what a running Magpie knows.
fn explanation(router: &Router, plan: &Plan, running: &Running) -> String {
    let mut head = format!("strategy {}", plan.strategy.as_str());
    if !plan.rules.is_empty() {
        head = format!("{head}\nrules    {}", plan.rules.join(", "));
    }
    let mut rows = vec![row(["ENDPOINT", "PLACE", "PROTOCOL", "MODEL"])];
    let columns = |endpoint: &Endpoint| {
        let (place, protocol) = (endpoint.place.as_str(), endpoint.protocol.as_str());
        row([&endpoint.name, place, protocol, &endpoint.model])
    };
    let chosen = plan.choices.iter().filter_map(|&index| router.endpoints().get(index));
    for endpoint in chosen {
        let mut columns = columns(endpoint);
        columns.extend(running.of(&endpoint.name).map(|health| harmless(&health.to_string())));
        rows.push(columns);
    }
    if running.is_known() {
        rows[0].push("HEALTH".to_owned());
    }
    let mut parts = vec![head, table(&rows)];
    if !plan.left_out.is_empty() {
        let mut rows = vec![row(["NOT ASKED", "PLACE", "WHY"])];
        for (index, why) in &plan.left_out {
            if let Some(endpoint) = router.endpoints().get(*index) {
                rows.push(row([&endpoint.name, endpoint.place.as_str(), &reason(why, plan)]));
            }
        }
        parts.push(format!("\n{}", table(&rows)));
    }
    parts.join("\n")
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

/// Why an endpoint is not asked.
fn reason(why: &LeftOut, plan: &Plan) -> String {
    match why {
        LeftOut::Strategy => format!("the strategy {} asks another place only", plan.strategy.as_str()),
        LeftOut::Rule(name) => format!("the rule {name} forbids it"),
        LeftOut::Vision => "it does not understand pictures".to_owned(),
        LeftOut::Window => "the question is longer than its window".to_owned(),
        LeftOut::Allowance => "it might cost more than is left".to_owned(),
        LeftOut::OtherBots => "it answers demo bots only".to_owned(),
    }
}

/// Whom it was asked of, what that took, and how it ended.
fn attempts(attempts: &[Attempt]) -> String {
    let mut rows =
        vec![row(["ASKED", "PLACE", "MODEL", "FIRST TOKEN", "IN ALL", "TOKENS", "COST", "OUTCOME"])];
    rows.extend(attempts.iter().map(|attempt| {
        vec![
            attempt.endpoint.clone(),
            attempt.place.as_str().to_owned(),
            harmless(&attempt.model),
            attempt.first_token_millis.map_or("-".to_owned(), |millis| format!("{millis} ms")),
            format!("{} ms", attempt.millis),
            attempt.usage.map_or("-".to_owned(), tokens),
            money(attempt.cost),
            match attempt.outcome {
                AttemptOutcome::Answered => "answered".to_owned(),
                AttemptOutcome::Failed(failure) => match &attempt.message {
                    Some(message) => format!("{failure}: {message}"),
                    None => failure.to_string(),
                },
                AttemptOutcome::Outrun => "another was faster".to_owned(),
            },
        ]
    }));
    table(&rows)
}

/// Tokens asked and answered.
fn tokens(usage: Usage) -> String {
    let about = if usage.estimated { "about " } else { "" };
    format!("{about}{} + {}", usage.prompt, usage.completion)
}

/// An amount, with as many digits as it has.
fn money(micros: Micros) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What a server said, without what would steer the terminal: escape sequences could hide or forge lines.
fn harmless(said: &str) -> String {
    said.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

#[cfg(test)]
mod tests;

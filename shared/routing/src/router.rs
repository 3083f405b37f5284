//! Endpoints, a route and what they need: a router.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use chat::{Clock, Entropy, Pause, Timestamp};
use transport::Transport;

use crate::{
    Answer, Ask, Board, Clocks, Context, Endpoint, NoAnswer, NoAnswerReason, Opening, Place, Prompt,
    Protocol, Route, Rule, Sign, Signer, Strategy,
    estimate::{least_tokens, line_tokens},
    health::Health,
    hedge::Hedging,
    plan::{self, Grounds, Plan, fold::fold},
    run::Run,
    window,
};

/// How long what other instances told is believed before they are asked again.
const BOARD_REST: Duration = Duration::from_secs(10);

/// How long asking or telling them may keep a question waiting.
const BOARD_PATIENCE: Duration = Duration::from_millis(250);

/// Why a router could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoutingError {
    /// There is nothing to route to.
    #[error("no endpoint is configured")]
    NoEndpoints,
    /// Attempts and accounts go by name, so a name belongs to one endpoint.
    #[error("two endpoints are named `{0}`")]
    DuplicateName(String),
    /// The strategy asks for a place where no endpoint stands.
    #[error("the strategy `{}` leaves none of the configured endpoints", .0.as_str())]
    StrategyLeavesNone(Strategy),
    /// A rule sends questions to an endpoint that is not there.
    #[error("the rule `{rule}` names the endpoint `{name}`, and none is named so")]
    UnknownEndpoint {
        /// The rule's name.
        rule: String,
        /// The endpoint's.
        name: String,
    },
}

/// What a router touches.
#[derive(Clone)]
pub struct Ports {
    /// Calls to the endpoints.
    pub transport: Arc<dyn Transport>,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// How to wait.
    pub pause: Arc<dyn Pause>,
    /// Chance, for waits that must not all end together and for choices between equals.
    pub entropy: Arc<dyn Entropy>,
    /// Where instances tell each other which endpoints are down, if there are others.
    pub board: Option<Arc<dyn Board>>,
}

/// Asks endpoints along a route until one answers.
pub struct Router {
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) route: Route,
    pub(crate) clocks: Clocks,
    pub(crate) ports: Ports,
    pub(crate) signer: Option<Arc<dyn Signer>>,
    pub(crate) health: Health,
    pub(crate) hedging: Hedging,
    /// When the board was last read, in milliseconds since the epoch.
    board_read: AtomicI64,
}

impl std::fmt::Debug for Router {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Router")
            .field("endpoints", &self.endpoints)
            .field("route", &self.route)
            .field("clocks", &self.clocks)
            .finish_non_exhaustive()
    }
}

impl Router {
    /// A router over these endpoints, in this order where nothing else orders them.
    ///
    /// # Errors
    ///
    /// No endpoint at all, two of one name, a strategy that leaves none, or a rule with an endpoint that is not there.
    pub fn new(
        mut endpoints: Vec<Endpoint>,
        mut route: Route,
        clocks: Clocks,
        ports: Ports,
    ) -> Result<Self, RoutingError> {
        if endpoints.is_empty() {
            return Err(RoutingError::NoEndpoints);
        }
        let mut names = BTreeSet::new();
        if let Some(again) = endpoints.iter().find(|endpoint| !names.insert(endpoint.name.as_str())) {
            return Err(RoutingError::DuplicateName(again.name.clone()));
        }
        // An echo never leaves the process.
        for endpoint in endpoints.iter_mut().filter(|e| e.protocol == Protocol::Echo) {
            endpoint.place = Place::Local;
        }
        let may_be_asked =
            |endpoint: &Endpoint| endpoint.bots.is_some() || route.strategy.allows(endpoint.place);
        if !endpoints.iter().any(may_be_asked) {
            return Err(RoutingError::StrategyLeavesNone(route.strategy));
        }
        prepare(&mut route.rules, &endpoints)?;
        let health = Health::new(&endpoints, Arc::clone(&ports.entropy));
        let hedging = Hedging::default();
        let board_read = AtomicI64::new(i64::MIN);
        Ok(Self { endpoints, route, clocks, ports, signer: None, health, hedging, board_read })
    }

    /// The same router, whose calls without a key are signed where the protocol knows of that; else they go unsigned.
    #[must_use]
    pub fn signed(self, signer: Arc<dyn Signer>) -> Self {
        Self { signer: Some(signer), ..self }
    }

    /// Every configured endpoint, in configured order, whether or not the route allows it.
    #[must_use]
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// Whether a model is connected: an endpoint that answers more than the questions to certain bots.
    #[must_use]
    pub fn has_model(&self) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.bots.is_none())
    }

    /// Who would be asked now, and who would not and why.
    #[must_use]
    pub fn plan(&self, ask: &Ask<'_>) -> Plan {
        let grounds = Grounds {
            endpoints: &self.endpoints,
            route: &self.route,
            health: &self.health,
            entropy: self.ports.entropy.as_ref(),
            now: self.ports.clock.now(),
        };
        plan::plan(&grounds, ask)
    }

    /// The endpoints that would be asked an ordinary question now, first choice first.
    #[must_use]
    pub fn usual(&self) -> Vec<&Endpoint> {
        let (prompt, context) = (Prompt::default(), Context::default());
        let plan = self.plan(&Ask::whole(&prompt, &context, Duration::ZERO));
        plan.choices.iter().filter_map(|&index| self.endpoints.get(index)).collect()
    }

    /// How every endpoint fares, in configured order, as far as this process knows. One that answers certain bots only
    /// is no model that is connected, and not among them.
    #[must_use]
    pub fn signs(&self) -> Vec<Sign> {
        let signs = self.health.signs(self.ports.clock.now());
        signs
            .into_iter()
            .zip(&self.endpoints)
            .filter(|(_, e)| e.bots.is_none())
            .map(|(sign, _)| sign)
            .collect()
    }

    /// Believes these about the endpoints, unless they answered since: what another process knows.
    pub fn adopt(&self, openings: &[Opening]) {
        self.health.adopt(openings, self.ports.clock.now());
    }

    /// About how long a question may be that was too long for everybody, in tokens as [`estimate_tokens`] counts them.
    /// Nothing where no endpoint that refused it has a window that is known, or the figure would not help.
    ///
    /// [`estimate_tokens`]: crate::estimate_tokens
    #[must_use]
    pub fn longest_question(&self, none: &NoAnswer, prompt: &Prompt) -> Option<u32> {
        let now = self.ports.clock.now();
        let too_long = |endpoint: &&Endpoint| none.found_too_long(&endpoint.name);
        let rooms = self.endpoints.iter().filter(too_long).filter_map(|one| window::room(one, prompt, now));
        let (least, question) = (least_tokens(prompt), prompt.lines.last().map_or(0, line_tokens));
        let longest = rooms.max()?.saturating_sub(least.saturating_sub(question));
        (0 < longest && longest < question).then_some(longest)
    }

    /// Asks one endpoint after the other until one answers, all within the question's budget.
    ///
    /// # Errors
    ///
    /// Nobody answered: why, and what every attempt came to.
    pub async fn ask(&self, ask: &Ask<'_>) -> Result<Answer, NoAnswer> {
        if !self.endpoints.iter().any(|endpoint| endpoint.serves(ask.context.bot.as_ref())) {
            return Err(NoAnswer { reason: NoAnswerReason::NoModel, attempts: Vec::new() });
        }
        self.read_board().await;
        Run::new(self, ask).answer().await
    }

    /// Learns what other instances have told, now and then.
    async fn read_board(&self) {
        let Some(board) = &self.ports.board else { return };
        let now = self.ports.clock.now();
        let read = Timestamp::from_millis(self.board_read.load(Ordering::Relaxed));
        if now.since(read) < BOARD_REST {
            return;
        }
        self.board_read.store(now.as_millis(), Ordering::Relaxed);
        tokio::select! {
            biased;
            openings = board.openings(now) => self.health.adopt(&openings, now),
            () = self.ports.pause.pause(BOARD_PATIENCE) => {}
        }
    }

    /// Tells the other instances. One that cannot be told in time finds out for itself.
    pub(crate) async fn tell(&self, opening: &Opening) {
        let Some(board) = &self.ports.board else { return };
        tokio::select! {
            biased;
            () = board.tell(opening) => {}
            () = self.ports.pause.pause(BOARD_PATIENCE) => {}
        }
    }
}

/// Checks what rules name, and makes their words what they are compared with.
fn prepare(rules: &mut [Rule], endpoints: &[Endpoint]) -> Result<(), RoutingError> {
    for rule in rules {
        let is_known = |name: &&String| endpoints.iter().any(|endpoint| endpoint.name == **name);
        if let Some(unknown) = rule.then.endpoints.iter().find(|name| !is_known(name)) {
            return Err(RoutingError::UnknownEndpoint { rule: rule.name.clone(), name: unknown.clone() });
        }
        for word in &mut rule.when.words {
            *word = fold(word);
        }
    }
    Ok(())
}

//! One call of one endpoint, under its clocks: until its first token ([`begin`]), and from there to its end
//! ([`Begun::rest`]).

use std::{borrow::Cow, time::Duration};

use chat::{Clock, Pause, Timestamp};
use transport::{Limits, NetError, OutRequest, OutResponse, OutStream, Transport};

use crate::{
    Clocks, Endpoint, Failure, Listener, Prompt, Protocol, ServerError, Signer, Usage, estimate,
    protocol::{self, Decoder, Ending, Finish, Manner, Progress, Said, echo},
    speech::Speech,
};

/// The largest answer body, in bytes. A long answer is some 100 KiB, and each of its chunks can be ten times its words.
/// It also bounds what a broken server can make a small function hold.
const ANSWER_BYTES: usize = 8 << 20;

/// How exact two clocks are beside each other: the transport's limit is counted apart from ours.
const CLOCK_STEP: Duration = Duration::from_millis(50);

/// The longest explanation of a refusal that is read.
const REFUSAL_BYTES: usize = 64 << 10;

/// What every attempt of a question has in common.
#[derive(Clone, Copy)]
pub(crate) struct Means<'a> {
    pub(crate) transport: &'a dyn Transport,
    pub(crate) signer: Option<&'a dyn Signer>,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) pause: &'a dyn Pause,
    pub(crate) clocks: Clocks,
    pub(crate) prompt: &'a Prompt,
    /// Whether somebody hears the words come.
    pub(crate) heard: bool,
    /// Whether nothing that was heard can be taken back.
    pub(crate) is_final: bool,
}

/// What one endpoint answered.
pub(crate) struct Spoken {
    pub(crate) text: String,
    pub(crate) model: String,
    pub(crate) usage: Usage,
    pub(crate) finish: Finish,
}

/// An attempt that failed.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) error: ServerError,
    /// What it used, as far as it came; nothing when the server never saw the prompt.
    pub(crate) usage: Option<Usage>,
}

impl<E: Into<ServerError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self { error: error.into(), usage: None }
    }
}

/// A time, and what has failed when it comes.
type Limit = (Timestamp, Failure);

/// Calls an endpoint and waits for its first token, for the time of an attempt at the longest. `patience` is how long it
/// may take where another endpoint is left to ask; `until` is when the question's time is over. An answer that comes in
/// one piece has no first token, and is waited for until the attempt's time is over. `has_neighbour` is
/// whether another endpoint of the same place can be asked at once.
pub(crate) async fn begin<'a>(
    means: Means<'a>,
    endpoint: &'a Endpoint,
    prompt: Cow<'a, Prompt>,
    (patience, has_neighbour): (Option<Duration>, bool),
    until: Timestamp,
) -> Result<Begun<'a>, Failed> {
    let started = means.clock.now();
    let mut begun = Begun {
        means,
        endpoint,
        prompt,
        until,
        has_neighbour,
        alive_at: started,
        first_token: None,
        answer: None,
        said: Vec::new(),
        ending: None,
        speech: Speech::new(endpoint.reasoning.clone(), means.is_final),
    };
    let manner = endpoint.manner(means.heard);
    let attempt = (started.plus(means.clocks.attempt).min(until), Failure::Timeout);
    let silent = patience
        .filter(|_| manner == Manner::Streamed)
        .map_or(attempt, |patience| sooner(attempt, (started.plus(patience), Failure::SlowFirstToken)));
    let stream = loop {
        let Some(request) = protocol::encode(endpoint, &begun.prompt, manner) else {
            begun.said.push(Said::Words(echo::answer(&begun.prompt)));
            begun.ending =
                Some(Ending { model: None, tokens: None, finish: Finish::Complete, garbled: false });
            return Ok(begun);
        };
        let stream = within(means, silent, call(means, endpoint, request, until)).await??;
        if stream.status.is_success() {
            break stream;
        }
        let refused = within(means, silent, explained(stream)).await?;
        let error = protocol::refusal(&refused);
        // A server that does not take a parameter, or the role `system`, is asked without it, which each one is learned of once.
        if !matches!(error.failure, Failure::BadRequest(_) | Failure::Server(_))
            || !endpoint.untaken.learn(&refused)
        {
            return Err(error.into());
        }
    };
    let decoder = protocol::decoder(endpoint, &begun.prompt, &stream.headers).ok_or(Failure::Malformed)?;
    begun.answer = Some((stream, decoder));
    while begun.said.is_empty() && begun.ending.is_none() {
        begun.read(silent).await?;
    }
    begun.first_token = (manner == Manner::Streamed).then(|| means.clock.now().since(started));
    Ok(begun)
}

/// Makes one call, in this endpoint's name where it has one, and returns the head of its answer.
async fn call(
    means: Means<'_>,
    endpoint: &Endpoint,
    mut request: OutRequest,
    until: Timestamp,
) -> Result<OutStream, Failure> {
    let keyless = endpoint.protocol == Protocol::Converse && endpoint.key.is_none();
    if let Some(signer) = means.signer.filter(|_| keyless) {
        request = signer.sign(request).await;
    }
    // Here and nowhere else, for every protocol: a local endpoint is never called through a proxy.
    let request = request.via(endpoint.place.via());
    let limits = Limits { total: until.since(means.clock.now()), bytes: ANSWER_BYTES };
    Ok(means.transport.stream(request, limits).await?)
}

/// A refused call with as much of its explanation as is read.
async fn explained(stream: OutStream) -> OutResponse {
    let OutStream { status, headers, mut body } = stream;
    let mut explanation = Vec::new();
    while let Ok(Some(piece)) = body.next().await {
        explanation.extend_from_slice(&piece);
        if explanation.len() > REFUSAL_BYTES {
            break;
        }
    }
    OutResponse { status, headers, body: explanation.into() }
}

/// The limit that is reached first; the first of two that are reached together.
fn sooner(one: Limit, other: Limit) -> Limit {
    if other.0 < one.0 { other } else { one }
}

/// Waits for something, until a limit is reached.
async fn within<T>(
    means: Means<'_>,
    (until, failure): Limit,
    wait: impl Future<Output = T>,
) -> Result<T, Failure> {
    tokio::select! {
        // In this order, so that what is there is not thrown away.
        biased;
        done = wait => Ok(done),
        () = means.pause.pause(until.since(means.clock.now())) => Err(failure),
    }
}

/// An attempt whose answer has begun.
pub(crate) struct Begun<'a> {
    means: Means<'a>,
    pub(crate) endpoint: &'a Endpoint,
    /// What it was asked: the question, and what of the conversation it has room for.
    prompt: Cow<'a, Prompt>,
    until: Timestamp,
    /// Whether another endpoint of the same place can be asked at once.
    has_neighbour: bool,
    /// When it last said something.
    alive_at: Timestamp,
    /// How long its first token took, where there is one.
    pub(crate) first_token: Option<Duration>,
    /// The answer that is still coming.
    answer: Option<(OutStream, Box<dyn Decoder>)>,
    /// Said, and not yet heard by anybody.
    said: Vec<Said>,
    /// Set once the answer is whole.
    ending: Option<Ending>,
    speech: Speech,
}

impl Begun<'_> {
    /// Hears the answer to its end. Words go to `listener` as they come.
    pub(crate) async fn rest(mut self, listener: &dyn Listener) -> Result<Spoken, (Failed, Heard)> {
        listener.begins(self.endpoint);
        loop {
            self.tell(listener);
            if let Some(ending) = self.ending.take() {
                return self.spoken(ending, listener).map_err(|failure| self.failed(failure.into()));
            }
            // While tokens come, nothing else ends it: how long an answer takes says nothing about the server.
            let silent = (self.alive_at.plus(self.means.clocks.idle), Failure::Stalled);
            if let Err(error) = self.read(sooner((self.until, Failure::Timeout), silent)).await {
                if error.failure == Failure::Timeout && self.is_out_of_time() {
                    self.cut_off();
                    continue;
                }
                // What was said before it broke off was said; whoever listens learns that it is void.
                self.tell(listener);
                return Err(self.failed(error));
            }
        }
    }

    /// What it has used so far, when it is called off.
    pub(crate) fn usage(&self) -> Usage {
        estimate::usage(&self.prompt, self.speech.said())
    }

    /// Whether the question's time is over.
    fn is_out_of_time(&self) -> bool {
        self.until.since(self.means.clock.now()) < CLOCK_STEP
    }

    /// Ends the answer with what has come: the question's time is over, and the server was still answering.
    fn cut_off(&mut self) {
        let Some((_, mut decoder)) = self.answer.take() else { return };
        // Lets out what it held back. That the answer is not whole is known already.
        let _ = decoder.finish(&mut self.said);
        self.ending = Some(Ending { model: None, tokens: None, finish: Finish::TimedOut, garbled: false });
    }

    /// Reads one more piece.
    async fn read(&mut self, silent: Limit) -> Result<(), ServerError> {
        let Some((stream, decoder)) = &mut self.answer else { return Err(Failure::Broken.into()) };
        let piece = match within(self.means, silent, stream.body.next()).await? {
            Ok(piece) => piece,
            // The transport's limit is this attempt's end, which may be the question's.
            Err(NetError::Timeout) => return Err(Failure::Timeout.into()),
            Err(error) => return Err(Failure::from(error).into()),
        };
        let before = self.said.len();
        let progress = match &piece {
            Some(bytes) => decoder.push(bytes, &mut self.said)?,
            None => Progress::Over,
        };
        if progress == Progress::Over {
            self.ending = Some(decoder.finish(&mut self.said)?);
            self.answer = None;
        }
        let now = self.means.clock.now();
        // Only what the model says counts as life: keep-alive comments go on while nothing works.
        if self.said.len() > before {
            self.alive_at = now;
        }
        if self.ending.is_none() && self.until.since(now).is_zero() {
            return Err(Failure::Timeout.into());
        }
        Ok(())
    }

    /// Lets the listener hear what was said since.
    fn tell(&mut self, listener: &dyn Listener) {
        for said in self.said.drain(..) {
            match said {
                Said::Words(more) => {
                    if let Some(words) = self.speech.push(&more) {
                        listener.words(words);
                    }
                }
                Said::Thought => self.speech.thinks_apart(),
            }
        }
    }

    fn spoken(&self, ending: Ending, listener: &dyn Listener) -> Result<Spoken, Failure> {
        let text = self.speech.answer();
        // What was cut off may have been reasoning only, and would be again. It shows that the server works.
        if text.is_empty() && ending.finish == Finish::Complete {
            return Err(Failure::Empty);
        }
        // Words may be missing. Whoever has shown them already goes on with them, and so does who would have to ask at
        // another place: what can be read is better than what must not leave.
        if ending.garbled && self.has_neighbour && listener.takes_back() {
            return Err(Failure::Malformed);
        }
        if ending.finish == Finish::Complete && !ending.garbled {
            self.speech.learn();
        }
        // Reasoning without an opening mark shows only by its end: it was heard, and is no part of the answer.
        if self.speech.is_misheard() && listener.takes_back() {
            listener.restarted();
            listener.words(text);
        }
        let usage = match ending.tokens {
            Some((prompt, completion)) => Usage { prompt, completion, estimated: false },
            None => self.usage(),
        };
        let model = ending.model.unwrap_or_else(|| self.endpoint.model.clone());
        Ok(Spoken { text: text.to_owned(), model, usage, finish: ending.finish })
    }

    fn failed(&self, error: ServerError) -> (Failed, Heard) {
        (Failed { error, usage: Some(self.usage()) }, Heard(self.speech.is_heard()))
    }
}

/// Whether words of a failed attempt were heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heard(pub(crate) bool);

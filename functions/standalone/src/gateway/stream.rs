//! An answer that goes out as it comes.
//!
//! The question is asked by whoever sends the answer: each time that the connection has room for more, the question goes
//! on until there are words. So no words pile up before a slow reader, none wait for another task to wake, and a program
//! that hangs up ends its question.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context as Waking, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::Stream;
use routing::{Answer, Ask, Endpoint, Listener, Meter, NoAnswer, Router};

use super::{
    books::Books,
    gather::Gathering,
    question::Question,
    wire::{Chunks, Head},
};

/// Hears the answer and writes its chunks.
struct Ear {
    head: Head,
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    endpoint: String,
    model: String,
    /// Whether words have been written: what was sent cannot be taken back.
    begun: bool,
    chunks: Chunks,
}

impl Ear {
    fn with<T>(&self, act: impl FnOnce(&mut Heard) -> T) -> T {
        act(&mut self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Listener for Ear {
    fn begins(&self, endpoint: &Endpoint) {
        self.with(|heard| {
            heard.endpoint.clone_from(&endpoint.name);
            heard.model.clone_from(&endpoint.model);
        });
    }

    fn words(&self, more: &str) {
        self.with(|heard| {
            if !heard.begun {
                heard.begun = true;
                heard.chunks.begin(&self.head, &heard.model);
            }
            heard.chunks.words(more);
        });
    }

    fn takes_back(&self) -> bool {
        self.with(|heard| !heard.begun)
    }

    fn is_final(&self) -> bool {
        true
    }
}

type Asked = Pin<Box<dyn Future<Output = Result<Answer, NoAnswer>> + Send>>;

/// A question whose answer goes out as it comes.
pub(crate) struct Coming {
    /// Absent once it is answered.
    asked: Option<Asked>,
    ear: Arc<Ear>,
    include_usage: bool,
    /// The first chunks, which were waited for to know that there is an answer.
    first: Option<Bytes>,
    /// Of those after the first, which wait for nothing.
    gathering: Option<Gathering>,
}

impl Coming {
    pub(crate) fn new(
        router: Arc<Router>,
        question: Arc<Question>,
        budget: Duration,
        head: Head,
        mut books: Books,
    ) -> Self {
        let ear = Arc::new(Ear { head, heard: Mutex::default() });
        let include_usage = question.include_usage;
        let listener = Arc::clone(&ear);
        let asked = Box::pin(async move {
            let Question { prompt, context, .. } = &*question;
            let meter = Meter::new(prompt, books.noting(&*listener));
            books.watch(meter.count());
            let result = router.ask(&Ask { listener: &meter, ..Ask::whole(prompt, context, budget) }).await;
            books.close(&result).await;
            result
        });
        Self { asked: Some(asked), ear, include_usage, first: None, gathering: None }
    }

    /// Waits for the first words. Nothing has been sent when there are none.
    pub(crate) async fn begin(mut self) -> Result<Self, NoAnswer> {
        let first = std::future::poll_fn(|waking| self.poll(waking)).await;
        self.first = first?;
        self.gathering = Some(Gathering::default());
        Ok(self)
    }

    /// The endpoint that answers.
    pub(crate) fn endpoint(&self) -> String {
        self.ear.with(|heard| heard.endpoint.clone())
    }

    /// The next chunks; none after the last. Fails only before the first words.
    fn poll(&mut self, waking: &mut Waking<'_>) -> Poll<Result<Option<Bytes>, NoAnswer>> {
        let Some(asked) = &mut self.asked else { return Poll::Ready(Ok(None)) };
        let Poll::Ready(result) = asked.as_mut().poll(waking) else {
            return self.gathered(waking).map_or(Poll::Pending, |more| Poll::Ready(Ok(Some(more))));
        };
        self.asked = None;
        Poll::Ready(self.end(result))
    }

    /// What there is to send now.
    fn gathered(&mut self, waking: &Waking<'_>) -> Option<Bytes> {
        let written = self.ear.with(|heard| heard.chunks.written());
        if self.gathering.as_mut().is_some_and(|gathering| gathering.goes_on(written, waking)) {
            return None;
        }
        self.ear.with(|heard| heard.chunks.take())
    }

    fn end(&mut self, result: Result<Answer, NoAnswer>) -> Result<Option<Bytes>, NoAnswer> {
        match result {
            Ok(answer) => {
                // An answer that looked like the beginning of reasoning to its end was never let out.
                if self.ear.takes_back() {
                    self.ear.words(&answer.text);
                }
                let used = self.include_usage.then_some(answer.usage);
                Ok(self.ear.with(|heard| {
                    heard.chunks.end(answer.finish, used);
                    heard.chunks.take()
                }))
            }
            Err(no_answer) => self.ear.with(|heard| {
                if !heard.begun {
                    return Err(no_answer);
                }
                heard.chunks.break_off(&super::refusal::Refusal::broken_off().json());
                Ok(heard.chunks.take())
            }),
        }
    }
}

impl Stream for Coming {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, waking: &mut Waking<'_>) -> Poll<Option<Self::Item>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        // The answer has begun, so a failure is told in its own words.
        self.poll(waking).map(|more| more.ok().flatten().map(Ok))
    }
}

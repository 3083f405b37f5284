//! Answers as servers send them, one file each in `recorded/`, heard whole, cut at every byte, and broken off at every
//! byte. They were written after the providers' public documents, with the quirks that servers in use have.
//!
//! A file begins with what is expected, then `---`, then the body. Bedrock's bodies are lines of a message's kind, name
//! and payload, which are framed here.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot lay its table has failed")]

mod mutations;
mod recorded;

use std::collections::BTreeSet;

use routing::{
    Endpoint, Failure, Finish, Place, Prompt, Protocol,
    protocol::{self, Ending, Progress, Said},
};

use recorded::{Expected, Recorded};

/// What was heard of an answer.
#[derive(Debug, PartialEq)]
struct Heard {
    words: String,
    thoughts: usize,
    end: Result<Ending, Failure>,
}

fn hear<'a>(recorded: &Recorded, pieces: impl IntoIterator<Item = &'a [u8]>) -> Heard {
    let url = "http://h/".parse().unwrap();
    let mut endpoint = Endpoint::new("e", Place::Cloud, url, recorded.protocol, "m");
    endpoint.template = recorded.template;
    let mut prompt = Prompt::question("hi");
    prompt.sampling.stop.extend(recorded.stop.clone());
    let mut decoder = protocol::decoder(&endpoint, &prompt, &recorded.headers).unwrap();
    let (mut said, mut failure) = (Vec::new(), None);
    for piece in pieces {
        match decoder.push(piece, &mut said) {
            Ok(Progress::More) => {}
            Ok(Progress::Over) => break,
            Err(error) => {
                failure = Some(error.failure);
                break;
            }
        }
    }
    let end = failure.map_or_else(|| decoder.finish(&mut said).map_err(|error| error.failure), Err);
    let (mut words, mut thoughts) = (String::new(), 0);
    for said in said {
        match said {
            Said::Words(more) => words.push_str(&more),
            Said::Thought => thoughts += 1,
        }
    }
    Heard { words, thoughts, end }
}

#[test]
fn every_recorded_answer_is_understood() {
    for recorded in recorded::all() {
        let heard = hear(&recorded, [&recorded.body[..]]);
        match &recorded.expected {
            Expected::Answer { words, thoughts, ending } => {
                let expected = Heard { words: words.clone(), thoughts: *thoughts, end: Ok(ending.clone()) };
                assert_eq!(heard, expected, "{}", recorded.name);
            }
            Expected::Failure(failure) => assert_eq!(heard.end, Err(*failure), "{}", recorded.name),
        }
    }
}

#[test]
fn where_the_network_cuts_says_nothing() {
    for recorded in recorded::all() {
        let body = &recorded.body[..];
        let whole = hear(&recorded, [body]);
        assert_eq!(hear(&recorded, body.chunks(1)), whole, "{} byte by byte", recorded.name);
        for cut in 0..body.len() {
            let (head, tail) = body.split_at(cut);
            assert_eq!(hear(&recorded, [head, tail]), whole, "{} cut at {cut}", recorded.name);
        }
    }
}

/// Wherever an answer breaks off, it is either whole already or no answer: what was cut is never presented as whole.
#[test]
fn an_answer_that_breaks_off_is_no_answer() {
    for recorded in recorded::all() {
        let whole = hear(&recorded, [&recorded.body[..]]);
        let finish = whole.end.as_ref().map(|ending| ending.finish);
        let mut broken = 0;
        for end in 0..recorded.body.len() {
            let heard = hear(&recorded, [&recorded.body[..end]]);
            match &heard.end {
                Err(_) => broken += 1,
                Ok(ending) => {
                    assert_eq!(
                        (&heard.words, Ok(ending.finish)),
                        (&whole.words, finish),
                        "{} ends at {end}",
                        recorded.name
                    );
                }
            }
        }
        assert!(broken > 0 || recorded.body.is_empty(), "{}", recorded.name);
    }
}

#[test]
fn a_stream_that_ends_between_two_events_is_broken() {
    for recorded in recorded::all().filter(Recorded::is_stream) {
        let ends = recorded.event_ends();
        // Until the reason for the end, or whatever makes it a failure, has come.
        let told = ends.iter().position(|&end| {
            let heard = hear(&recorded, [&recorded.body[..end]]);
            !matches!(heard.end, Err(Failure::Broken | Failure::Malformed))
        });
        let told = told.unwrap_or(ends.len());
        assert!(told > 0 || matches!(recorded.expected, Expected::Failure(_)), "{}", recorded.name);
        if let Expected::Answer { .. } = recorded.expected {
            assert!(told < ends.len(), "{}: the whole of it is an answer", recorded.name);
        }
    }
}

fn finish(expected: &Expected) -> Option<Finish> {
    match expected {
        Expected::Answer { ending, .. } => Some(ending.finish),
        Expected::Failure(_) => None,
    }
}

#[test]
fn every_protocol_is_recorded_whole_cut_off_and_failing() {
    let spoken = Protocol::ALL.iter().filter(|&&protocol| protocol != Protocol::Echo);
    let spoken: BTreeSet<_> = spoken.map(|protocol| protocol.as_str()).collect();
    let of = |fits: fn(&Expected) -> bool| -> BTreeSet<_> {
        let fitting = recorded::all().filter(|recorded| fits(&recorded.expected));
        fitting.map(|recorded| recorded.protocol.as_str()).collect()
    };
    assert_eq!(of(|expected| finish(expected) == Some(Finish::Complete)), spoken);
    assert_eq!(of(|expected| finish(expected) == Some(Finish::Length)), spoken);
    assert_eq!(of(|expected| *expected == Expected::Failure(Failure::Broken)), spoken);
}

/// A body that no protocol knows, in every protocol.
#[test]
fn what_nobody_speaks_is_no_answer() {
    for &protocol in Protocol::ALL.iter().filter(|&&protocol| protocol != Protocol::Echo) {
        for body in [
            "",
            "\n",
            "null",
            "{}",
            "[]",
            "[1]",
            "\"words\"",
            "data: null\n\n",
            "data: []\n\n",
            "<html>",
            "\0\0\0",
        ] {
            let recorded = recorded::of(protocol, body.as_bytes());
            let heard = hear(&recorded, [body.as_bytes()]);
            let failed = matches!(heard.end, Err(Failure::Malformed | Failure::Broken));
            assert!(failed && heard.words.is_empty(), "{protocol:?} {body:?}: {heard:?}");
        }
        let deep = format!("data: {}\n\n", "[".repeat(100_000));
        let heard = hear(&recorded::of(protocol, deep.as_bytes()), [deep.as_bytes()]);
        assert!(heard.end.is_err(), "{protocol:?}");
    }
}

/// Whatever a server sends without an end, it is not held for ever.
#[test]
fn an_endless_answer_is_given_up() {
    for (protocol, beginning) in [
        (Protocol::ChatCompletions, "data: {\"x\":\""),
        (Protocol::ChatCompletions, "{\"x\":\""),
        (Protocol::Messages, "data: {\"x\":\""),
        (Protocol::Ollama, "{\"x\":\""),
    ] {
        let recorded = recorded::of(protocol, beginning.as_bytes());
        let more = vec![b'x'; 1 << 20];
        let pieces = std::iter::once(beginning.as_bytes()).chain(std::iter::repeat_n(&more[..], 6));
        assert_eq!(hear(&recorded, pieces).end, Err(Failure::TooLarge), "{protocol:?} {beginning}");
    }
}

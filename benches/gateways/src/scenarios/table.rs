//! The sixteen.

use super::{
    Check::{
        BackWithin, Counted, HintHonoured, NamesFallback, NoPrefillComplaint, PrimaryAtLeast, PrimaryAtMost,
        PrimaryAtMostWithin, SaysFiltered, ServedInOutage, Within,
    },
    Fault, Ideal, Rule, Scenario, Series,
};

/// What most scenarios have in common.
const USUAL: Scenario = Scenario {
    id: "",
    title: "",
    right: "",
    primary: Fault::None,
    fallback: Fault::None,
    ideal: Ideal::Answer,
    streamed: false,
    patience: 40.0,
    series: None,
    rules: &[],
};

/// In the order of their numbers.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "S01",
        title: "429 with Retry-After: 2, once",
        right: "asks the same model again after the two seconds",
        primary: Fault::BusyOnce { retry_after: 2.0 },
        patience: 20.0,
        rules: &[
            Rule::advised(PrimaryAtLeast(2)),
            Rule::advised(HintHonoured),
            Rule::required(PrimaryAtMostWithin(2, 1.5)),
        ],
        ..USUAL
    },
    Scenario {
        id: "S02",
        title: "429 without a hint, always",
        right: "backs off, then asks the other; never hammers",
        primary: Fault::Busy,
        rules: &[Rule::required(PrimaryAtMostWithin(4, 3.0)), Rule::required(PrimaryAtMost(6))],
        ..USUAL
    },
    Scenario {
        id: "S03",
        title: "500, once",
        right: "asks the same model once more",
        primary: Fault::ErrorOnce,
        patience: 20.0,
        rules: &[Rule::advised(PrimaryAtLeast(2))],
        ..USUAL
    },
    Scenario {
        id: "S04",
        title: "503, always",
        right: "asks the other within the budget of retries",
        primary: Fault::Overloaded,
        rules: &[Rule::required(PrimaryAtMost(6))],
        ..USUAL
    },
    Scenario {
        id: "S05",
        title: "connection reset before the headers, once",
        right: "asks again, either",
        primary: Fault::ResetOnce,
        patience: 20.0,
        ..USUAL
    },
    Scenario {
        id: "S06",
        title: "no answer for 120 s",
        right: "gives up in time and does not ask the silent model again",
        primary: Fault::Silent { seconds: 120.0 },
        patience: 130.0,
        rules: &[Rule::required(Within(100.0)), Rule::advised(PrimaryAtMost(1))],
        ..USUAL
    },
    Scenario {
        id: "S07",
        title: "first word after 20 s",
        right: "asks the other, so that the answer is there within 15 s",
        primary: Fault::SlowStart { seconds: 20.0 },
        streamed: true,
        patience: 60.0,
        rules: &[Rule::advised(Within(15.0)).with_fallback()],
        ..USUAL
    },
    Scenario {
        id: "S08",
        title: "hangs up after 40 of 60 words",
        right: "the whole answer from the other, or an error; never the part as the whole",
        primary: Fault::Cut { after: 40 },
        ..USUAL
    },
    Scenario {
        id: "S09",
        title: "silent for 30 s after 20 of 60 words",
        right: "notices, and the same as S08",
        primary: Fault::Stall { after: 20, seconds: 30.0 },
        patience: 130.0,
        // Not streamed, a stall looks like S06's silence, and two retries of 30 s are within everybody's budget.
        rules: &[Rule::required(Within(100.0)), Rule::advised(Within(45.0))],
        ..USUAL
    },
    Scenario {
        id: "S10",
        title: "an event that is no JSON",
        right: "skips it: the others carry the whole answer",
        primary: Fault::Garbled { after: 10 },
        streamed: true,
        patience: 30.0,
        ..USUAL
    },
    Scenario {
        id: "S11",
        title: "a whole stream without [DONE]",
        right: "ends promptly, with the usage",
        primary: Fault::NoDone,
        streamed: true,
        patience: 30.0,
        rules: &[Rule::required(Within(8.0)), Rule::advised(Counted)],
        ..USUAL
    },
    Scenario {
        id: "S12",
        title: "400 context_length_exceeded",
        right: "never the same question to the same model; the other has a larger window",
        primary: Fault::TooLong,
        patience: 20.0,
        rules: &[Rule::required(PrimaryAtMost(1))],
        ..USUAL
    },
    Scenario {
        id: "S13",
        title: "400 content_policy_violation",
        right: "says so; does not go around it",
        primary: Fault::Filtered,
        ideal: Ideal::Error,
        patience: 20.0,
        rules: &[Rule::required(PrimaryAtMost(1)), Rule::advised(SaysFiltered)],
        ..USUAL
    },
    Scenario {
        id: "S14",
        title: "as S08, and the other takes no prefill",
        right: "starts afresh; nobody sees the other's complaint",
        primary: Fault::Cut { after: 40 },
        fallback: Fault::NoPrefill,
        rules: &[Rule::required(NoPrefillComplaint)],
        ..USUAL
    },
    Scenario {
        id: "S15",
        title: "503 for 60 s, then healthy; 20 questions, 4 s apart",
        right: "the other answers meanwhile; the first again within 30 s",
        primary: Fault::Flap { down: 60.0 },
        patience: 30.0,
        series: Some(Series { count: 20, every: 4.0 }),
        rules: &[
            Rule::required(ServedInOutage).with_fallback(),
            Rule::required(BackWithin(30.0)).with_fallback(),
        ],
        ..USUAL
    },
    Scenario {
        id: "S16",
        title: "503, always: who is named and counted?",
        right: "the model and the usage of who answered",
        primary: Fault::Overloaded,
        rules: &[
            Rule::required(NamesFallback).with_fallback(),
            Rule::advised(Counted).with_fallback(),
            Rule::required(PrimaryAtMost(6)),
        ],
        ..USUAL
    },
];

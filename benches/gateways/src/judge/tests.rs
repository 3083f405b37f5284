use serde_json::json;

use super::*;
use crate::scenarios::SCENARIOS;

/// A run, put together second by second.
struct Story {
    begin: Instant,
    facts: Facts,
}

fn at(begin: Instant, seconds: f64) -> Instant {
    begin + Duration::from_secs_f64(seconds)
}

impl Story {
    fn new() -> Self {
        let (begin, scale) = (Instant::now(), Scale::REAL);
        let facts = Facts {
            asked: Vec::new(),
            primary: Vec::new(),
            fallback: Vec::new(),
            alive: Ok(()),
            has_fallback: true,
            scale,
        };
        Self { begin, facts }
    }

    fn ask(&self, model: &str, seconds: f64, outcome: Outcome) -> Ask {
        Ask { model: model.to_owned(), at: at(self.begin, seconds), streamed: false, outcome }
    }

    /// The first model is asked at this second.
    fn primary(mut self, model: &str, seconds: f64, outcome: Outcome) -> Self {
        self.facts.primary.push(self.ask(model, seconds, outcome));
        self
    }

    /// The second model is asked at this second.
    fn fallback(mut self, model: &str, seconds: f64, outcome: Outcome) -> Self {
        self.facts.fallback.push(self.ask(model, seconds, outcome));
        self
    }

    /// The client asked at this second, and heard this so much later.
    fn heard(mut self, seconds: f64, took: f64, reading: Option<Reading>) -> Self {
        let (at, took) = (at(self.begin, seconds), Duration::from_secs_f64(took));
        self.facts.asked.push(Asked { at, took, reading });
        self
    }

    fn verdict(&self, id: &str) -> (Grade, String) {
        let scenario = SCENARIOS.iter().find(|scenario| scenario.id == id).unwrap();
        let verdict = judge(scenario, &self.facts);
        (verdict.grade, verdict.why)
    }
}

fn whole(model: &str) -> Option<Reading> {
    let question = json!([{"role": "user", "content": QUESTION}]);
    Some(Reading::Answer(Answer {
        text: ANSWER.to_owned(),
        model: Some(model.to_owned()),
        usage: Some(answer::usage(&question, ANSWER)),
        finished: true,
        done: true,
    }))
}

fn error(why: &str) -> Option<Reading> {
    Some(Reading::Error { status: Some(502), why: why.to_owned() })
}

/// Each story differs in one thing from one that passes.
fn assert_verdicts(id: &str, stories: Vec<(Story, Grade, &str)>) {
    for (story, grade, part) in stories {
        let (found, why) = story.verdict(id);
        assert!(found == grade && why.contains(part), "{id}: {found}: {why}; expected {grade}: {part}");
    }
}

#[test]
fn a_hint_is_to_be_waited_for() {
    let story = |second: f64| {
        let story = Story::new().primary("s01-primary", 0.0, Outcome::Refused(429));
        story.primary("s01-primary", second, Outcome::Whole).heard(0.0, second + 1.0, whole("s01-primary"))
    };
    let other = Story::new()
        .primary("s01-primary", 0.0, Outcome::Refused(429))
        .fallback("s01-fallback", 0.1, Outcome::Whole)
        .heard(0.0, 1.0, whole("s01-fallback"));
    let hammered = story(2.0).primary("s01-primary", 0.5, Outcome::Refused(429)).primary(
        "s01-primary",
        0.6,
        Outcome::Refused(429),
    );
    assert_verdicts(
        "S01",
        vec![
            (story(2.0), Grade::Pass, "asked 2 times"),
            (story(1.0), Grade::Partial, "asked again after 1.0 s"),
            (other, Grade::Partial, "asked 1 times, not 2"),
            (hammered, Grade::Fail, "within 1.5 s"),
        ],
    );
}

#[test]
fn a_hang_and_a_part_are_failures_whatever_else_is_right() {
    let story = || {
        Story::new().primary("s08-primary", 0.0, Outcome::Broken).fallback(
            "s08-fallback",
            0.5,
            Outcome::Whole,
        )
    };
    let part = Answer { text: "Half an".to_owned(), ..Answer::default() };
    let dead = || {
        let mut story = story().heard(0.0, 1.0, whole("s08-fallback"));
        story.facts.alive = Err("no answer".to_owned());
        story
    };
    assert_verdicts(
        "S08",
        vec![
            (story().heard(0.0, 1.0, whole("s08-fallback")), Grade::Pass, "second once"),
            (story().heard(0.0, 1.0, error("gone")), Grade::Safe, "502 gone"),
            (story().heard(0.0, 40.0, None), Grade::Fail, "gave up waiting"),
            (story().heard(0.0, 1.0, Some(Reading::Answer(part))), Grade::Fail, "2 words"),
            (dead(), Grade::Fail, "not healthy afterwards"),
        ],
    );
}

#[test]
fn who_answered_is_named_and_counted_and_paid_for_once() {
    let story = |named: &str, change: fn(&mut Answer)| {
        let mut reading = whole(named);
        if let Some(Reading::Answer(answer)) = &mut reading {
            change(answer);
        }
        let story = Story::new().primary("s16-primary", 0.0, Outcome::Refused(503));
        story.fallback("s16-fallback", 0.5, Outcome::Whole).heard(0.0, 1.0, reading)
    };
    let twice = story("s16-fallback", |_| ()).fallback("s16-fallback", 0.6, Outcome::Whole);
    let wrong: fn(&mut Answer) =
        |answer| answer.usage = Some(json!({"prompt_tokens": 1, "completion_tokens": 1}));
    assert_verdicts(
        "S16",
        vec![
            (story("s16-fallback", |_| ()), Grade::Pass, ""),
            (story("openai/s16-fallback", |_| ()), Grade::Pass, ""),
            (story("s16-primary", |_| ()), Grade::Fail, "names s16-primary"),
            (story("s16-fallback", |answer| answer.usage = None), Grade::Partial, "no usage"),
            (story("s16-fallback", wrong), Grade::Partial, "prompt_tokens 1, not"),
            (twice, Grade::Partial, "2 whole answers for 1"),
        ],
    );
    let other = Story::new().primary("s03-primary", 0.0, Outcome::Refused(500));
    let other = other.primary("s03-primary", 0.5, Outcome::Whole).heard(0.0, 1.0, whole("s03-fallback"));
    assert_verdicts("S03", vec![(other, Grade::Partial, "names s03-fallback, not s03-primary")]);
}

#[test]
fn time_is_bounded_and_a_silent_model_left_alone() {
    let story = |took: f64, asked: usize| {
        let begin = Story::new().fallback("s06-fallback", took - 1.0, Outcome::Whole);
        let story =
            (0..asked).fold(begin, |story, n| story.primary("s06-primary", 30.0 * n as f64, Outcome::Left));
        story.heard(0.0, took, whole("s06-fallback"))
    };
    assert_verdicts(
        "S06",
        vec![
            (story(11.0, 1), Grade::Pass, ""),
            (story(95.0, 3), Grade::Partial, "asked 3 times"),
            (story(101.0, 1), Grade::Fail, "took 101.0 s, not 100"),
        ],
    );
    let story = |took: f64| {
        let story = Story::new().primary("s07-primary", 0.0, Outcome::Left);
        story.fallback("s07-fallback", took - 1.0, Outcome::Whole).heard(0.0, took, whole("s07-fallback"))
    };
    let mut alone = story(21.0);
    alone.facts.has_fallback = false;
    assert_verdicts(
        "S07",
        vec![
            (story(12.0), Grade::Pass, ""),
            (story(16.0), Grade::Partial, "took 16.0 s, not 15"),
            (alone, Grade::Pass, ""),
        ],
    );
}

#[test]
fn what_is_refused_is_said_and_not_gone_around() {
    let story =
        |reading| Story::new().primary("s13-primary", 0.0, Outcome::Refused(400)).heard(0.0, 0.1, reading);
    let around = story(whole("s13-fallback")).fallback("s13-fallback", 0.05, Outcome::Whole);
    let again = story(error("content_filter")).primary("s13-primary", 0.05, Outcome::Refused(400));
    assert_verdicts(
        "S13",
        vec![
            (story(error("{\"code\":\"content_filter\"}")), Grade::Pass, ""),
            (story(error("Refused by the content policy.")), Grade::Pass, ""),
            (story(error("bad gateway")), Grade::Partial, "does not say"),
            (around, Grade::Partial, "should have been refused"),
            (again, Grade::Fail, "asked 2 times"),
        ],
    );
    let long = Story::new().primary("s12-primary", 0.0, Outcome::Refused(400));
    let long = long.primary("s12-primary", 0.1, Outcome::Refused(400)).heard(0.0, 0.2, error("too long"));
    assert_verdicts("S12", vec![(long, Grade::Fail, "asked 2 times")]);
}

#[test]
fn a_complaint_about_prefill_is_nobodys_answer() {
    let story = Story::new().primary("s14-primary", 0.0, Outcome::Broken);
    let story =
        story.fallback("s14-fallback", 0.5, Outcome::PrefillRefused).heard(0.0, 1.0, error("prefill"));
    assert_verdicts("S14", vec![(story, Grade::Fail, "hides what broke")]);
}

#[test]
fn an_outage_is_bridged_and_its_end_noticed() {
    let story = |back: f64, served: bool| {
        let mut story = Story::new().primary("s15-primary", 0.0, Outcome::Refused(503));
        for second in [0.0, 40.0] {
            let reading = if served { whole("s15-fallback") } else { error("down") };
            story = story.fallback("s15-fallback", second, Outcome::Whole).heard(second, 1.0, reading);
        }
        let story = story.primary("s15-primary", back, Outcome::Whole);
        story.heard(back, 1.0, whole("s15-primary"))
    };
    let never = Story::new().primary("s15-primary", 0.0, Outcome::Refused(503));
    let never = never.fallback("s15-fallback", 0.0, Outcome::Whole).heard(0.0, 1.0, whole("s15-fallback"));
    assert_verdicts(
        "S15",
        vec![
            (story(89.0, true), Grade::Pass, ""),
            (story(92.0, true), Grade::Fail, "back after 32.0 s"),
            (story(61.0, false), Grade::Fail, "2 of 2 questions in the outage not answered"),
            (never, Grade::Fail, "was not used again"),
        ],
    );
}

#[test]
fn an_answer_without_what_it_cost_is_incomplete() {
    let mut reading = whole("s11-primary");
    if let Some(Reading::Answer(answer)) = &mut reading {
        answer.usage = None;
    }
    let story = Story::new().primary("s11-primary", 0.0, Outcome::Whole).heard(0.0, 1.0, reading);
    assert_verdicts("S11", vec![(story, Grade::Partial, "no usage")]);
}

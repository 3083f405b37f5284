use gateways::router::stats::Times;

use super::*;
use crate::{closed::Counted, judge::Judged, plan::Choice, server::memory::Memory};

const MEMORY: Memory = Memory { idle_kb: 10 << 10, peak_kb: 50 << 10, after_kb: 40 << 10 };

fn acknowledging(server: Server, rate: usize) -> Acknowledging {
    let counted = Counted {
        acknowledged: rate * 5,
        lasted: Duration::from_secs(5),
        times: Times::new(vec![1.0, 2.0]),
        server_ms: rate as f64 * 5.0 * 0.05,
        generator_ms: 100.0,
        faults: Vec::new(),
    };
    Acknowledging { server, counted, memory: MEMORY }
}

fn answering(shape: Shape, late: usize, faults: &[&str]) -> Answering {
    let judged = Judged {
        sent: 1_000,
        acknowledged: 1_000,
        answered: 1_000,
        late,
        most_in_flight: 400,
        acknowledgements: Times::new(vec![1.0, 12.0]),
        answers: Times::new(vec![2_010.0, 2_050.0]),
        lateness: Times::new(vec![0.1]),
        faults: faults.iter().map(|fault| (*fault).to_owned()).collect(),
    };
    let others_ms = (50.0, 100.0);
    Answering { shape, judged, server_ms: 400.0, others_ms, lasted: Duration::from_secs(7), memory: MEMORY }
}

fn plan(choice: &Choice) -> Plan {
    Plan::of(&Product::ALL, 2, choice).unwrap()
}

fn found(rate: usize, late: usize, faults: &[&str]) -> Found {
    let handlers = [1_000, 2_000, 3_000, 4_000];
    let servers = Server::of(&Product::ALL, 2);
    let rates = std::iter::once(rate).chain(handlers);
    Found {
        acknowledging: servers
            .into_iter()
            .zip(rates)
            .map(|(server, rate)| acknowledging(server, rate))
            .collect(),
        answering: vec![answering(Shape::Steady, late, faults), answering(Shape::Burst, 0, &[])],
    }
}

fn place(load: f64) -> Place {
    let machine =
        Machine { processors: 2, model: "a model".to_owned(), kernel: "6.1.0".to_owned(), memory: 24, load };
    Place { machine, sync_time: Duration::from_micros(1_250) }
}

fn assert_holds(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "{part:?} is not in:\n{page}");
    }
}

#[test]
fn the_page_shows_what_was_measured_and_how() {
    let plan = plan(&Choice::default());
    let page =
        page(&plan, &place(0.3), &[found(9_000, 0, &[]), found(11_000, 0, &[]), found(10_000, 0, &[])]);
    assert_holds(
        &page,
        &[
            "load 0.3 at the start; the disk keeps 4 KB in 1.25 ms; 3 runs.",
            "- python-sdk: lark-oapi ",
            "| magpie | 10000 (9000–11000) | 1.00 | 2.00 | 2.00 | 2.00 | 50 | 10 | 50 |",
            "| node-sdk, 2 processes | 4000 |",
            "| 200 a second | 1000 | 1000 | 0 | 1.00 | 12.00 | 12.00 | 12.00 | 2010 | 2050 | 2050 | 2050 |",
            "| 1000 at once | 400 | 400 | 10 | 50 | 40 |",
            "handler in one process | ≥ 3 times | 3.3 (3.0–3.7) times | yes |",
            "handler in as many processes as processors | ≥ 3 times | 2.5 (2.2–2.8) times | **no** |",
            "processor time for a turn | ≤ 500 µs | 400 µs | yes |",
            "## Faults\n\nNone.\n",
        ],
    );
}

#[test]
fn what_went_wrong_is_not_hidden() {
    let found = [found(9_000, 7, &["3 not answered"])];
    let page = page(&plan(&Choice::default()), &place(3.5), &found);
    assert_holds(
        &page,
        &[
            "**the machine was not quiet: load 3.5 at the start**",
            "at the rate: messages not answered within 1 s of the model's time | ≤ 0  | 7  | **no** |",
            "- magpie, at the rate: 3 not answered",
        ],
    );
    assert_eq!(faults(&found), ["magpie, at the rate: 3 not answered"]);
    assert!(!page.contains("None."), "{page}");
}

#[test]
fn targets_stand_only_beside_the_run_that_they_are_for() {
    let choice = Choice { rate: Some(50.0), ..Choice::default() };
    let page = page(&plan(&choice), &place(0.3), &[found(9_000, 0, &[])]);
    assert!(!page.contains("## Targets"), "{page}");
    assert_holds(&page, &["| 50 a second |"]);
}

#[test]
fn a_line_names_what_one_optimises() {
    let line = line::answering(&answering(Shape::Steady, 7, &["3 not answered"]));
    assert_holds(
        &line,
        &["CPU 400 µs per turn", "late 7", "p99 12.00", "memory 50 MB peak", "faults: 3 not answered"],
    );
    let line = line::acknowledging(&acknowledging(Server { product: Product::Magpie, processes: 1 }, 1_000));
    assert_holds(&line, &["1000 acknowledgements/s", "CPU 50 µs per acknowledgement", "memory 50 MB peak"]);
}

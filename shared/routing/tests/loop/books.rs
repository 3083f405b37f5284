//! What an attempt used, what it cost, and under whose name it is booked.

use routing::{Endpoint, Price, Route, Strategy};

use crate::net::{Does, Step, ask, endpoint, net, router, setup};

const COUNTED: Does = Does::Stream(&[
    Step::Word("yes"),
    Step::Bytes(
        "data: {\"model\":\"big-1\",\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\
         \"usage\":{\"prompt_tokens\":11,\"completion_tokens\":2}}\n\n",
    ),
    Step::Bytes("data: [DONE]\n\n"),
]);

#[tokio::test(start_paused = true)]
async fn usage_is_the_servers_or_an_estimate_that_says_so() {
    let (router, _) = setup(&[("local", COUNTED)], Strategy::LocalOnly);
    let answer = ask(&router, 90).await.unwrap();
    assert_eq!((answer.usage.prompt, answer.usage.completion, answer.usage.estimated), (11, 2, false));

    let (router, _) = setup(&[("local", Does::Say(&["yes"]))], Strategy::LocalOnly);
    let usage = ask(&router, 90).await.unwrap().usage;
    assert_eq!((usage.prompt, usage.completion, usage.estimated), (5, 1, true));
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_booked_under_who_made_it_and_at_its_price() {
    let price = |prompt, completion| Some(Price { prompt, completion });
    let endpoints = vec![
        Endpoint { price: price(1_000_000, 2_000_000), ..endpoint("la") },
        Endpoint { price: price(3_000_000, 4_000_000), ..endpoint("lb") },
        Endpoint { price: price(5_000_000, 6_000_000), ..endpoint("cloud") },
    ];
    let cut = Does::Stream(&[Step::Word("half an answer"), Step::Break]);
    let net = net(&[("la", &[Does::Status(503, "")]), ("lb", &[cut]), ("cloud", &[COUNTED])]);
    let answer = ask(&router(endpoints, Route::default(), &net).unwrap(), 90).await.unwrap();
    let booked: Vec<_> = answer.attempts.iter().map(|a| (a.endpoint.as_str(), a.cost)).collect();
    // A refused call used nothing; a broken one what was read and said by estimate: 5 and 4 tokens.
    assert_eq!(booked, [("la", 0), ("la", 0), ("lb", 5 * 3 + 4 * 4), ("cloud", 11 * 5 + 2 * 6)]);
    assert_eq!(answer.cost(), 31 + 67);
    assert_eq!((answer.endpoint.as_str(), answer.model.as_str()), ("cloud", "served"));
    assert_eq!(answer.attempts.last().map(|a| a.model.as_str()), Some("served"));
    assert_eq!(answer.attempts[2].model, "model-of-lb");
}

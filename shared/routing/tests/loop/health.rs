//! Who is left alone, and who is asked all the same.

use std::{sync::Arc, time::Duration};

use chat::{Clock as _, Pause as _};
use routing::{Gate, Opening, Route, Rule, Strategy, Then, When};
use transport::NetError;

use crate::net::{Does, Net, Step, ask, endpoint, net, router, say, setup};

const DOWN: Does = Does::Fail(NetError::Unreachable);

async fn wait(net: &Arc<Net>, seconds: u64) {
    net.pause(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn who_is_down_is_asked_again_after_its_wait_and_by_one_question() {
    let net = net(&[("local", &[DOWN, say("back")]), ("cloud", &[say("c")])]);
    let router = router(vec![endpoint("local"), endpoint("cloud")], Route::default(), &net).unwrap();
    for _ in 0..3 {
        assert_eq!(ask(&router, 90).await.unwrap().endpoint, "cloud");
    }
    assert_eq!(net.called(), ["local", "cloud", "cloud", "cloud"]);
    wait(&net, 10).await;
    let (one, other) = tokio::join!(ask(&router, 90), ask(&router, 90));
    let mut answered = [one.unwrap().endpoint, other.unwrap().endpoint];
    answered.sort_unstable();
    assert_eq!(answered, ["cloud", "local"], "one question tries");
    assert_eq!(ask(&router, 90).await.unwrap().endpoint, "local");
}

#[tokio::test(start_paused = true)]
async fn the_only_endpoint_is_asked_although_it_was_down() {
    let (router, net) = setup(&[("local", say("back"))], Strategy::LocalFirst);
    net.board.lock().unwrap().push(opening(&net, "local"));
    assert_eq!(ask(&router, 90).await.unwrap().text, "back");
    assert_eq!(net.times(), [0]);
    assert_eq!(router.signs()[0].gate, Gate::Closed);
}

#[tokio::test(start_paused = true)]
async fn who_is_down_is_no_reason_to_give_up_on_who_is_slow() {
    let slow = Does::Stream(&[Step::Rest(25), Step::Word("slow"), Step::Done]);
    let (router, net) = setup(&[("local", slow), ("cloud", DOWN)], Strategy::LocalFirst);
    net.board.lock().unwrap().push(opening(&net, "cloud"));
    assert_eq!(ask(&router, 90).await.unwrap().endpoint, "local");
    assert_eq!(net.called(), ["local"]);
}

fn opening(net: &Net, endpoint: &str) -> Opening {
    let now = net.now();
    Opening { endpoint: endpoint.into(), since: now, until: now.plus(Duration::from_secs(60)), step: 1 }
}

#[tokio::test(start_paused = true)]
async fn what_others_told_is_heard_before_a_question() {
    let (router, net) = setup(&[("local", say("l")), ("cloud", say("c"))], Strategy::LocalFirst);
    net.board.lock().unwrap().push(opening(&net, "local"));
    assert_eq!(ask(&router, 90).await.unwrap().endpoint, "cloud");
    wait(&net, 60).await;
    assert_eq!(ask(&router, 90).await.unwrap().endpoint, "local");
}

#[tokio::test(start_paused = true)]
async fn others_are_told_once_for_each_opening() {
    let (router, net) = setup(&[("local", DOWN), ("cloud", say("c"))], Strategy::LocalFirst);
    for _ in 0..5 {
        ask(&router, 90).await.unwrap();
    }
    let told = net.told.lock().unwrap().clone();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].endpoint.as_str(), told[0].step), ("local", 1));
    wait(&net, 10).await;
    ask(&router, 90).await.unwrap();
    assert_eq!(net.told.lock().unwrap()[1].step, 2, "the probe failed");
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_called_off_is_given_back() {
    let net = net(&[("local", &[DOWN, Does::Hang, say("back")]), ("cloud", &[say("c")])]);
    let router = router(vec![endpoint("local"), endpoint("cloud")], Route::default(), &net).unwrap();
    ask(&router, 90).await.unwrap();
    wait(&net, 10).await;
    // The person says stop while the probe is out.
    tokio::select! {
        _ = ask(&router, 90) => panic!("it hangs"),
        () = wait(&net, 2) => {}
    }
    assert_eq!(ask(&router, 90).await.unwrap().endpoint, "local");
}

#[tokio::test(start_paused = true)]
async fn who_is_full_is_waited_for_rather_than_asking_who_is_down() {
    let net = net(&[("local", &[say("l")]), ("cloud", &[DOWN])]);
    let mut local = endpoint("local");
    local.concurrency = Some(1);
    let router = router(vec![local, endpoint("cloud")], Route::default(), &net).unwrap();
    net.board.lock().unwrap().push(opening(&net, "cloud"));
    ask(&router, 90).await.unwrap();
    let (one, other) = tokio::join!(ask(&router, 90), ask(&router, 90));
    assert_eq!([one.unwrap().endpoint, other.unwrap().endpoint], ["local", "local"]);
    assert_eq!(net.called(), ["local", "local", "local"]);
}

#[test]
fn a_rule_for_an_endpoint_that_is_not_there_is_refused() {
    let then = Then { endpoints: vec!["local".into(), "lokal".into()], ..Then::default() };
    let rules = vec![Rule { name: "desk".into(), when: When::default(), then }];
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let net = runtime.block_on(async { net(&[("local", &[say("l")])]) });
    let error = router(vec![endpoint("local")], Route { rules, ..Route::default() }, &net).unwrap_err();
    assert_eq!(error.to_string(), "the rule `desk` names the endpoint `lokal`, and none is named so");
}

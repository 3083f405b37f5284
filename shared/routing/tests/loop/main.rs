//! The loop against a scripted network and a clock that only waiting moves.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot lay its table has failed")]

mod net;

use routing::Strategy;

use net::{ask, say, setup};

#[tokio::test(start_paused = true)]
async fn the_first_choice_answers_alone() {
    let servers = [("cloud", say("c")), ("local", say("l")), ("local-b", say("b"))];
    for (strategy, first) in [
        (Strategy::LocalFirst, "local"),
        (Strategy::CloudFirst, "cloud"),
        (Strategy::LocalOnly, "local"),
        (Strategy::CloudOnly, "cloud"),
    ] {
        let (router, net) = setup(&servers, strategy);
        assert_eq!(ask(&router, 90).await.unwrap().endpoint, first);
        assert_eq!(net.called(), [first]);
        assert_eq!(router.usual()[0].name, first);
    }
}

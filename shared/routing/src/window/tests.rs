use super::*;
use crate::Line;

const NOW: Timestamp = Timestamp::from_millis(1_000_000);

fn usage(prompt: u32) -> Usage {
    Usage { prompt, completion: 1, estimated: false }
}

#[test]
fn the_smaller_of_what_is_configured_and_what_is_learned_counts() {
    for (configured, learned, window) in [
        (None, None, None),
        (Some(8_000), None, Some(8_000)),
        (None, Some(4_096), Some(4_096)),
        (Some(8_000), Some(4_096), Some(4_096)),
        (Some(2_000), Some(4_096), Some(2_000)),
        (None, Some(63), None),
    ] {
        let endpoint = Endpoint { window: configured, ..Endpoint::echo() };
        if let Some(learned) = learned {
            endpoint.clone().learned.window(learned, NOW);
        }
        assert_eq!(known(&endpoint, NOW), window, "{configured:?} {learned:?}");
        let later = NOW.plus(BELIEVED);
        assert_eq!(known(&endpoint, later), configured, "it is found out again after a while");
    }
}

#[test]
fn room_is_in_our_tokens_and_leaves_some_for_the_answer() {
    let (endpoint, prompt) = (Endpoint::echo(), Prompt::default());
    assert_eq!(room(&endpoint, &prompt, NOW), None);
    endpoint.learned.window(4_096, NOW);
    assert_eq!(room(&endpoint, &prompt, NOW), Some((4_096 - 1_024) * 100 / 120));
    // The server counts three of its tokens for two of ours.
    endpoint.learned.took(usage(1_500), 1_000);
    assert_eq!(room(&endpoint, &prompt, NOW), Some((4_096 - 1_024) * 100 / 150));
    // It forgets that slowly, and what is too short says nothing.
    endpoint.learned.took(usage(500), 1_000);
    endpoint.learned.took(usage(90), 20);
    assert_eq!(room(&endpoint, &prompt, NOW), Some((4_096 - 1_024) * 100 / 137));
    let limited = Endpoint { max_tokens: Some(96), ..endpoint };
    assert_eq!(room(&limited, &prompt, NOW), Some(4_000 * 100 / 137));
    let greedy = Endpoint { max_tokens: Some(99_999), ..limited };
    assert_eq!(room(&greedy, &prompt, NOW), Some(2_048 * 100 / 137));
}

#[test]
fn who_takes_more_than_was_learned_has_a_larger_window() {
    let (endpoint, prompt) =
        (Endpoint::echo(), Prompt { lines: vec![Line::user("hi")], ..Prompt::default() });
    endpoint.learned.refused(Overflow { window: Some(4_096), prompt: Some(5_000) }, 5_000, NOW);
    endpoint.learned.halve(1_000, NOW);
    endpoint.learned.took(usage(3_000), 900);
    assert_eq!((known(&endpoint, NOW), room(&endpoint, &prompt, NOW)), (Some(4_096), Some(500)));
    endpoint.learned.took(usage(4_200), 1_001);
    assert_eq!(room(&endpoint, &prompt, NOW), None);
    let estimated = Usage { estimated: true, ..usage(9_000) };
    endpoint.learned.window(4_096, NOW);
    endpoint.learned.took(estimated, 9_000);
    assert_eq!(known(&endpoint, NOW), Some(4_096));
}

#[test]
fn a_server_is_asked_for_its_window_once_in_a_while_and_not_where_it_is_known() {
    let learned = Learned::default();
    assert!(learned.should_look(NOW) && !learned.should_look(NOW));
    assert!(learned.should_look(NOW.plus(BELIEVED)));
    learned.window(4_096, NOW.plus(BELIEVED));
    assert!(!learned.should_look(NOW.plus(BELIEVED * 2 - Duration::from_secs(1))));
}

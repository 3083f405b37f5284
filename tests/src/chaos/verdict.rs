//! The ledger against the promises.

use std::{collections::HashSet, fmt, time::Duration};

use chat::TurnKey;
use store::{DeadLetter, ParkReason};

use super::{
    Plan,
    deliveries::{On, Talk},
    ledger::Pages,
};

/// How many messages of each kind are named.
const NAMED: usize = 5;

/// What came of a run.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Acknowledged messages.
    pub messages: usize,
    /// Kills.
    pub kills: usize,
    /// Messages without an answer, where it is not uncertain whether people saw one.
    pub lost: Vec<String>,
    /// Messages with more than one answer.
    pub twice: Vec<String>,
    /// Messages that were answered before an earlier one of their conversation.
    pub out_of_order: Vec<String>,
    /// What else should not be: answers to nothing, parked turns that a kill does not explain.
    pub strange: Vec<String>,
    /// Turns on DingTalk that are parked as uncertain: killed between a send and its record.
    pub uncertain: usize,
    /// How many of those people saw after all.
    pub uncertain_seen: usize,
    /// Rates and latencies, for people.
    pub speed: String,
}

impl Verdict {
    /// Compares what was said with what was seen and what was parked.
    #[must_use]
    pub fn reach(plan: &Plan, talks: &[Talk], pages: &Pages, letters: &[DeadLetter], took: Duration) -> Self {
        let parked = |letter: &&DeadLetter| letter.reason == Some(ParkReason::SendUncertain);
        let mut verdict = Self { kills: pages.killed, speed: speed(pages, took), ..Self::default() };
        let mut unclaimed: HashSet<&TurnKey> =
            letters.iter().filter(parked).map(|letter| &letter.turn).collect();
        for talk in talks {
            verdict.judge(talk, pages, &mut unclaimed);
        }
        let answers_to_nobody = pages.answered
            - talks.iter().flat_map(|talk| &talk.said).map(|id| count(pages, id)).sum::<usize>();
        let others = letters.iter().filter(|letter| !parked(letter)).count();
        for (number, what) in [
            (answers_to_nobody, "answers to no message"),
            (usize::try_from(pages.unread).unwrap_or(usize::MAX), "answers went by unread"),
            (unclaimed.len(), "turns are parked as uncertain that no message of DingTalk began"),
            (others, "turns are parked for another reason"),
            (plan.kills.abs_diff(pages.killed), "kills more or fewer than planned"),
            (plan.messages.abs_diff(verdict.messages), "messages more or fewer than planned"),
            (usize::from(plan.kills == 0) * verdict.uncertain, "turns are uncertain without a kill"),
        ] {
            if number > 0 {
                verdict.strange.push(format!("{number} {what}"));
            }
        }
        verdict
    }

    fn judge(&mut self, talk: &Talk, pages: &Pages, uncertain: &mut HashSet<&TurnKey>) {
        let mut latest = None;
        for (index, id) in talk.said.iter().enumerate() {
            self.messages += 1;
            let name = || format!("{:?} conversation {}, message {index} ({id})", talk.on, talk.number);
            let parked = talk.on == On::DingTalk && talk.turn(id).is_ok_and(|turn| uncertain.remove(&turn));
            let seen = count(pages, id);
            self.uncertain += usize::from(parked);
            self.uncertain_seen += usize::from(parked && seen > 0);
            if seen == 0 && !parked {
                self.lost.push(name());
            }
            if seen > 1 {
                self.twice.push(name());
            }
            let first = pages.answers.get(id).and_then(|places| places.first()).copied();
            if first.is_some() && first < latest {
                self.out_of_order.push(name());
            }
            latest = latest.max(first);
        }
    }

    /// Whether every promise was kept.
    #[must_use]
    pub fn is_good(&self) -> bool {
        [&self.lost, &self.twice, &self.out_of_order, &self.strange].iter().all(|list| list.is_empty())
    }
}

fn count(pages: &Pages, id: &str) -> usize {
    pages.answers.get(id).map_or(0, Vec::len)
}

fn speed(pages: &Pages, took: Duration) -> String {
    let rate = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / took.as_secs_f64();
    let millis = |thousandth| pages.latency(thousandth).as_secs_f64() * 1000.0;
    format!(
        "{:.1} deliveries/s and {:.1} answers/s; acknowledged after p50 {:.1} ms, p99 {:.1} ms, at most {:.1} ms",
        rate(pages.latencies.len()),
        rate(pages.answered),
        millis(500),
        millis(990),
        millis(1000)
    )
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, list) in [
            ("lost", &self.lost),
            ("answered twice", &self.twice),
            ("out of order", &self.out_of_order),
            ("strange", &self.strange),
        ] {
            for name in list.iter().take(NAMED) {
                writeln!(f, "{what}: {name}")?;
            }
            if list.len() > NAMED {
                writeln!(f, "{what}: and {} more", list.len() - NAMED)?;
            }
        }
        writeln!(f, "{}", self.speed)?;
        writeln!(f, "{} of the {} uncertain answers were seen", self.uncertain_seen, self.uncertain)?;
        write!(
            f,
            "{} messages, {} kills: {} lost, {} twice, {} out of order, {} uncertain on DingTalk",
            self.messages,
            self.kills,
            self.lost.len(),
            self.twice.len(),
            self.out_of_order.len(),
            self.uncertain
        )
    }
}

#[cfg(test)]
mod tests {
    use chat::Timestamp;
    use simulator::Sent;
    use tokio::sync::broadcast;

    use super::*;
    use crate::chaos::ledger::Ledger;

    fn sent(answers: &str) -> Sent {
        Sent {
            platform: "",
            app: String::new(),
            chat: String::new(),
            in_reply_to: Some(answers.to_owned()),
            form: String::new(),
            text: String::new(),
            at: Timestamp::from_millis(0),
            key: None,
            by: "",
        }
    }

    /// The verdict on `said`, one conversation on this platform, when people saw answers to `seen` and these turns were
    /// parked.
    fn verdict(on: On, said: &[&str], seen: &[&str], parked: &[&str]) -> Verdict {
        let (screens, seen_there) = broadcast::channel(16);
        let ledger = Ledger::open(seen_there);
        seen.iter().for_each(|answers| drop(screens.send(sent(answers))));
        ledger.killed();
        let talk = Talk { on, number: 1, said: said.iter().map(|&id| id.to_owned()).collect() };
        let letter = |id: &&str| {
            let turn = talk.turn(id).unwrap();
            let conversation = talk.conversation().unwrap().key();
            let (reason, at) = (Some(ParkReason::SendUncertain), Timestamp::from_millis(0));
            DeadLetter { turn, conversation, reason, cause: None, tries: 1, at }
        };
        let letters: Vec<_> = parked.iter().map(letter).collect();
        let plan = Plan { messages: said.len(), conversations: 1, kills: 1, seed: 0 };
        let pages = ledger.close();
        Verdict::reach(&plan, std::slice::from_ref(&talk), &pages, &letters, Duration::from_secs(1))
    }

    #[test]
    fn each_broken_promise_is_found() {
        let good = verdict(On::Feishu, &["a", "b"], &["a", "b"], &[]);
        assert!(good.is_good(), "{good}");
        for (name, seen) in [
            ("1 lost, 0 twice, 0 out of order", &["a"][..]),
            ("0 lost, 1 twice, 0 out of order", &["a", "b", "a"]),
            ("0 lost, 0 twice, 1 out of order", &["b", "a"]),
        ] {
            let bad = verdict(On::Feishu, &["a", "b"], seen, &[]);
            assert!(!bad.is_good() && bad.to_string().contains(name), "{name}: {bad}");
        }
        let stray = verdict(On::Feishu, &["a"], &["a", "never said"], &[]);
        assert_eq!(stray.strange, ["1 answers to no message"]);
    }

    #[test]
    fn an_answer_may_be_missing_on_dingtalk_when_its_turn_is_parked_as_uncertain() {
        let missing = verdict(On::DingTalk, &["a", "b"], &["b"], &["a"]);
        assert!(missing.is_good(), "{missing}");
        assert_eq!((missing.uncertain, missing.uncertain_seen), (1, 0));
        let seen = verdict(On::DingTalk, &["a", "b"], &["a", "b"], &["a"]);
        assert!(seen.is_good(), "{seen}");
        assert_eq!((seen.uncertain, seen.uncertain_seen), (1, 1));
        assert_eq!(verdict(On::DingTalk, &["a", "b"], &["b"], &["b"]).lost.len(), 1, "another one is parked");
        assert!(!verdict(On::Feishu, &["a"], &[], &["a"]).is_good(), "Feishu takes a key");
    }
}

//! Where an answer goes.

use std::time::Duration;

use chat::{ReplyTo, Timestamp};
use platform::UnknownAddress;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::hosts::Hosts;

/// The form of [`Address`] as JSON. A later form gets the next number, and this crate then reads both, since
/// addresses of the old form lie in the queue while a new version is rolled out.
const VERSION: u8 = 1;

/// How long before its end a session webhook is left alone, in favour of the API that needs a token: between the look
/// at the clock and the arrival at DingTalk lie a call of up to half a minute and two clocks that may disagree.
const MARGIN: Duration = Duration::from_secs(60);

/// Where an answer goes: DingTalk's part of [`ReplyTo`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Address {
    v: u8,
    webhook: Option<Webhook>,
    /// The chat: `conversationId` when received, `openConversationId` when sent to.
    pub(crate) conversation: String,
    pub(crate) kind: Kind,
    /// The person's id in the company; people from outside have none.
    staff: Option<String>,
}

/// The address that a message brought for its own answers: about 90 minutes good, no token needed, and no call of the
/// month's allowance spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Webhook {
    pub(crate) url: String,
    /// When DingTalk stops serving it.
    pub(crate) ends_at: Timestamp,
}

/// What chat an address is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Direct,
    Group,
}

/// How a message gets to an address.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Way<'a> {
    /// The session webhook.
    Webhook(Url),
    /// The API, to one person.
    Person(&'a str),
    /// The API, to a group.
    Group(&'a str),
}

impl Address {
    pub(crate) const fn new(
        webhook: Option<Webhook>,
        conversation: String,
        kind: Kind,
        staff: Option<String>,
    ) -> Self {
        Self { v: VERSION, webhook, conversation, kind, staff }
    }

    /// Reads what [`Address::to_reply`] wrote.
    pub(crate) fn read(to: &ReplyTo) -> Result<Self, UnknownAddress> {
        let address: Self = serde_json::from_str(&to.0).map_err(|_| UnknownAddress)?;
        if address.v == VERSION { Ok(address) } else { Err(UnknownAddress) }
    }

    pub(crate) fn to_reply(&self) -> ReplyTo {
        // Texts and numbers always serialize; an empty address would be read by nobody.
        ReplyTo(serde_json::to_string(self).unwrap_or_default())
    }

    /// The same address without its webhook, if the API reaches it.
    pub(crate) fn without_webhook(self) -> Option<Self> {
        let rest = Self { webhook: None, ..self };
        rest.by_api().is_some().then_some(rest)
    }

    /// Whether there is any way to it, now or for a while.
    pub(crate) fn is_reachable(&self) -> bool {
        self.webhook.is_some() || self.by_api().is_some()
    }

    /// Whether `person` is whom this address reaches directly.
    pub(crate) fn is_staff(&self, person: &str) -> bool {
        self.staff.as_deref() == Some(person)
    }

    /// The way to go now: the webhook while it is surely good, else the API, else the webhook's last minute.
    pub(crate) fn way(&self, hosts: &Hosts, now: Timestamp) -> Result<Way<'_>, UnknownAddress> {
        let webhook = |until: fn(Timestamp) -> Timestamp| {
            let webhook = self.webhook.as_ref().filter(|webhook| now < until(webhook.ends_at))?;
            // Checked when it came and again here, so that no path leads around the check.
            hosts.trusted(&webhook.url).map(Way::Webhook)
        };
        webhook(|end| end.minus(MARGIN))
            .or_else(|| self.by_api())
            .or_else(|| webhook(|end| end))
            .ok_or(UnknownAddress)
    }

    fn by_api(&self) -> Option<Way<'_>> {
        match self.kind {
            Kind::Direct => self.staff.as_deref().map(Way::Person),
            Kind::Group => Some(Way::Group(&self.conversation)).filter(|_| !self.conversation.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use platform::ConnectOptions;

    use super::*;

    const END: i64 = 1_700_005_400_000;

    fn address(kind: Kind, staff: Option<&str>) -> Address {
        let url = "https://oapi.dingtalk.com/robot/sendBySession?session=s".to_owned();
        let webhook = Webhook { url, ends_at: Timestamp::from_millis(END) };
        Address::new(Some(webhook), "cid".into(), kind, staff.map(str::to_owned))
    }

    fn way(address: &Address, millis: i64) -> String {
        let hosts = Hosts::new(&ConnectOptions::default());
        match address.way(&hosts, Timestamp::from_millis(millis)) {
            Ok(Way::Webhook(_)) => "webhook".into(),
            Ok(Way::Person(staff)) => format!("person {staff}"),
            Ok(Way::Group(conversation)) => format!("group {conversation}"),
            Err(UnknownAddress) => "none".into(),
        }
    }

    #[test]
    fn the_webhook_is_left_alone_a_margin_before_its_end() {
        for (address, before, in_margin, after) in [
            (address(Kind::Direct, Some("staff1")), "webhook", "person staff1", "person staff1"),
            (address(Kind::Group, None), "webhook", "group cid", "group cid"),
            (address(Kind::Direct, None), "webhook", "webhook", "none"),
        ] {
            assert_eq!(way(&address, END - 60_001), before);
            assert_eq!(way(&address, END - 60_000), in_margin);
            assert_eq!(way(&address, END - 1), in_margin);
            assert_eq!(way(&address, END), after);
        }
    }

    #[test]
    fn a_webhook_is_checked_again_when_it_is_used() {
        let webhook = Webhook { url: "https://evil.example/".into(), ends_at: Timestamp::from_millis(END) };
        let address = Address::new(Some(webhook), "cid".into(), Kind::Direct, None);
        assert_eq!(way(&address, 0), "none");
    }

    #[test]
    fn only_our_own_form_is_read() {
        let good = address(Kind::Group, None);
        assert_eq!(Address::read(&good.to_reply()), Ok(good.clone()));
        let other = good.to_reply().0.replace("\"v\":1", "\"v\":2");
        for bad in ["", "{}", "{\"v\":1}", &other] {
            assert_eq!(Address::read(&ReplyTo(bad.to_owned())), Err(UnknownAddress), "{bad}");
        }
    }
}

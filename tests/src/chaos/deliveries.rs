//! What the platforms deliver, how often, and in what order.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use chat::{BotId, ChatId, Conversation, EventId, PlatformId, TurnKey};
use simulator::{Say, Webhook};
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, interval, timeout},
};
use url::Url;

use super::{Plan, ledger::Ledger, stage::Stage};

/// Deliveries at a time.
const AT_ONCE: usize = 16;

/// How often a message is delivered although it was acknowledged.
const REDELIVERIES: usize = 2;

/// How long a platform waits for a `200`. Feishu and DingTalk give three seconds.
const PLATFORM_PATIENCE: Duration = Duration::from_secs(3);

/// How soon a delivery without a `200` is made again. The platforms wait for seconds and minutes; a run should not.
const RETRY_EVERY: Duration = Duration::from_millis(25);

/// A chat platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// Feishu: a send carries a key, so a repetition is dropped.
    Feishu,
    /// DingTalk: a send carries none.
    DingTalk,
}

/// One conversation and what was said in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Talk {
    /// Where.
    pub on: On,
    /// Its number.
    pub number: usize,
    /// The ids of its messages, in the order in which they were acknowledged.
    pub said: Vec<String>,
}

impl Talk {
    /// The group it happens in, on DingTalk.
    fn group(&self) -> String {
        format!("cidchaos{}", self.number)
    }

    /// The conversation that its turns belong to; known of DingTalk's only.
    ///
    /// # Errors
    ///
    /// Never: all its names are good ones.
    pub fn conversation(&self) -> anyhow::Result<Conversation> {
        Ok(Conversation {
            platform: PlatformId::parse("dingtalk")?,
            bot: BotId::parse("dingtalk-bot")?,
            chat: ChatId::parse(self.group().as_str())?,
            thread: None,
            user: None,
        })
    }

    /// The key of the turn of one of its messages; known of DingTalk's only.
    ///
    /// # Errors
    ///
    /// When an id is none.
    pub fn turn(&self, message: &str) -> anyhow::Result<TurnKey> {
        Ok(TurnKey::new(&self.conversation()?, &EventId::parse(message)?))
    }
}

/// The platforms' side of the webhooks.
pub struct Deliveries {
    stage: Arc<Stage>,
    ledger: Arc<Ledger>,
    magpie: Url,
    lines: Semaphore,
}

impl Deliveries {
    /// To the bots of the `magpie` at this address.
    #[must_use]
    pub fn new(stage: Arc<Stage>, ledger: Arc<Ledger>, magpie: Url) -> Self {
        Self { stage, ledger, magpie, lines: Semaphore::new(AT_ONCE) }
    }

    /// Holds all conversations of the plan, to their last acknowledgement.
    ///
    /// # Errors
    ///
    /// When a delivery is refused.
    pub async fn run(self: Arc<Self>, plan: Plan) -> anyhow::Result<Vec<Talk>> {
        let mut talking = JoinSet::new();
        for number in 0..plan.conversations {
            let rest = usize::from(number < plan.messages % plan.conversations);
            let on = if number % 2 == 0 { On::Feishu } else { On::DingTalk };
            let talk = Talk { on, number, said: Vec::new() };
            talking.spawn(Arc::clone(&self).hold(talk, plan.messages / plan.conversations + rest));
        }
        let mut talks = Vec::new();
        while let Some(talk) = talking.join_next().await {
            talks.push(talk??);
        }
        talks.sort_by_key(|talk| talk.number);
        Ok(talks)
    }

    /// One conversation. A message is delivered together with the redeliveries of those before it, and the next one
    /// waits until all of them are acknowledged: this is what makes the order of acceptance known.
    async fn hold(self: Arc<Self>, mut talk: Talk, messages: usize) -> anyhow::Result<Talk> {
        let mut webhooks: Vec<Webhook> = Vec::with_capacity(messages);
        for round in 0..messages + REDELIVERIES {
            let mut delivering = JoinSet::new();
            if round < messages {
                webhooks.push(self.webhook(&talk, round)?);
            }
            let due = round.saturating_sub(REDELIVERIES)..=round;
            for (index, webhook) in webhooks.iter().enumerate().filter(|(index, _)| due.contains(index)) {
                let first = index == round;
                delivering.spawn(Arc::clone(&self).deliver(talk.on, webhook.clone(), first));
            }
            while let Some(delivered) = delivering.join_next().await {
                delivered??;
            }
        }
        talk.said = webhooks.into_iter().map(|webhook| webhook.message_id).collect();
        Ok(talk)
    }

    fn webhook(&self, talk: &Talk, index: usize) -> anyhow::Result<Webhook> {
        let (simulator, words) =
            (&self.stage.pretend.simulator, format!("message {index} of {}", talk.number));
        let webhook = match talk.on {
            On::Feishu => {
                simulator.feishu_message("cli_test", &Say::direct(&format!("person{}", talk.number), &words))
            }
            On::DingTalk => {
                let say = Say::group(&talk.group(), "ann", &words);
                simulator.dingtalk_message("dingtest", &say, &self.stage.pretend.base("dingtalk")?)
            }
        };
        webhook.context("the simulator knows the app")
    }

    /// Delivers until it is acknowledged.
    async fn deliver(self: Arc<Self>, on: On, webhook: Webhook, first: bool) -> anyhow::Result<()> {
        let path = match on {
            On::Feishu => "webhook/feishu/feishu-bot",
            On::DingTalk => "webhook/dingtalk/dingtalk-bot",
        };
        let hook = self.magpie.join(path)?;
        let mut tries = interval(RETRY_EVERY);
        loop {
            tries.tick().await;
            let _line = self.lines.acquire().await?;
            let began = Instant::now();
            let answer = timeout(PLATFORM_PATIENCE, self.stage.pretend.deliver(&hook, &webhook)).await;
            let Ok(Ok(answer)) = answer else {
                self.ledger.unanswered();
                continue;
            };
            match answer.status.as_u16() {
                200 => {
                    self.ledger.acknowledged(first, began.elapsed());
                    return Ok(());
                }
                500.. => self.ledger.unanswered(),
                status => bail!("the delivery of {} was refused with {status}", webhook.message_id),
            }
        }
    }
}

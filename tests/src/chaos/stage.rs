//! The simulated platforms and model server, and how slow they are.

use std::time::Duration;

use simulator::{Fault, Target};

use super::Plan;
use crate::platforms::{Pretend, configuration};

/// The slowest that the model server answers, in milliseconds. Long enough for kills to fall into it.
const MODEL_SLOWEST: u64 = 60;

/// The slowest that a platform takes an answer, in milliseconds.
const SEND_SLOWEST: u64 = 20;

/// Where everything happens.
pub struct Stage {
    /// Both platforms and the model server, on one port.
    pub pretend: Pretend,
}

impl Stage {
    /// Sets it, with as many random delays as there are messages.
    ///
    /// # Errors
    ///
    /// When no port can be had.
    pub async fn set(plan: &Plan) -> anyhow::Result<Self> {
        let stage = Self::quiet().await?;
        let mut chance = fastrand::Rng::with_seed(plan.seed);
        for (target, slowest) in [
            (Target::Model, MODEL_SLOWEST),
            (Target::FeishuSend, SEND_SLOWEST),
            (Target::DingTalkSessionWebhook, SEND_SLOWEST),
        ] {
            let mut delay = || Fault::Hang(Duration::from_millis(chance.u64(0..=slowest)));
            let delays: Vec<_> = (0..plan.messages).map(|_| delay()).collect();
            stage.pretend.simulator.script(target, delays);
        }
        Ok(stage)
    }

    /// Sets it without delays.
    ///
    /// # Errors
    ///
    /// When no port can be had.
    pub async fn quiet() -> anyhow::Result<Self> {
        Ok(Self { pretend: Pretend::start().await? })
    }

    /// A configuration with a bot on each platform.
    #[must_use]
    pub fn configuration(&self) -> String {
        let here = &self.pretend;
        configuration(here, here, here, ("file:feishu.json", "file:dingtalk.json"))
    }
}

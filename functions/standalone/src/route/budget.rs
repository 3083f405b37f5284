//! What a question may cost, as the store beside the running Magpie has it.

use std::{path::Path, sync::Arc};

use anyhow::Context as _;
use chat::{BotId, Clock as _, PlatformId, UserId};
use host::SystemClock;
use routing::Micros;
use settings::{BotSettings, Settings};
use store::{Budgets, MemoryStore};
use store_sqlite::SqliteStore;
use turn::spending::{Payer, Spending};

use super::money;
use crate::data;

/// How a program is named as a user.
const PROGRAM: &str = "program:";

/// The budgets that a question counts on.
pub(super) struct Budget {
    /// What may be spent on the answer; no limit when absent.
    pub(super) left: Option<Micros>,
    /// Whether nobody is asked, because one of them is spent.
    pub(super) is_spent: bool,
    /// For a person: what is left of each.
    pub(super) lines: Vec<String>,
    books: Arc<dyn Budgets>,
}

impl Budget {
    /// The budgets of a question that `user` asks `bot`.
    pub(super) async fn of(
        settings: &Settings,
        bot: Option<&BotSettings>,
        user: Option<&str>,
    ) -> anyhow::Result<Self> {
        let limits = &settings.budgets;
        if [limits.month, limits.bot_month, limits.user_month].iter().all(Option::is_none) {
            let books = Arc::new(MemoryStore::default());
            return Ok(Self { left: None, is_spent: false, lines: Vec::new(), books });
        }
        let (books, mut lines) = books(&data::database_in(&settings.standalone.data))?;
        let payer = payer(settings, bot, user)?;
        if user.is_some() && limits.user_month.is_some() && payer.platform.is_none() {
            lines.push(
                "budget   that of the user is not counted: --bot says on which platform they are".to_owned(),
            );
        }
        let spending = Spending::of_payer(&payer, books.as_ref(), limits);
        let now = SystemClock.now();
        for (account, limit, left) in spending.accounts(now).await? {
            let (left, limit) = (money(left), money(limit));
            lines.push(format!("budget   {left} of {limit} left this month ({})", account.as_str()));
        }
        let left = spending.left(now).await?;
        let is_spent = spending.stops(left);
        if is_spent {
            lines.push("budget   it is spent, and nobody is asked: `budgets.then` is `stop`".to_owned());
        }
        Ok(Self { left, is_spent, lines, books })
    }

    /// Books what the question cost on everybody's account: it was paid for, and no bot's user asked it.
    pub(super) async fn book(&self, settings: &Settings, cost: Micros) {
        let spending = Spending::of_payer(&Payer::default(), self.books.as_ref(), &settings.budgets);
        spending.book(cost, SystemClock.now()).await;
    }
}

/// The books of the data folder; empty ones, and a remark, where there are none.
fn books(path: &Path) -> anyhow::Result<(Arc<dyn Budgets>, Vec<String>)> {
    if !path.exists() {
        let remark =
            format!("budget   what was spent is not known: there is no database at {}", path.display());
        return Ok((Arc::new(MemoryStore::default()), vec![remark]));
    }
    let store = SqliteStore::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    Ok((Arc::new(store), Vec::new()))
}

/// Whose budgets count. A person's is one of a platform: the bot's, else the only one that is configured.
fn payer(settings: &Settings, bot: Option<&BotSettings>, user: Option<&str>) -> anyhow::Result<Payer> {
    if let Some(program) = user.and_then(|user| user.strip_prefix(PROGRAM)) {
        let (platform, bot) = (PlatformId::parse("gateway")?, BotId::parse(program)?);
        return Ok(Payer { platform: Some(platform), bot: Some(bot), user: None });
    }
    let mut platforms = settings.bots.iter().map(|bot| &bot.platform);
    let only = platforms.next().filter(|first| platforms.all(|other| other == *first));
    let platform = bot.map(|bot| &bot.platform).or(only);
    Ok(Payer {
        platform: platform.cloned(),
        bot: bot.map(|bot| bot.bot.clone()),
        user: user.map(UserId::parse).transpose()?,
    })
}

//! What a turn may cost, and what it did cost.

use chat::{BotId, Message, PlatformId, Timestamp, UserId};
use routing::Micros;
use settings::{BudgetSettings, WhenSpent};
use store::{Account, Budgets, Month, StoreError};

/// How long a month's sums are kept: long enough to look back on a year.
const KEPT: std::time::Duration = std::time::Duration::from_secs(400 * 86_400);

/// The accounts that one message's answer counts on, and where they are kept.
pub struct Spending<'a> {
    budgets: &'a dyn Budgets,
    limits: &'a BudgetSettings,
    /// Each account with its limit; only those that have one.
    accounts: Vec<(Account, Micros)>,
}

/// Whose budgets something counts on. Who is not known has none, and a bot or a person is one of a platform.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Payer {
    /// The platform of both.
    pub platform: Option<PlatformId>,
    /// The bot, or the program that counts like one.
    pub bot: Option<BotId>,
    /// The person.
    pub user: Option<UserId>,
}

impl<'a> Spending<'a> {
    /// The accounts of this payer: everybody's, its bot's and its person's.
    #[must_use]
    pub fn of_payer(payer: &Payer, budgets: &'a dyn Budgets, limits: &'a BudgetSettings) -> Self {
        let platform = payer.platform.as_ref();
        let bot = platform.zip(payer.bot.as_ref()).map(|(platform, bot)| Account::of_bot(platform, bot));
        let user = platform.zip(payer.user.as_ref()).map(|(platform, user)| Account::of_user(platform, user));
        let all = [(Some(Account::all()), limits.month), (bot, limits.bot_month), (user, limits.user_month)];
        let limited = all.into_iter().filter_map(|(account, limit)| account.zip(limit));
        Self { budgets, limits, accounts: limited.collect() }
    }

    /// The accounts of this message.
    #[must_use]
    pub fn of(message: &Message, budgets: &'a dyn Budgets, limits: &'a BudgetSettings) -> Self {
        let payer = Payer {
            platform: Some(message.conversation.platform.clone()),
            bot: Some(message.conversation.bot.clone()),
            user: Some(message.sender.id.clone()),
        };
        Self::of_payer(&payer, budgets, limits)
    }

    /// The accounts of something that asks without a message and without a person, and so counts like a bot: `platform`
    /// is where it asks from.
    #[must_use]
    pub fn of_program(
        platform: &PlatformId,
        program: &BotId,
        budgets: &'a dyn Budgets,
        limits: &'a BudgetSettings,
    ) -> Self {
        let payer = Payer { platform: Some(platform.clone()), bot: Some(program.clone()), user: None };
        Self::of_payer(&payer, budgets, limits)
    }

    /// What the answer may cost: the least that any account has left. Nothing where no budget is set.
    ///
    /// Questions that are answered at the same time all see what was spent before them, so together they can pass a
    /// budget by what they cost each; one after the other they never do.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the turn is tried again rather than answered at nobody knows whose expense.
    pub async fn left(&self, now: Timestamp) -> Result<Option<Micros>, StoreError> {
        Ok(self.accounts(now).await?.into_iter().map(|(_, _, left)| left).min())
    }

    /// Each account that has a limit, with the limit and what is left of it.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn accounts(&self, now: Timestamp) -> Result<Vec<(Account, Micros, Micros)>, StoreError> {
        let month = Month::of(now);
        let mut accounts = Vec::new();
        for (account, limit) in &self.accounts {
            let left = limit.saturating_sub(self.budgets.spent(account, month).await?);
            accounts.push((account.clone(), *limit, left));
        }
        Ok(accounts)
    }

    /// Whether, with so much left, nobody is asked any more.
    #[must_use]
    pub fn stops(&self, left: Option<Micros>) -> bool {
        left == Some(0) && self.limits.when_spent == WhenSpent::Stop
    }

    /// Books what was spent. The answer does not wait for the books: one that cannot be booked is logged and given.
    pub async fn book(&self, cost: Micros, now: Timestamp) {
        if cost == 0 {
            return;
        }
        for (account, _) in &self.accounts {
            if let Err(error) = self.budgets.spend(account, Month::of(now), cost, now.plus(KEPT)).await {
                tracing::error!(%error, cost, "what an answer cost could not be booked");
            }
        }
    }
}

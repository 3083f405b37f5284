//! What a turn may cost, and what it did cost.

use chat::{BotId, Message, PlatformId, Timestamp};
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

impl<'a> Spending<'a> {
    /// The accounts of this message.
    #[must_use]
    pub fn of(message: &Message, budgets: &'a dyn Budgets, limits: &'a BudgetSettings) -> Self {
        let platform = &message.conversation.platform;
        let accounts = [
            (Account::all(), limits.month),
            (Account::of_bot(platform, &message.conversation.bot), limits.bot_month),
            (Account::of_user(platform, &message.sender.id), limits.user_month),
        ];
        Self::on(accounts, budgets, limits)
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
        let accounts =
            [(Account::all(), limits.month), (Account::of_bot(platform, program), limits.bot_month)];
        Self::on(accounts, budgets, limits)
    }

    fn on<const N: usize>(
        accounts: [(Account, Option<Micros>); N],
        budgets: &'a dyn Budgets,
        limits: &'a BudgetSettings,
    ) -> Self {
        let limited = accounts.into_iter().filter_map(|(account, limit)| Some((account, limit?)));
        Self { budgets, limits, accounts: limited.collect() }
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
        let month = Month::of(now);
        let mut least = None;
        for (account, limit) in &self.accounts {
            let left = limit.saturating_sub(self.budgets.spent(account, month).await?);
            least = Some(least.map_or(left, |least: Micros| least.min(left)));
        }
        Ok(least)
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

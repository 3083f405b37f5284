//! What was spent on models, by month.

use async_trait::async_trait;
use chat::{BotId, PlatformId, Timestamp, UserId};

use crate::StoreError;

/// Whose spending it is. Every turn counts on up to three accounts: everybody's, its bot's, its person's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account(String);

impl Account {
    /// Everybody's.
    #[must_use]
    pub fn all() -> Self {
        Self("all".to_owned())
    }

    /// One bot's.
    #[must_use]
    pub fn of_bot(platform: &PlatformId, bot: &BotId) -> Self {
        Self(format!("bot/{platform}/{bot}"))
    }

    /// One person's. The names of platforms hold no slash, and the person comes last, so no account can imitate another.
    #[must_use]
    pub fn of_user(platform: &PlatformId, user: &UserId) -> Self {
        Self(format!("user/{platform}/{user}"))
    }

    /// The account as a table key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A calendar month in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// The month of a moment; of one beyond the calendar, the calendar's last or first.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        let end = if at.as_millis() < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        let moment = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or(end);
        let date = moment.to_zoned(jiff::tz::TimeZone::UTC);
        Self { year: date.year(), month: date.month() }
    }
}

/// As `2026-11`.
impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// What every account has spent, in millionths of the currency that prices are given in.
#[async_trait]
pub trait Budgets: Send + Sync {
    /// What an account has spent in this month. May lag behind for a moment.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn spent(&self, account: &Account, month: Month) -> Result<u64, StoreError>;

    /// Adds to what an account has spent in this month.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when it is not known whether it was added.
    async fn spend(
        &self,
        account: &Account,
        month: Month,
        micros: u64,
        keep_until: Timestamp,
    ) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_those_of_the_calendar_in_utc() {
        for (millis, month) in [
            (0, "1970-01"),
            (-1, "1969-12"),
            (1_796_083_199_999, "2026-11"),
            (1_796_083_200_000, "2026-12"),
            (1_709_164_800_000, "2024-02"),
            (i64::MAX, "9999-12"),
        ] {
            assert_eq!(Month::of(Timestamp::from_millis(millis)).to_string(), month, "{millis}");
        }
    }

    #[test]
    fn no_account_imitates_another() {
        let platform = PlatformId::parse("feishu").unwrap();
        let accounts = [
            Account::all(),
            Account::of_bot(&platform, &BotId::parse("all").unwrap()),
            Account::of_user(&platform, &UserId::parse("all").unwrap()),
            Account::of_user(&platform, &UserId::parse("bot/feishu/all").unwrap()),
        ];
        let different: std::collections::BTreeSet<_> = accounts.iter().collect();
        assert_eq!(different.len(), accounts.len());
    }
}

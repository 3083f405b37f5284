//! What programs may spend: a program counts like a bot, and like everybody.

use std::sync::Arc;

use chat::{BotId, Clock, PlatformId};
use routing::{Answer, Context, Micros, NoAnswer, NoAnswerReason};
use settings::BudgetSettings;
use store::{Budgets, StoreError};
use turn::spending::Spending;

use super::refusal::Refusal;

/// Where programs ask from, beside the names of platforms.
pub(super) const GATEWAY: &str = "gateway";

/// The budgets, and where the books are.
#[derive(Clone)]
pub(crate) struct Purse {
    pub(crate) budgets: Arc<dyn Budgets>,
    pub(crate) limits: BudgetSettings,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Purse {
    /// Allows the question what is left, or refuses it where nothing is and the budget says to stop.
    pub(crate) async fn allow(&self, program: &str, context: &mut Context) -> Result<(), Refusal> {
        let Some(spending) = self.spending(program) else { return Ok(()) };
        let left = spending.left(self.clock.now()).await.map_err(|_: StoreError| Refusal::no_books())?;
        if spending.stops(left) {
            let spent = NoAnswer { reason: NoAnswerReason::OverBudget, attempts: Vec::new() };
            return Err(Refusal::no_answer(&spent, &[]));
        }
        context.allowance = left;
        Ok(())
    }

    /// Books what a question cost, answered or not.
    pub(crate) async fn book(&self, program: &str, result: &Result<Answer, NoAnswer>) {
        self.spend(program, result.as_ref().map_or_else(NoAnswer::cost, Answer::cost)).await;
    }

    /// Books so much.
    pub(crate) async fn spend(&self, program: &str, cost: Micros) {
        if let Some(spending) = self.spending(program) {
            spending.book(cost, self.clock.now()).await;
        }
    }

    fn spending(&self, program: &str) -> Option<Spending<'_>> {
        let (platform, program) = (PlatformId::parse(GATEWAY).ok()?, BotId::parse(program).ok()?);
        Some(Spending::of_program(&platform, &program, self.budgets.as_ref(), &self.limits))
    }
}

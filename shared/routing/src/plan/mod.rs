//! Which endpoints may be asked, and in which order.

use crate::{Ask, Endpoint, Route, health::Health};

/// The endpoints for one question, by index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Who is asked, first choice first.
    pub choices: Vec<usize>,
    /// Who is not, and why.
    pub left_out: Vec<(usize, LeftOut)>,
}

/// Why an endpoint is not asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeftOut {
    /// The strategy asks another place only.
    Strategy,
    /// The rule of this name forbids it.
    Rule(String),
    /// There are pictures, and it has no vision.
    Vision,
    /// The prompt is longer than its window.
    Window,
    /// It might cost more than may still be spent.
    Allowance,
}

/// The plan for one question.
pub(crate) fn plan(endpoints: &[Endpoint], route: &Route, _health: &Health, _ask: &Ask<'_>) -> Plan {
    let of =
        |place| endpoints.iter().enumerate().filter(move |(_, e)| e.place == place).map(|(index, _)| index);
    let choices: Vec<_> = route.strategy.places().iter().copied().flat_map(of).collect();
    let left_out = (0..endpoints.len()).filter(|index| !choices.contains(index));
    let left_out = left_out.map(|index| (index, LeftOut::Strategy)).collect();
    Plan { choices, left_out }
}

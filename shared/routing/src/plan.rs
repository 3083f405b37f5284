//! Which endpoints may be asked, and in which order.

use crate::{Endpoint, Place, Strategy};

/// The indices of the endpoints that the strategy allows, first choice first. Inside a place the configured order
/// stays.
pub(crate) fn order(endpoints: &[Endpoint], strategy: Strategy) -> Vec<usize> {
    let places: &[Place] = match strategy {
        Strategy::LocalFirst => &[Place::Local, Place::Cloud],
        Strategy::CloudFirst => &[Place::Cloud, Place::Local],
        Strategy::LocalOnly => &[Place::Local],
        Strategy::CloudOnly => &[Place::Cloud],
    };
    let of =
        |place| endpoints.iter().enumerate().filter(move |(_, e)| e.place == place).map(|(index, _)| index);
    places.iter().copied().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strategy_orders_and_the_configured_order_stays() {
        let places = [Place::Cloud, Place::Local, Place::Cloud, Place::Local];
        let endpoints: Vec<_> = places.map(|place| Endpoint { place, ..Endpoint::echo() }).into();
        for (strategy, expected) in [
            (Strategy::LocalFirst, vec![1, 3, 0, 2]),
            (Strategy::CloudFirst, vec![0, 2, 1, 3]),
            (Strategy::LocalOnly, vec![1, 3]),
            (Strategy::CloudOnly, vec![0, 2]),
        ] {
            assert_eq!(order(&endpoints, strategy), expected, "{strategy:?}");
        }
    }
}

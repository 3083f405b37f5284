//! Endpoints by a number that each is given.

use super::Grounds;

/// The weight of each; all alike where none has any.
pub(super) fn weights(grounds: &Grounds<'_>, members: &[usize]) -> Vec<f64> {
    let weight = |&index: &usize| grounds.endpoint(index).map_or(0.0, |e| f64::from(e.weight));
    let weights: Vec<_> = members.iter().map(weight).collect();
    if weights.iter().all(|&weight| weight == 0.0) { vec![1.0; members.len()] } else { weights }
}

/// Sorts by scores, the lowest first; equal ones stay as they are.
pub(super) fn by_score(members: &mut [usize], scores: impl IntoIterator<Item = f64>) {
    let mut scored: Vec<_> = scores.into_iter().zip(members.iter().copied()).collect();
    scored.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    for (place, (_, index)) in members.iter_mut().zip(scored) {
        *place = index;
    }
}

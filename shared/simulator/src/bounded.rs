//! Memory that stops growing, so that a simulator can run for days.

use std::collections::{HashMap, VecDeque};

/// The latest entries, in order.
pub(crate) struct Latest<T> {
    entries: VecDeque<T>,
    most: usize,
}

impl<T> Latest<T> {
    pub(crate) const fn new(most: usize) -> Self {
        Self { entries: VecDeque::new(), most }
    }

    pub(crate) fn push(&mut self, entry: T) {
        if self.entries.len() >= self.most {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries.iter()
    }
}

/// A map that forgets the oldest key when it is full.
pub(crate) struct Bounded<V> {
    order: VecDeque<String>,
    values: HashMap<String, V>,
    most: usize,
}

impl<V> Bounded<V> {
    pub(crate) fn new(most: usize) -> Self {
        Self { order: VecDeque::new(), values: HashMap::new(), most }
    }

    pub(crate) fn insert(&mut self, key: String, value: V) {
        if self.values.insert(key.clone(), value).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.values.remove(&oldest);
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&V> {
        self.values.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        self.values.get_mut(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_first() {
        let mut latest = Latest::new(2);
        let mut bounded = Bounded::new(2);
        for key in ["a", "b", "b", "c"] {
            latest.push(key);
            bounded.insert(key.to_owned(), key);
        }
        assert_eq!(latest.iter().copied().collect::<Vec<_>>(), ["b", "c"]);
        assert!(bounded.get("a").is_none());
        assert_eq!(bounded.get("b"), Some(&"b"));
        assert_eq!(bounded.get("c"), Some(&"c"));
    }
}

//! The environment as a parameter.

use std::{collections::BTreeMap, sync::Arc};

/// Where environment variables come from: the process in production, a map in tests.
pub trait Environment {
    /// The variable of this name, if it is set and is text.
    fn get(&self, name: &str) -> Option<String>;
}

/// The environment of this process. The only place in Magpie that reads it.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the process's environment"
    )]
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

impl Environment for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<String> {
        Self::get(self, name).cloned()
    }
}

impl<E: Environment + ?Sized> Environment for Arc<E> {
    fn get(&self, name: &str) -> Option<String> {
        (**self).get(name)
    }
}

/// One environment over another: what the first does not set is read from the second. The process over `.env`.
#[derive(Debug, Clone, Default)]
pub struct Layered<A, B>(pub A, pub B);

impl<A: Environment, B: Environment> Environment for Layered<A, B> {
    fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).or_else(|| self.1.get(name))
    }
}

/// The variable, unless it is unset or blank. Blank counts as unset because a deployment template passes a parameter
/// that was left out as an empty text.
pub(crate) fn filled(env: &dyn Environment, name: &str) -> Option<String> {
    let value = env.get(name)?;
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(name: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn the_first_layer_wins() {
        let env = Layered(map("A", "upper"), map("A", "lower"));
        assert_eq!(env.get("A").as_deref(), Some("upper"));
        let env = Layered(map("B", "upper"), map("A", "lower"));
        assert_eq!(env.get("A").as_deref(), Some("lower"));
        assert_eq!(env.get("C"), None);
    }

    #[test]
    fn a_blank_variable_counts_as_unset() {
        assert_eq!(filled(&map("A", "  "), "A"), None);
        assert_eq!(filled(&map("A", " x "), "A").as_deref(), Some("x"));
    }

    #[test]
    fn the_process_is_read() {
        assert!(ProcessEnvironment.get("PATH").is_some());
        assert!(ProcessEnvironment.get("MAGPIE_NO_SUCH_VARIABLE").is_none());
    }
}

//! The router in service, which can be replaced while questions are being answered.

use std::sync::{Arc, PoisonError, RwLock};

use crate::Router;

/// Holds the router in service. A question keeps the router that it began with until its end.
#[derive(Debug)]
pub struct LiveRouter {
    /// Only read and replaced, never held over a wait.
    current: RwLock<Arc<Router>>,
}

impl LiveRouter {
    /// Puts a router into service.
    #[must_use]
    pub fn new(router: Router) -> Self {
        Self { current: RwLock::new(Arc::new(router)) }
    }

    /// The router in service now.
    #[must_use]
    pub fn current(&self) -> Arc<Router> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another router into service for all questions that come from now on.
    pub fn replace(&self, router: Router) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(router);
    }
}

//! Both results as pages.

pub mod failures;

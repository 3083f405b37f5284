//! Model gateways side by side: how each handles failures, and what each adds to a call.
//!
//! A pretend model server breaks on purpose; one client asks every gateway the same; one judge looks at what the client
//! heard and at what the model server was asked. The measuring part sends the same questions through every gateway in
//! turn, and pairs each with a direct call.
//!
//! Nothing here uses a crate of ours: Magpie is judged from outside, like the others.
//!
//! # Layout
//!
//! - [`scenarios`]: the sixteen failures, as data
//! - [`mock`]: the model server that breaks on purpose, or answers at once
//! - [`client`]: asks, times, and reads answers
//! - [`gateway`]: how each gateway is started, with the same budgets
//! - [`judge`], [`failures`]: what a run is worth; running all sixteen
//! - [`router`]: what a gateway adds to a call
//! - [`report`]: both results as pages
//! - [`scale`]: how fast the clocks of a run go; [`answer`]: what is said
//!
//! # Example
//!
//! ```
//! use gateways::{
//!     failures::{self, Manner},
//!     gateway::{Product, Programs},
//!     scale::Scale,
//! };
//!
//! # fn main() -> anyhow::Result<()> {
//! # let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
//! # runtime.block_on(async {
//! let manner = Manner { scale: Scale::new(0.01).unwrap(), streamed: false };
//! let verdicts = failures::run(Product::Direct, &Programs::default(), manner, |_| ()).await?;
//! assert_eq!(verdicts.len(), 16);
//! assert!(failures::passed(&verdicts) < 16, "without a gateway there is nobody to ask another model");
//! # Ok(())
//! # })
//! # }
//! ```

pub mod answer;
pub mod client;
pub mod failures;
pub mod gateway;
pub mod judge;
pub mod mock;
pub mod report;
pub mod router;
pub mod scale;
pub mod scenarios;

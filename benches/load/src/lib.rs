//! How many messages one process acknowledges and answers: Magpie's standalone under load, beside handlers written with
//! Feishu's official SDKs.
//!
//! A load generator sends Feishu's webhooks, signed and encrypted in advance. Beside the server that is measured run a
//! model server that takes the same time for each answer, and the platform's API, which records when each reply came.
//! Every server is a process of its own, started for one measurement and ended by its id.
//!
//! # Layout
//!
//! - [`webhook`]: the messages
//! - [`arrivals`], [`open`], [`closed`]: sending at a rate, and as fast as it is acknowledged
//! - [`mock`]: the model server and the platform's API
//! - [`server`]: how each server is started; what it costs
//! - [`genuine`]: that a server verifies what it acknowledges
//! - [`judge`]: what a run is worth
//! - [`plan`], [`run`]: how much is done, and doing it
//! - [`report`]: the page, and a line for each measurement
//! - [`clock`], [`disk`]: the machine's clock; how long its disk takes to keep something

pub mod arrivals;
pub mod clock;
pub mod closed;
pub mod disk;
pub mod genuine;
pub mod judge;
pub mod mock;
pub mod open;
pub mod plan;
pub mod report;
pub mod run;
pub mod server;
pub mod webhook;

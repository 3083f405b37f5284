//! The loop against a scripted network and a clock that only waiting moves.
#![expect(clippy::unwrap_used, reason = "a test that cannot lay its table has failed")]

mod books;
mod clocks;
mod faults;
mod health;
mod hedging;
mod long;
mod net;
mod starting;
mod streams;
mod told;
mod whole;

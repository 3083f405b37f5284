//! Whole paths: simulated platforms and models on real ports, real processes, real tables and queues, a real browser.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod bad_input;
mod browser;
mod chaos;
mod commands;
mod configured;
mod cost;
mod crash;
mod dead_letters;
mod failures;
mod gateway;
mod guard;
mod heads;
mod lambda;
mod operators;
mod real_model;
mod route;
mod samples;

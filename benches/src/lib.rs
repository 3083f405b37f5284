//! Benchmarks of the hot paths: what a receiving function spends on one event before it can answer.
//!
//! A benchmark builds its event the way the platform does, checks once that it is understood, and then measures
//! verification, decryption and parsing together, because a platform's deadline covers them together. Nothing here
//! opens a connection.
//!
//! # Layout
//!
//! - `benches/feishu.rs`: one encrypted, signed message of about 1 KB
//! - `benches/dingtalk.rs`: one signed robot message
//!
//! # Running
//!
//! ```sh
//! cargo bench -p benches --bench feishu
//! ```

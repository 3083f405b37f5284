//! Magpie in one process: every function, with an embedded store and queue.

fn main() {}

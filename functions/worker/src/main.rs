//! The function that answers turns.

fn main() {}

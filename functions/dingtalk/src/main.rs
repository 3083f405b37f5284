//! The receiving function of DingTalk.

fn main() {}

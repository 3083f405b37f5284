//! What one signed DingTalk robot message costs to receive.
fn main() {}

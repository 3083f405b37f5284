//! What one encrypted, signed Feishu message costs to receive.
fn main() {}

//! The receiving function of Feishu and Lark.

fn main() {}

//! What is done to the workspace: tests with their real components, checks of its shape.

fn main() {}

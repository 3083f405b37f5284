//! Configuration and secrets, loaded once, all mistakes reported together.

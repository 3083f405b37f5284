//! One user message and its answer, from claim to delivered.

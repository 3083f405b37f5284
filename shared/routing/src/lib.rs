//! Which model endpoint answers, and what happens when it does not.

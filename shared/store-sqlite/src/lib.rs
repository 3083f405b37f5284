//! The embedded store and durable queue of standalone, on SQLite.

//! AWS Lambda around the shared crates: webhooks in, queue records in, clients built once.

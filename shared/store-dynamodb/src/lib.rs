//! The tables in DynamoDB and the queue in SQS.
//!
//! One table holds turns, exchanges and tokens, so that a deployment has one thing to back up and to watch. Items are
//! appended and not rewritten, except for the small record of a turn: a write is charged by the size of the whole
//! item.
//!
//! | item | `pk` | `sk` | other attributes |
//! |---|---|---|---|
//! | turn | `TURN#{turn}` | `TURN` | `state`, `fence`, `lease_until`, `accepted_at`, `segments_sent`, `sending`, `redrive`, `keep_until` |
//! | exchange | `CONV#{conversation}` | `MSG#{accepted_at}#{turn}` | `kind`, `sealed`, `keep_until` |
//! | signal | `SIGNAL#{conversation}` | `{sent_at}#{turn}` | `kind`, `mentions`, `keep_until` |
//! | spending | `ACCOUNT#{account}` | `MONTH#{month}` | `micros`, `keep_until` |
//! | choice | `CHOICE#{conversation}` | `CHOICE` | `model`, `keep_until` |
//! | token | `BOT#{platform}#{bot}` | `TOKEN#{slot}` | `sealed`, `ends_at` |
//! | opening | `OPENINGS` | `{endpoint}` | `since`, `ends_at`, `step` |
//! | dead letter | `PARKED` | `{turn}` | `conversation`, `reason`, `body`, `tries`, `parked_at` |
//!
//! `pk` and `sk` are strings; no part of them but an account, which ends its key, and an endpoint, which is one by itself, can
//! hold a `#`. Each item has its version `v` and a `ttl`, in seconds.
//! Moments are milliseconds since the epoch. DynamoDB removes what is past its `ttl` within days and shows it until
//! then, so nothing here relies on the removal: conditions and reads compare the moments themselves.
//!
//! # Layout
//!
//! - [`DynamoStore`]: [`store::Turns`], [`store::Conversations`], [`store::Tokens`],
//!   [`store::Signals`], [`store::Budgets`], [`store::Choices`], [`store::Openings`], [`store::Park`]
//! - [`SqsQueue`]: [`store::Enqueue`]; the other end is Lambda's event source mapping
//! - [`DynamoDeadLetters`]: [`store::DeadLetters`], which takes the table and the queue
//! - `claim`: how a turn is taken
//! - `item`: attributes in and out
//! - `failure`: what may be said of an AWS error
//!
//! # Example
//!
//! ```
//! use store_dynamodb::{DynamoStore, SqsQueue};
//!
//! # fn example(dynamodb: aws_sdk_dynamodb::Client, sqs: aws_sdk_sqs::Client) {
//! let store = DynamoStore::new(dynamodb, "magpie".to_owned());
//! let queue = SqsQueue::new(sqs, "https://sqs.eu-west-1.amazonaws.com/123456789012/magpie.fifo".to_owned());
//! # }
//! ```

mod budgets;
mod choices;
mod claim;
mod conversations;
mod dead_letters;
mod failure;
mod item;
mod openings;
mod signals;
mod sqs;
mod tokens;
mod turns;

pub use dead_letters::DynamoDeadLetters;
pub use sqs::SqsQueue;

/// The table. Clones share the client.
#[derive(Debug, Clone)]
pub struct DynamoStore {
    client: aws_sdk_dynamodb::Client,
    table: String,
}

impl DynamoStore {
    /// The store on this table, which must exist with the string keys `pk` and `sk`.
    #[must_use]
    pub const fn new(client: aws_sdk_dynamodb::Client, table: String) -> Self {
        Self { client, table }
    }
}

//! Calls to the platform, and what came of them.

use std::time::Duration;

use chat::ReplyTo;
use secrecy::SecretString;

use crate::Refusal;

/// A token that a platform gives for an app's keys and takes with its calls.
#[derive(Debug, Clone)]
pub struct AccessToken(pub SecretString);

/// An access token fresh from the platform.
#[derive(Debug, Clone)]
pub struct FreshToken {
    /// The token.
    pub token: AccessToken,
    /// How long the platform says that it is good for.
    pub lifetime: Duration,
}

/// Why no token, or no identity, came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The platform refuses the keys: only an operator can mend it. Holds the platform's code and what it says about it,
    /// sanitised.
    #[error("the platform refuses the app's keys ({0})")]
    Refused(String),
    /// The platform could not answer; trying again may help.
    #[error("the platform gave no usable answer ({0})")]
    Unavailable(String),
}

/// What a repeated send does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendGuarantee {
    /// The platform drops a second send under the same key for this long after the first.
    Keyed {
        /// For how long.
        window: Duration,
    },
    /// A second send shows a second time.
    Unkeyed,
}

/// What came of a send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// The platform has it. Holds the platform's id of the new message, where it tells one.
    Accepted(Option<String>),
    /// The platform will not take it as it is, now or later.
    Refused(Refusal),
    /// The platform did not take it and says when to try again.
    Retry {
        /// How long to wait first.
        after: Duration,
    },
    /// The access token is not good any more: renew it once and send again.
    TokenExpired,
    /// This address is no longer served; the same segment may go to that one.
    Moved(ReplyTo),
    /// Nobody knows whether the platform has it: the answer was lost or made no sense.
    Unknown,
}

/// The reply address is none of this platform's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the reply address was not written by this platform")]
pub struct UnknownAddress;

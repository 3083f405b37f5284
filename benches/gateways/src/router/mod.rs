//! What a gateway adds to a call.

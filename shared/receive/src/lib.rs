//! What a webhook gets: verified, parsed, queued, answered.

//! Verification primitives of webhooks, and the proof that they ran.
//!
//! Every check here returns a [`Proof`] when it passes, and a [`Verified`] value can only be made with one. A platform
//! therefore cannot hand on an event that it forgot to verify: it would not compile.
//!
//! All comparisons take the same time whatever they find. All functions work on raw bytes and none of them panics on
//! any input.
//!
//! # Layout
//!
//! - [`proof`]: [`Proof`], [`Verified`], [`Mismatch`]
//! - [`mac`]: keyed and plain hashes, and their checks
//! - [`envelope`]: AES-256-CBC envelopes with strict PKCS#7
//! - [`window`]: how old a signed timestamp may be
//!
//! # Example
//!
//! ```
//! use webhook::{Verified, mac};
//!
//! let proof = mac::check_sha256_hex(
//!     &[b"1700000001", b"nonce", b"key", b"{}"],
//!     "aff8fcdf5ad5f3f5c4a09ee0b8ae1b4dfa5b3b3b07f9a05e4c9ee4f1bbf7c2f1",
//! );
//! assert!(proof.is_err(), "a wrong signature proves nothing");
//! let proof = mac::check_secret("token", "token")?;
//! let event = Verified::new(proof, "what the platform said");
//! assert_eq!(event.into_inner(), "what the platform said");
//! # Ok::<(), webhook::Mismatch>(())
//! ```

pub mod envelope;
pub mod mac;
pub mod proof;
pub mod window;

pub use envelope::{EnvelopeError, EnvelopeKey, PadBlock};
pub use proof::{Mismatch, Proof, Verified};
pub use window::ReplayWindow;

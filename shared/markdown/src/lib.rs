//! Markdown as blocks, and cut into pieces that each read by themselves.
//!
//! A chat platform takes a message up to some size, and the size is its own: characters, bytes, bytes of JSON inside of
//! JSON. What a good cut is, is the same everywhere: between two blocks, else two lines, else two words, else two
//! characters as a reader sees them. Code that is cut is closed and opened again, and a table that is cut gets its
//! headings again. So the size is a parameter, a [`Weight`], and the cutting is [`split()`].
//!
//! The text is read line by line, which is all that cutting needs: a full parser would say more about the text and
//! nothing more about where it may be cut. No dialect is known here; a platform rewrites what its clients show
//! differently, with [`blocks`] to tell code from prose, before it cuts.
//!
//! # Layout
//!
//! - `block`: a text as prose, code and tables ([`blocks`])
//! - `fence`: the lines that open and close code ([`Fence`])
//! - `weight`: what a text weighs ([`Weight`]), and what characters take in JSON ([`quoted`], [`quoted_twice`])
//! - `split`: blocks packed into pieces ([`split()`], [`Limits`])
//! - `cut`: one line that is too long
//!
//! # Example
//!
//! ```
//! use markdown::{Limits, Weight, split};
//!
//! /// A platform that counts characters.
//! #[derive(Clone, Copy, Default)]
//! struct Chars(usize);
//!
//! impl std::ops::Add for Chars {
//!     type Output = Self;
//!
//!     fn add(self, other: Self) -> Self {
//!         Self(self.0 + other.0)
//!     }
//! }
//!
//! impl Weight for Chars {
//!     fn of_char(_: char) -> Self {
//!         Self(1)
//!     }
//!
//!     fn fits(self, limit: Self) -> bool {
//!         self.0 <= limit.0
//!     }
//! }
//!
//! let pieces = split("```\nfirst();\nsecond();\n```", Limits { weight: Chars(20), tables: usize::MAX });
//! assert_eq!(pieces, ["```\nfirst();\n```", "```\nsecond();\n```"]);
//! ```

mod block;
mod cut;
mod fence;
mod split;
mod weight;

pub use block::{Block, Kind, blocks};
pub use fence::Fence;
pub use split::{Limits, split};
pub use weight::{Weight, quoted, quoted_twice};

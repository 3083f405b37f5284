//! The proof that a verification ran and passed.

/// Evidence that one check passed. Only the checks of this crate make one.
#[derive(Debug)]
#[must_use = "a proof that nobody asks for protects nothing"]
pub struct Proof(());

impl Proof {
    /// For the checks of this crate only.
    pub(crate) const fn passed() -> Self {
        Self(())
    }
}

/// A value that came with a [`Proof`]. It has this one constructor and cannot be cloned out of nothing.
#[derive(Debug)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// Binds a value to the proof that its source was verified.
    #[expect(clippy::needless_pass_by_value, reason = "a proof is used up: one check vouches for one value")]
    pub fn new(proof: Proof, value: T) -> Self {
        let Proof(()) = proof;
        Self(value)
    }

    /// A look at the value.
    pub const fn get(&self) -> &T {
        &self.0
    }

    /// The value; from here on nothing shows that it was verified.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// A check that did not pass. It carries nothing: what differs is nobody's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not match")]
pub struct Mismatch;

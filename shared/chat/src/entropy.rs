//! Randomness as a parameter.

/// Where random bytes come from: the operating system in production, a seed in tests.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with bytes nobody can guess.
    ///
    /// Infallible by contract: a machine that cannot give randomness cannot keep a secret, so an implementation that
    /// fails ends the process instead of returning.
    fn fill(&self, bytes: &mut [u8]);
}

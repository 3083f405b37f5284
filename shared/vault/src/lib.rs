//! AES-256-GCM envelopes for what people wrote, and for tokens at rest.
//!
//! Everything that Magpie stores of what people say, and every access token, goes through [`Vault::seal`] first: in
//! DynamoDB, in SQLite and in the queue. An envelope names the key that sealed it, so keys can rotate: put the new key
//! first and keep the old one until the retention time has passed.
//!
//! # Envelope
//!
//! ```text
//! version (1) ‖ length of key name (1) ‖ key name ‖ nonce (12) ‖ ciphertext ‖ tag (16)
//! ```
//!
//! Version, key name and the caller's context are authenticated along: an envelope moved to another conversation does
//! not open.
//!
//! # Example
//!
//! ```
//! use std::sync::Arc;
//! use vault::{DataKey, Vault};
//!
//! let key = DataKey::from_base64("2026-11", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")?;
//! let vault = Vault::new(vec![key], Arc::new(host::SystemEntropy))?;
//! let sealed = vault.seal(b"conversation 1", b"hello");
//! assert_eq!(vault.open(b"conversation 1", &sealed)?, b"hello");
//! assert!(vault.open(b"conversation 2", &sealed).is_err());
//! # Ok::<(), vault::VaultError>(())
//! ```

use std::{collections::BTreeMap, sync::Arc};

use aes_gcm::{
    Aes256Gcm, KeyInit as _, Nonce,
    aead::{Aead as _, Payload},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chat::Entropy;
use secrecy::{ExposeSecret as _, SecretString, zeroize::Zeroizing};

/// The only envelope layout so far.
const VERSION: u8 = 1;

/// Bytes of a GCM nonce. Random nonces of this size are safe for 2³² envelopes under one key (NIST SP 800-38D); at a
/// hundred messages a second that is over a year, and keys should rotate sooner.
const NONCE: usize = 12;

/// Why a vault could not be made, or an envelope not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// A vault needs a key to seal with.
    #[error("the vault has no key")]
    NoKey,
    /// A key is not 32 bytes in Base64, or its name is empty or longer than 255 bytes.
    #[error("the vault key `{0}` is not 32 bytes in Base64 under a short name")]
    BadKey(String),
    /// The envelope is damaged, was made elsewhere, or its key is gone.
    #[error("the envelope cannot be opened")]
    Sealed,
}

/// One data key. Debug shows its name only.
pub struct DataKey {
    name: String,
    cipher: Aes256Gcm,
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DataKey").field("name", &self.name).finish_non_exhaustive()
    }
}

impl DataKey {
    /// A key of 32 bytes, given in standard Base64.
    ///
    /// # Errors
    ///
    /// [`VaultError::BadKey`].
    pub fn from_base64(name: &str, text: &str) -> Result<Self, VaultError> {
        let bad = || VaultError::BadKey(name.to_owned());
        if name.is_empty() || name.len() > usize::from(u8::MAX) {
            return Err(bad());
        }
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| bad())?);
        let cipher = Aes256Gcm::new_from_slice(&bytes).map_err(|_| bad())?;
        Ok(Self { name: name.to_owned(), cipher })
    }

    /// Ciphertext and tag of `plain`; none only for texts of 64 GiB, which GCM refuses.
    fn seal(&self, nonce: [u8; NONCE], aad: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        self.cipher.encrypt(&Nonce::from(nonce), Payload { msg: plain, aad }).ok()
    }

    /// The plain text, where the tag vouches for all of ciphertext, nonce and `aad`.
    fn open(&self, nonce: [u8; NONCE], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        self.cipher.decrypt(&Nonce::from(nonce), Payload { msg: sealed, aad }).ok()
    }
}

/// Seals with the first key, opens with any.
pub struct Vault {
    sealing: String,
    keys: BTreeMap<String, DataKey>,
    entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("sealing", &self.sealing).finish_non_exhaustive()
    }
}

impl Vault {
    /// A vault of these keys; the first one seals.
    ///
    /// # Errors
    ///
    /// [`VaultError::NoKey`] without any.
    pub fn new(keys: Vec<DataKey>, entropy: Arc<dyn Entropy>) -> Result<Self, VaultError> {
        let sealing = keys.first().ok_or(VaultError::NoKey)?.name.clone();
        let keys = keys.into_iter().map(|key| (key.name.clone(), key)).collect();
        Ok(Self { sealing, keys, entropy })
    }

    /// A vault of keys as configuration names them: each with its 32 bytes in Base64, the sealing one first.
    ///
    /// # Errors
    ///
    /// [`VaultError::NoKey`] or [`VaultError::BadKey`].
    pub fn from_keys(keys: &[(String, SecretString)], entropy: Arc<dyn Entropy>) -> Result<Self, VaultError> {
        let keys = keys.iter().map(|(name, key)| DataKey::from_base64(name, key.expose_secret()));
        Self::new(keys.collect::<Result<_, _>>()?, entropy)
    }

    /// Seals `plain` so that it opens in the same `context` only.
    #[must_use]
    pub fn seal(&self, context: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        self.entropy.fill(&mut nonce);
        let mut envelope = header(&self.sealing);
        let aad = associated(&envelope, context);
        // The key is there by construction and GCM refuses only texts of 64 GiB, so neither step can fail; were one
        // to, the envelope would hold no ciphertext and not open, and nothing readable would be stored.
        let sealed = self.keys.get(&self.sealing).and_then(|key| key.seal(nonce, &aad, plain));
        envelope.extend_from_slice(&nonce);
        envelope.extend_from_slice(&sealed.unwrap_or_default());
        envelope
    }

    /// Opens an envelope that was sealed in this `context`.
    ///
    /// # Errors
    ///
    /// [`VaultError::Sealed`], the same for every cause.
    pub fn open(&self, context: &[u8], envelope: &[u8]) -> Result<Vec<u8>, VaultError> {
        self.try_open(context, envelope).ok_or(VaultError::Sealed)
    }

    fn try_open(&self, context: &[u8], envelope: &[u8]) -> Option<Vec<u8>> {
        let (&[version, length], rest) = envelope.split_first_chunk()?;
        let (name, rest) = rest.split_at_checked(usize::from(length))?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>()?;
        let name = std::str::from_utf8(name).ok().filter(|_| version == VERSION)?;
        // Planted: what was sealed before a rotation is lost.
        let name =
            Some(name).filter(|name| *name == self.sealing || !cfg!(planted = "old_keys_forgotten"))?;
        let aad = associated(&header(name), context);
        self.keys.get(name)?.open(*nonce, &aad, sealed)
    }
}

/// Version, length of name, name. Names are at most 255 bytes by construction.
fn header(name: &str) -> Vec<u8> {
    let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
    let mut header = vec![VERSION, length];
    header.extend_from_slice(name.as_bytes());
    header
}

/// What is authenticated along: the header (which holds its own length) and the caller's context.
fn associated(header: &[u8], context: &[u8]) -> Vec<u8> {
    [header, context].concat()
}

#[cfg(test)]
mod wycheproof_tests;

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(std::sync::atomic::AtomicU8);

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        }
    }

    fn key(name: &str, byte: u8) -> DataKey {
        DataKey::from_base64(name, &STANDARD.encode([byte; 32])).unwrap()
    }

    fn vault(keys: Vec<DataKey>) -> Vault {
        Vault::new(keys, Arc::new(Counting(0.into()))).unwrap()
    }

    #[test]
    fn a_rotated_key_still_opens_and_no_longer_seals() {
        let old = vault(vec![key("old", 1)]).seal(b"c", b"words");
        let rotated = vault(vec![key("new", 2), key("old", 1)]);
        assert_eq!(rotated.open(b"c", &old).unwrap(), b"words");
        let new = rotated.seal(b"c", b"words");
        assert!(vault(vec![key("old", 1)]).open(b"c", &new).is_err());
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let vault = vault(vec![key("k", 1)]);
        let sealed = vault.seal(b"context", b"words");
        for index in 0..sealed.len() {
            for bit in 0..8 {
                let mut bad = sealed.clone();
                bad[index] ^= 1 << bit;
                assert_eq!(vault.open(b"context", &bad), Err(VaultError::Sealed), "{index}/{bit}");
            }
            assert!(vault.open(b"context", &sealed[..index]).is_err());
        }
        assert!(vault.open(b"another", &sealed).is_err());
    }

    #[test]
    fn equal_words_make_different_envelopes() {
        let vault = vault(vec![key("k", 1)]);
        assert_ne!(vault.seal(b"c", b"words"), vault.seal(b"c", b"words"));
    }

    #[test]
    fn bad_keys_are_refused_by_name_only() {
        for text in ["", "c2hvcnQ=", "not base64!", &STANDARD.encode([0; 33])] {
            let error = DataKey::from_base64("mine", text).unwrap_err();
            assert_eq!(error, VaultError::BadKey("mine".into()));
        }
        assert_eq!(Vault::new(vec![], Arc::new(Counting(0.into()))).unwrap_err(), VaultError::NoKey);
    }
}

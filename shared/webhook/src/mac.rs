//! Keyed hashes, plain hashes and shared secrets: made, and checked in constant time.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::{Mismatch, Proof};

/// HMAC-SHA-256 of `message` under `key`, in standard padded Base64.
///
/// DingTalk signs robot messages, custom robots and card callbacks this way; Feishu's custom bots use it with the
/// roles of key and message exchanged.
#[must_use]
pub fn hmac_sha256_base64(key: &[u8], message: &[u8]) -> String {
    STANDARD.encode(hmac_sha256(key, message))
}

/// Checks a Base64 HMAC-SHA-256 made like [`hmac_sha256_base64`].
///
/// # Errors
///
/// [`Mismatch`] when the text is not that MAC, in any way.
pub fn check_hmac_sha256_base64(key: &[u8], message: &[u8], given: &str) -> Result<Proof, Mismatch> {
    equal(hmac_sha256_base64(key, message).as_bytes(), given.as_bytes())
}

/// SHA-256 over the parts one after the other, in lower-case hexadecimal: a plain hash, not an HMAC.
///
/// Feishu signs events this way, with its Encrypt Key among the parts.
#[must_use]
pub fn sha256_hex(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

/// Checks a hexadecimal SHA-256 made like [`sha256_hex`]. Upper-case digits do not pass: no platform sends them.
///
/// # Errors
///
/// [`Mismatch`] when the text is not that hash.
pub fn check_sha256_hex(parts: &[&[u8]], given: &str) -> Result<Proof, Mismatch> {
    equal(sha256_hex(parts).as_bytes(), given.as_bytes())
}

/// SHA-1 over the parts one after the other, in lower-case hexadecimal.
///
/// DingTalk's event push and Feishu's old card callback are signed with SHA-1. As a plain hash over a secret it is
/// weak by today's measure, but it is what the platforms send; nothing of ours is signed with it except answers that
/// the same platforms check.
#[must_use]
pub fn sha1_hex(parts: &[&[u8]]) -> String {
    let mut hash = Sha1::new();
    for part in parts {
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

/// Checks a hexadecimal SHA-1 made like [`sha1_hex`].
///
/// # Errors
///
/// [`Mismatch`] when the text is not that hash.
pub fn check_sha1_hex(parts: &[&[u8]], given: &str) -> Result<Proof, Mismatch> {
    equal(sha1_hex(parts).as_bytes(), given.as_bytes())
}

/// Checks a shared secret that is sent as it is, such as Feishu's Verification Token.
///
/// # Errors
///
/// [`Mismatch`] when the texts differ, and always when `expected` is empty: an empty secret would let everybody in.
pub fn check_secret(expected: &str, given: &str) -> Result<Proof, Mismatch> {
    if expected.is_empty() {
        return Err(Mismatch);
    }
    // Hashing first makes both sides equally long, so that not even the length of the secret shows in the time.
    equal(&Sha256::digest(expected), &Sha256::digest(given))
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    // HMAC takes keys of any length, so this cannot fail; an all-zero answer for the impossible case would be a
    // signature like any other and match nothing that a platform made.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mut mac| {
            mac.update(message);
            mac.finalize().into_bytes().into()
        })
        .unwrap_or_default()
}

fn equal(expected: &[u8], given: &[u8]) -> Result<Proof, Mismatch> {
    if bool::from(expected.ct_eq(given)) { Ok(Proof::passed()) } else { Err(Mismatch) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_secret_lets_nobody_in() {
        assert!(check_secret("", "").is_err());
        assert!(check_secret("a", "").is_err());
        assert!(check_secret("a", "a").is_ok());
    }

    #[test]
    fn rfc_4231_case_2() {
        let mac = hmac_sha256(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(hex::encode(mac), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn every_flipped_bit_of_a_signature_is_refused() {
        let good = hmac_sha256_base64(b"key", b"message");
        assert!(check_hmac_sha256_base64(b"key", b"message", &good).is_ok());
        for index in 0..good.len() {
            for bit in 0..7 {
                let mut bytes = good.clone().into_bytes();
                bytes[index] ^= 1 << bit;
                let bad = String::from_utf8(bytes).unwrap();
                assert!(check_hmac_sha256_base64(b"key", b"message", &bad).is_err(), "{index}/{bit}");
            }
        }
    }

    #[test]
    fn a_prefix_or_an_extension_is_refused() {
        let good = sha256_hex(&[b"a", b"b"]);
        assert!(check_sha256_hex(&[b"ab"], &good).is_ok(), "parts are joined");
        assert!(check_sha256_hex(&[b"ab"], &good[..63]).is_err());
        assert!(check_sha256_hex(&[b"ab"], &format!("{good}0")).is_err());
        assert!(check_sha256_hex(&[b"ab"], &good.to_uppercase()).is_err());
        let good = sha1_hex(&[b"ab"]);
        assert!(check_sha1_hex(&[b"a", b"b"], &good).is_ok());
        assert!(check_sha1_hex(&[b"a", b"b"], &good[1..]).is_err());
    }
}

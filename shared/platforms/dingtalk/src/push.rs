//! The envelope of event push: opened, sealed and signed.
//!
//! DingTalk pushes `{"encrypt": "…"}` with a signature in the query, and takes only an answer of the same form, which
//! says `success`. [`PushKeys`] does both directions; the simulator uses the same.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use chat::Timestamp;
use platform::KeyError;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use webhook::{EnvelopeError, EnvelopeKey, Mismatch, PadBlock, mac};

/// How the AES key is written: 43 characters hold 258 bits of which 256 count, and DingTalk draws the last character
/// from the whole alphabet. A strict decoder refuses three keys of four for the two bits left over.
const AES_KEY: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// What stands before the message inside an envelope: 16 random characters and the message's length in 4 bytes.
const HEAD: usize = 16 + 4;

/// The token, AES key and owner of one app's event push.
#[derive(Debug)]
pub struct PushKeys {
    token: SecretString,
    key: EnvelopeKey,
    owner: String,
}

impl PushKeys {
    /// Takes the token and the AES key (43 characters) as DingTalk's console shows them. `owner` is what DingTalk
    /// writes at the end of each envelope: for event subscriptions the Client ID.
    ///
    /// # Errors
    ///
    /// [`KeyError::Form`] when the AES key is not 43 characters of Base64.
    pub fn new(token: SecretString, aes_key: &SecretString, owner: &str) -> Result<Self, KeyError> {
        let wanted = "43 letters and digits, as shown beside the event subscription";
        let bytes =
            AES_KEY.decode(aes_key.expose_secret()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let bytes = bytes.ok_or(KeyError::Form { field: "aes_key", wanted })?;
        Ok(Self { token, key: EnvelopeKey::new(bytes), owner: owner.to_owned() })
    }

    /// The signature over an envelope: SHA-1 over the four texts in byte order, in hexadecimal.
    #[must_use]
    pub fn sign(&self, timestamp: &str, nonce: &str, encrypt: &str) -> String {
        mac::sha1_hex(&self.sorted(timestamp, nonce, encrypt))
    }

    /// Checks a signature made like [`PushKeys::sign`], in constant time.
    ///
    /// # Errors
    ///
    /// [`Mismatch`] when it is any other.
    pub fn check(
        &self,
        timestamp: &str,
        nonce: &str,
        encrypt: &str,
        signature: &str,
    ) -> Result<webhook::Proof, Mismatch> {
        mac::check_sha1_hex(&self.sorted(timestamp, nonce, encrypt), signature)
    }

    /// The parts end to end leave no mark between them, so moving a character from one to the next keeps the hash:
    /// that is DingTalk's scheme, and the reason why nothing is believed of the timestamp and the nonce.
    fn sorted<'a>(&'a self, timestamp: &'a str, nonce: &'a str, encrypt: &'a str) -> [&'a [u8]; 4] {
        let mut parts = [self.token.expose_secret(), timestamp, nonce, encrypt].map(str::as_bytes);
        parts.sort_unstable();
        parts
    }

    /// Opens an envelope whose signature was checked.
    ///
    /// # Errors
    ///
    /// One [`EnvelopeError`] for every cause: not Base64, not of whole blocks, wrong padding, a length that does not
    /// fit, another owner.
    pub fn open(&self, encrypt: &str) -> Result<Vec<u8>, EnvelopeError> {
        let data = STANDARD.decode(encrypt).map_err(|_| EnvelopeError)?;
        let plain = self.key.open(self.key.first_half(), data, PadBlock::ThirtyTwo)?;
        let (head, rest) = plain.split_at_checked(HEAD).ok_or(EnvelopeError)?;
        let length = head.last_chunk().map(|bytes| u32::from_be_bytes(*bytes)).ok_or(EnvelopeError)?;
        let length = usize::try_from(length).map_err(|_| EnvelopeError)?;
        let (message, owner) = rest.split_at_checked(length).ok_or(EnvelopeError)?;
        if owner == self.owner.as_bytes() { Ok(message.to_vec()) } else { Err(EnvelopeError) }
    }

    /// Seals a message; the other direction of [`PushKeys::open`]. The initialisation vector is fixed by DingTalk, so
    /// `random` is all that keeps equal messages from looking equal.
    #[must_use]
    pub fn seal(&self, random: [u8; 16], message: &[u8]) -> String {
        // No message of ours nears 4 GiB; a longer one would get a length that nobody opens.
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
        let mut plain = Vec::with_capacity(HEAD + message.len() + self.owner.len() + 32);
        plain.extend_from_slice(&random);
        plain.extend_from_slice(&length.to_be_bytes());
        plain.extend_from_slice(message);
        plain.extend_from_slice(self.owner.as_bytes());
        STANDARD.encode(self.key.seal(self.key.first_half(), plain, PadBlock::ThirtyTwo))
    }

    /// The answer that DingTalk wants to every push within 2.5 seconds: `success`, sealed and signed. Without it the
    /// push comes again after 10 and 30 seconds.
    pub(crate) fn success(&self, nonce: [u8; 16], now: Timestamp) -> String {
        let random = nonce.map(alphanumeric);
        let nonce = String::from_utf8_lossy(&random);
        let timestamp = now.as_millis().to_string();
        let encrypt = self.seal(random, b"success");
        let signature = self.sign(&timestamp, &nonce, &encrypt);
        json!({"msg_signature": signature, "encrypt": encrypt, "timeStamp": timestamp, "nonce": nonce})
            .to_string()
    }
}

/// One of 62 characters. Eight of them come up a little more often than the rest, which matters for a password and
/// not for a text that only has to differ.
fn alphanumeric(byte: u8) -> u8 {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    ALPHABET[usize::from(byte) % ALPHABET.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ahovCJQX4bipwDKRY5cjqxELSZ6dkryFMT07elszGNU";

    fn keys(owner: &str) -> PushKeys {
        PushKeys::new(SecretString::from("tok123"), &SecretString::from(KEY), owner).unwrap()
    }

    /// An envelope whose length field says `length`.
    fn sealed_with(keys: &PushKeys, length: u32, rest: &[u8]) -> String {
        let plain = [b"0123456789abcdef".as_slice(), &length.to_be_bytes(), rest].concat();
        STANDARD.encode(keys.key.seal(keys.key.first_half(), plain, PadBlock::ThirtyTwo))
    }

    #[test]
    fn a_length_that_does_not_fit_is_refused() {
        let keys = keys("owner");
        for (length, opens) in [(2, true), (1, false), (3, false), (7, false), (8, false), (u32::MAX, false)]
        {
            assert_eq!(keys.open(&sealed_with(&keys, length, b"{}owner")).is_ok(), opens, "{length}");
        }
    }

    #[test]
    fn another_owner_is_refused() {
        let sealed = keys("owner").seal(*b"0123456789abcdef", b"{}");
        assert_eq!(keys("owner").open(&sealed), Ok(b"{}".to_vec()));
        for owner in ["", "other", "owner2", "wner", "}owner"] {
            assert_eq!(keys(owner).open(&sealed), Err(EnvelopeError), "{owner}");
        }
    }

    #[test]
    fn an_envelope_too_short_for_its_head_is_refused() {
        let keys = keys("");
        for length in 0..HEAD {
            let data = keys.key.seal(keys.key.first_half(), vec![0; length], PadBlock::ThirtyTwo);
            assert_eq!(keys.open(&STANDARD.encode(data)), Err(EnvelopeError), "{length}");
        }
    }

    #[test]
    fn a_nonce_has_all_letters_and_digits() {
        let signs: std::collections::BTreeSet<u8> = (0..=u8::MAX).map(alphanumeric).collect();
        assert!(signs.len() == 62 && signs.iter().all(u8::is_ascii_alphanumeric));
    }

    #[test]
    fn the_answer_is_signed_and_opens_to_success() {
        let keys = keys("dingappkey0001");
        let answer = keys.success([255; 16], Timestamp::from_millis(1_700_000_000_002));
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        assert_eq!(text("timeStamp"), "1700000000002");
        assert!(text("nonce").len() == 16 && text("nonce").bytes().all(|b| b.is_ascii_alphanumeric()));
        assert!(
            keys.check(&text("timeStamp"), &text("nonce"), &text("encrypt"), &text("msg_signature")).is_ok()
        );
        assert_eq!(keys.open(&text("encrypt")), Ok(b"success".to_vec()));
    }
}

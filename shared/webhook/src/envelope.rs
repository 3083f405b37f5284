//! AES-256-CBC envelopes with strict PKCS#7, as Feishu and DingTalk encrypt what they push.
//!
//! CBC gives no integrity: whoever flips a bit of the ciphertext flips a bit of the plaintext. So an envelope is
//! opened only after the signature over it was checked, and every failure to open it is one and the same error.

use aes::Aes256;
use cbc::cipher::{Block, BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};

/// The AES block, in bytes.
const BLOCK: usize = 16;

/// An AES-256 key of an envelope.
#[derive(Clone)]
pub struct EnvelopeKey([u8; 32]);

/// Never shows the key.
impl std::fmt::Debug for EnvelopeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EnvelopeKey(..)")
    }
}

/// To what multiple the plaintext was padded. The last byte tells how many bytes to take off: 1 up to this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PadBlock {
    /// Multiples of 16, as PKCS#7 has it for AES: Feishu.
    Sixteen,
    /// Multiples of 32: DingTalk (and WeCom). A 16-byte unpadder would refuse half of what they send.
    ThirtyTwo,
}

impl PadBlock {
    const fn bytes(self) -> usize {
        match self {
            Self::Sixteen => 16,
            Self::ThirtyTwo => 32,
        }
    }
}

/// The envelope could not be opened. One error for every cause: telling bad padding from bad content would let
/// somebody who can submit envelopes decrypt them byte by byte (a padding oracle).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the envelope cannot be opened with this key")]
pub struct EnvelopeError;

impl EnvelopeKey {
    /// The key made of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The first half of the key, which DingTalk uses as initialisation vector.
    #[must_use]
    pub fn first_half(&self) -> [u8; BLOCK] {
        let mut half = [0; BLOCK];
        half.copy_from_slice(&self.0[..BLOCK]);
        half
    }

    /// Opens a ciphertext in place of the buffer and takes the padding off.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError`] when the length is not a positive multiple of 16 or the padding is not exact.
    pub fn open(&self, iv: [u8; BLOCK], mut data: Vec<u8>, pad: PadBlock) -> Result<Vec<u8>, EnvelopeError> {
        if data.is_empty() || !data.len().is_multiple_of(BLOCK) {
            return Err(EnvelopeError);
        }
        let mut cipher = cbc::Decryptor::<Aes256>::new(&self.0.into(), &iv.into());
        let (blocks, _) = Block::<Aes256>::slice_as_chunks_mut(&mut data);
        cipher.decrypt_blocks(blocks);
        let padding = padding_of(&data, pad).ok_or(EnvelopeError)?;
        data.truncate(data.len() - padding);
        Ok(data)
    }

    /// Pads and encrypts: the other direction of [`EnvelopeKey::open`].
    #[must_use]
    pub fn seal(&self, iv: [u8; BLOCK], mut data: Vec<u8>, pad: PadBlock) -> Vec<u8> {
        let padding = pad.bytes() - data.len() % pad.bytes();
        let byte = u8::try_from(padding).unwrap_or(u8::MAX);
        data.resize(data.len() + padding, byte);
        let mut cipher = cbc::Encryptor::<Aes256>::new(&self.0.into(), &iv.into());
        let (blocks, _) = Block::<Aes256>::slice_as_chunks_mut(&mut data);
        cipher.encrypt_blocks(blocks);
        data
    }
}

/// How many padding bytes end `data`, if they are exact: each of them says the count.
fn padding_of(data: &[u8], pad: PadBlock) -> Option<usize> {
    let count = usize::from(*data.last()?);
    let plausible = (1..=pad.bytes()).contains(&count) && count <= data.len();
    let exact = plausible && data[data.len() - count..].iter().all(|byte| usize::from(*byte) == count);
    exact.then_some(count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: EnvelopeKey = EnvelopeKey::new([7; 32]);
    const IV: [u8; 16] = [9; 16];

    fn sealed_raw(plain: &[u8]) -> Vec<u8> {
        // Seals exactly these bytes: what `seal` adds at the end is cut off again, which CBC allows.
        let mut sealed = KEY.seal(IV, plain.to_vec(), PadBlock::Sixteen);
        sealed.truncate(plain.len());
        sealed
    }

    #[test]
    fn every_pad_of_32_opens_and_no_other() {
        for pad in 0..=40_u8 {
            let mut plain = vec![0xAA_u8; 64];
            for byte in plain.iter_mut().rev().take(usize::from(pad)) {
                *byte = pad;
            }
            let opens = (1..=32).contains(&pad);
            let got = KEY.open(IV, sealed_raw(&plain), PadBlock::ThirtyTwo);
            assert_eq!(got.is_ok(), opens, "pad {pad}");
            let got = KEY.open(IV, sealed_raw(&plain), PadBlock::Sixteen);
            assert_eq!(got.is_ok(), (1..=16).contains(&pad), "pad {pad} of 16");
        }
    }

    #[test]
    fn one_wrong_padding_byte_is_enough() {
        let mut plain = vec![5_u8; 32];
        plain[29] = 4;
        assert_eq!(KEY.open(IV, sealed_raw(&plain), PadBlock::Sixteen), Err(EnvelopeError));
    }

    #[test]
    fn lengths_that_are_no_blocks_are_refused() {
        for length in [0, 1, 15, 17, 31] {
            // Ones as well: bytes behind the last whole block stay as they are, and would pass for padding.
            for byte in [0, 1] {
                let opened = KEY.open(IV, vec![byte; length], PadBlock::Sixteen);
                assert_eq!(opened, Err(EnvelopeError), "{length} bytes of {byte}");
            }
        }
    }

    #[test]
    fn the_first_half_is_the_keys_own() {
        let key: [u8; 32] = std::array::from_fn(|index| u8::try_from(index).unwrap());
        assert_eq!(EnvelopeKey::new(key).first_half(), key[..16]);
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{KEY:?}"), "EnvelopeKey(..)");
    }

    proptest! {
        #[test]
        fn sealed_opens_to_the_same(plain in proptest::collection::vec(any::<u8>(), 0..200), wide in any::<bool>()) {
            let pad = if wide { PadBlock::ThirtyTwo } else { PadBlock::Sixteen };
            let sealed = KEY.seal(IV, plain.clone(), pad);
            prop_assert_eq!(KEY.open(IV, sealed, pad), Ok(plain));
        }

        #[test]
        fn no_bytes_make_it_panic(data in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = KEY.open(IV, data.clone(), PadBlock::Sixteen);
            let _ = KEY.open(IV, data, PadBlock::ThirtyTwo);
        }
    }
}

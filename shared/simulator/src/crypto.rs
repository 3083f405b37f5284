//! The platforms' signatures and ciphers, made here from the primitives alone.
//!
//! Magpie's own `webhook` crate is not used on purpose: one mistake in a shared helper would cancel out in every test.

use aes::Aes256;
use base64::{
    Engine as _, alphabet,
    engine::{GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use cbc::cipher::{Block, BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use chat::Entropy;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

const BLOCK: usize = 16;

/// DingTalk's AES keys are 43 characters of Base64; the last one may carry bits that no byte holds.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// `prefix` and 32 hexadecimal digits of randomness.
pub(crate) fn fresh_id(entropy: &dyn Entropy, prefix: &str) -> String {
    format!("{prefix}{}", hex::encode(random16(entropy)))
}

/// `count` random letters and digits, at most 16.
pub(crate) fn fresh_letters(entropy: &dyn Entropy, count: usize) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    random16(entropy).iter().take(count).map(|byte| char::from(LETTERS[usize::from(*byte) % 62])).collect()
}

fn random16(entropy: &dyn Entropy) -> [u8; 16] {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    bytes
}

/// Feishu's event signature: SHA-256 over timestamp, nonce, Encrypt Key and body, in hexadecimal.
pub(crate) fn feishu_signature(timestamp: &str, nonce: &str, encrypt_key: &str, body: &[u8]) -> String {
    let text = [timestamp.as_bytes(), nonce.as_bytes(), encrypt_key.as_bytes(), body].concat();
    hex::encode(Sha256::digest(text))
}

/// Feishu's ciphertext: AES-256-CBC under SHA-256 of the Encrypt Key, the IV in front, in Base64.
pub(crate) fn feishu_encrypt(encrypt_key: &str, iv: [u8; BLOCK], plain: &[u8]) -> String {
    let key: [u8; 32] = Sha256::digest(encrypt_key).into();
    let mut out = iv.to_vec();
    out.extend(seal(key, iv, plain.to_vec(), 16));
    STANDARD.encode(out)
}

/// The same with a random IV.
pub(crate) fn feishu_encrypt_fresh(entropy: &dyn Entropy, encrypt_key: &str, plain: &[u8]) -> String {
    feishu_encrypt(encrypt_key, random16(entropy), plain)
}

/// DingTalk's robot signature, in headers and in a custom robot's query: HMAC-SHA-256 under the secret.
pub(crate) fn dingtalk_sign(timestamp: &str, secret: &str) -> String {
    hmac(secret.as_bytes(), format!("{timestamp}\n{secret}").as_bytes())
}

/// The signature of a Feishu custom bot, in the body: what DingTalk signs is the key here, and nothing is signed.
pub(crate) fn feishu_custom_sign(timestamp: &str, secret: &str) -> String {
    hmac(format!("{timestamp}\n{secret}").as_bytes(), b"")
}

fn hmac(key: &[u8], message: &[u8]) -> String {
    // A key of any length is a key to HMAC, so there always is a MAC.
    let mac = Hmac::<Sha256>::new_from_slice(key).map(|mut mac| {
        mac.update(message);
        STANDARD.encode(mac.finalize().into_bytes())
    });
    mac.unwrap_or_default()
}

/// DingTalk's push signature: SHA-1 over the four texts in byte order.
pub(crate) fn dingtalk_push_signature(token: &str, timestamp: &str, nonce: &str, encrypt: &str) -> String {
    let mut parts = [token, timestamp, nonce, encrypt];
    parts.sort_unstable();
    hex::encode(Sha1::digest(parts.concat()))
}

/// DingTalk's push ciphertext: `random16 ‖ length ‖ message ‖ owner`, padded to 32, AES-256-CBC.
/// `None` when the key is not one.
pub(crate) fn dingtalk_encrypt(aes_key: &str, random: &str, message: &str, owner: &str) -> Option<String> {
    let key = dingtalk_key(aes_key)?;
    let length = u32::try_from(message.len()).ok()?;
    let plain = [random.as_bytes(), &length.to_be_bytes(), message.as_bytes(), owner.as_bytes()].concat();
    Some(STANDARD.encode(seal(key, first_half(key), plain, 32)))
}

/// The message in a ciphertext for this owner; `None` for anything that is not exactly that.
pub(crate) fn dingtalk_decrypt(aes_key: &str, encrypt: &str, owner: &str) -> Option<String> {
    let key = dingtalk_key(aes_key)?;
    let plain = open(key, first_half(key), STANDARD.decode(encrypt).ok()?, 32)?;
    let length = u32::from_be_bytes(plain.get(16..20)?.try_into().ok()?);
    let end = usize::try_from(length).ok()?.checked_add(20)?;
    (plain.get(end..)? == owner.as_bytes()).then_some(())?;
    String::from_utf8(plain.get(20..end)?.to_vec()).ok()
}

fn dingtalk_key(aes_key: &str) -> Option<[u8; 32]> {
    LENIENT.decode(format!("{aes_key}=")).ok()?.try_into().ok()
}

fn first_half(key: [u8; 32]) -> [u8; BLOCK] {
    std::array::from_fn(|index| key[index])
}

fn seal(key: [u8; 32], iv: [u8; BLOCK], mut data: Vec<u8>, pad: u8) -> Vec<u8> {
    let width = usize::from(pad);
    let missing = width - data.len() % width;
    data.extend(std::iter::repeat_n(u8::try_from(missing).unwrap_or(pad), missing));
    let (blocks, _) = Block::<Aes256>::slice_as_chunks_mut(&mut data);
    cbc::Encryptor::<Aes256>::new(&key.into(), &iv.into()).encrypt_blocks(blocks);
    data
}

fn open(key: [u8; 32], iv: [u8; BLOCK], mut data: Vec<u8>, pad: u8) -> Option<Vec<u8>> {
    if data.is_empty() || !data.len().is_multiple_of(BLOCK) {
        return None;
    }
    let (blocks, _) = Block::<Aes256>::slice_as_chunks_mut(&mut data);
    cbc::Decryptor::<Aes256>::new(&key.into(), &iv.into()).decrypt_blocks(blocks);
    let last = *data.last()?;
    let kept = data.len().checked_sub(usize::from(last))?;
    let exact = (1..=pad).contains(&last) && data.get(kept..)?.iter().all(|byte| *byte == last);
    data.truncate(kept);
    exact.then_some(data)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn vectors(text: &str, section: &str, list: &str) -> Vec<Value> {
        let all: Value = serde_json::from_str(text).unwrap();
        all[section][list].as_array().unwrap().clone()
    }

    fn feishu(section: &str) -> Vec<Value> {
        vectors(include_str!("../tests/vectors/feishu.json"), section, "positive")
    }

    fn dingtalk(section: &str, list: &str) -> Vec<Value> {
        vectors(include_str!("../tests/vectors/dingtalk.json"), section, list)
    }

    fn text<'a>(vector: &'a Value, field: &str) -> &'a str {
        vector[field].as_str().unwrap_or_else(|| panic!("{field} of {}", vector["name"]))
    }

    #[test]
    fn feishu_signatures_are_the_platforms() {
        for vector in feishu("event_signature") {
            let [timestamp, nonce, key, body] =
                ["timestamp", "nonce", "encrypt_key", "body"].map(|field| text(&vector, field));
            let made = feishu_signature(timestamp, nonce, key, body.as_bytes());
            assert_eq!(made, text(&vector, "signature"), "{}", vector["name"]);
        }
    }

    #[test]
    fn feishu_ciphertexts_are_the_platforms() {
        for vector in feishu("event_decrypt") {
            let iv = hex::decode(text(&vector, "iv_hex")).unwrap().try_into().unwrap();
            let made =
                feishu_encrypt(text(&vector, "encrypt_key"), iv, text(&vector, "plaintext").as_bytes());
            assert_eq!(made, text(&vector, "encrypt"), "{}", vector["name"]);
        }
    }

    #[test]
    fn dingtalk_signs_are_the_platforms() {
        for vector in dingtalk("robot_http_sign", "positive") {
            let made = dingtalk_sign(text(&vector, "timestamp"), text(&vector, "app_secret"));
            assert_eq!(made, text(&vector, "sign"), "{}", vector["name"]);
        }
        for vector in dingtalk("custom_robot_sign", "positive") {
            let made = dingtalk_sign(text(&vector, "timestamp"), text(&vector, "secret"));
            assert_eq!(made, text(&vector, "sign_base64"), "{}", vector["name"]);
        }
    }

    #[test]
    fn feishu_custom_bots_sign_as_the_platform_does() {
        for vector in feishu("custom_bot_sign") {
            let made = feishu_custom_sign(text(&vector, "timestamp"), text(&vector, "secret"));
            assert_eq!(made, text(&vector, "sign"), "{}", vector["name"]);
        }
    }

    #[test]
    fn dingtalk_pushes_are_the_platforms() {
        for vector in dingtalk("event_callback", "positive") {
            let [token, timestamp, nonce, encrypt, key, owner, plain] =
                ["token", "timestamp", "nonce", "encrypt", "aes_key", "owner_key", "plaintext"]
                    .map(|field| text(&vector, field));
            let made = dingtalk_push_signature(token, timestamp, nonce, encrypt);
            assert_eq!(made, text(&vector, "msg_signature"), "{}", vector["name"]);
            assert_eq!(dingtalk_decrypt(key, encrypt, owner).as_deref(), Some(plain), "{}", vector["name"]);
            assert_eq!(dingtalk_decrypt(key, encrypt, "another"), None, "{}", vector["name"]);
            if let Some(random) = vector["random16"].as_str() {
                let made = dingtalk_encrypt(key, random, plain, owner);
                assert_eq!(made.as_deref(), Some(encrypt), "{}", vector["name"]);
            }
        }
    }

    #[test]
    fn dingtalk_ciphertexts_that_the_platform_refuses_do_not_open() {
        let mut refused = 0;
        for vector in dingtalk("event_callback", "negative") {
            let code =
                vector["expect_error"].as_i64().or_else(|| vector["expect_error"].as_str()?.parse().ok());
            if !matches!(code, Some(900_004 | 900_008..=900_010)) {
                continue;
            }
            let opened = dingtalk_decrypt(
                text(&vector, "aes_key"),
                text(&vector, "encrypt"),
                text(&vector, "owner_key"),
            );
            assert_eq!(opened, None, "{}", vector["name"]);
            refused += 1;
        }
        assert!(refused >= 3, "only {refused} vectors were of use");
    }

    #[test]
    fn padding_must_be_exact() {
        let (key, iv) = ([7; 32], [9; 16]);
        for (tail, opens) in [([3, 3, 3], true), ([2, 3, 3], false), ([3, 3, 0], false), ([3, 3, 33], false)]
        {
            let mut plain = vec![b'a'; 61];
            plain.extend(tail);
            // One more block of padding is added and taken off again, which CBC allows.
            let mut sealed = seal(key, iv, plain, 32);
            sealed.truncate(64);
            assert_eq!(open(key, iv, sealed, 32).is_some(), opens, "{tail:?}");
        }
    }
}

//! SHA-1 and SHA-256 against the examples that NIST publishes with FIPS 180-4.
//!
//! A million letters show that length is counted beyond one buffer; splitting each message anywhere shows that parts
//! are joined and nothing comes between them.

use webhook::mac;

const TWO_BLOCKS: &str = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

/// Message, SHA-1, SHA-256.
const EXAMPLES: [(&str, &str, &str); 3] = [
    (
        "",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ),
    (
        "abc",
        "a9993e364706816aba3e25717850c26c9cd0d89d",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ),
    (
        TWO_BLOCKS,
        "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    ),
];

#[test]
fn the_examples_however_they_are_parted() {
    for (message, sha1, sha256) in EXAMPLES {
        for at in 0..=message.len() {
            let (first, second) = message.as_bytes().split_at(at);
            assert_eq!(mac::sha1_hex(&[first, second]), sha1, "{message:?} at {at}");
            assert_eq!(mac::sha256_hex(&[first, b"", second]), sha256, "{message:?} at {at}");
        }
    }
}

#[test]
fn a_million_letters() {
    let message = vec![b'a'; 1_000_000];
    assert_eq!(mac::sha1_hex(&[&message]), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    assert_eq!(
        mac::sha256_hex(&[&message]),
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    );
}

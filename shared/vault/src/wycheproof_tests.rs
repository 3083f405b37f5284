//! Project Wycheproof's vectors for AES-GCM, through the two functions by which a vault seals and opens.
//!
//! Not through [`Vault::seal`] itself: an envelope authenticates its own header along, and no vector's associated data
//! begins with one. What stands between the two is the layout, which the tests beside this module take apart bit by
//! bit.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use wycheproof::{
    TestResult,
    aead::{TestName, TestSet},
};

use super::{DataKey, NONCE};

/// The tag that a vault writes and wants, in bits.
const TAG: usize = 128;

/// How many vectors there are; how many are of a vault's sizes, which is a key of 256 bits and a nonce of 96; how many
/// of those must not open. Said exactly, so that none is left out in silence. The others have keys of 128 or 192 bits,
/// which no vault takes, or nonces of another length, which no envelope can hold.
const COUNTS: (usize, usize, usize) = (316, 66, 27);

#[test]
fn every_vector_of_the_vaults_sizes() {
    let set = TestSet::load(TestName::AesGcm).unwrap();
    let (mut ran, mut refused) = (0, 0);
    for group in &set.test_groups {
        if (group.key_size, group.nonce_size, group.tag_size) != (256, NONCE * 8, TAG) {
            continue;
        }
        for vector in &group.tests {
            let key = DataKey::from_base64("wycheproof", &STANDARD.encode(&vector.key)).unwrap();
            let nonce: [u8; NONCE] = vector.nonce.as_slice().try_into().unwrap();
            let sealed = [vector.ct.as_slice(), vector.tag.as_slice()].concat();
            let opened = key.open(nonce, &vector.aad, &sealed);
            if vector.result == TestResult::Invalid {
                assert_eq!(opened, None, "{} {}", vector.tc_id, vector.comment);
                refused += 1;
            } else {
                assert_eq!(opened.as_deref(), Some(vector.pt.as_slice()), "{}", vector.tc_id);
                assert_eq!(key.seal(nonce, &vector.aad, &vector.pt), Some(sealed), "{}", vector.tc_id);
            }
            ran += 1;
        }
    }
    assert_eq!((set.number_of_tests, ran, refused), COUNTS);
}

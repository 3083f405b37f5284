//! Project Wycheproof's vectors, through the doors that the platforms use.
//!
//! Each test says exactly how many vectors there are and how many of them apply here, so that none is left out in
//! silence when the collection grows. Plain SHA-1 and SHA-256 have no vectors there: those stand in `nist.rs`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use webhook::{EnvelopeKey, PadBlock, mac};
use wycheproof::{TestResult, cipher, mac as macs};

/// HMAC-SHA-256: half of the vectors have tags cut to 128 bits. No platform cuts its tags, and [`mac`] compares whole
/// ones only, so to us every one of those is a wrong tag, the `valid` ones too; the rest are judged as they say.
#[test]
fn hmac_sha256() {
    let set = macs::TestSet::load(macs::TestName::HmacSha256).unwrap();
    let (mut whole, mut refused, mut cut) = (0, 0, 0);
    for group in &set.test_groups {
        for vector in &group.tests {
            let given = STANDARD.encode(&vector.tag);
            let passed = mac::check_hmac_sha256_base64(&vector.key, &vector.msg, &given).is_ok();
            if group.tag_size == 256 {
                let valid = vector.result == TestResult::Valid;
                assert_eq!(passed, valid, "{} {}", vector.tc_id, vector.comment);
                whole += 1;
                refused += usize::from(!valid);
            } else {
                assert!(!passed, "a tag of {} bits passes: {}", group.tag_size, vector.tc_id);
                cut += 1;
            }
        }
    }
    assert_eq!((set.number_of_tests, whole, refused, cut), (174, 87, 54, 87));
}

/// AES-CBC with PKCS#5 padding: the vectors of 256-bit keys, which are all that an [`EnvelopeKey`] can be.
#[test]
fn aes_256_cbc_pkcs5() {
    let set = cipher::TestSet::load(cipher::TestName::AesCbcPkcs5).unwrap();
    let (mut ran, mut refused) = (0, 0);
    for vector in set.test_groups.iter().filter(|group| group.key_size == 256).flat_map(|group| &group.tests)
    {
        let key = EnvelopeKey::new(vector.key.as_slice().try_into().unwrap());
        let iv = vector.nonce.as_slice().try_into().unwrap();
        let opened = key.open(iv, vector.ct.to_vec(), PadBlock::Sixteen).ok();
        if vector.result == TestResult::Valid {
            assert_eq!(opened.as_deref(), Some(vector.pt.as_slice()), "{}", vector.tc_id);
            let sealed = key.seal(iv, vector.pt.to_vec(), PadBlock::Sixteen);
            assert_eq!(sealed, vector.ct.as_slice(), "{}", vector.tc_id);
        } else {
            assert_eq!(opened, None, "{} {}", vector.tc_id, vector.comment);
            refused += 1;
        }
        ran += 1;
    }
    assert_eq!((set.number_of_tests, ran, refused), (216, 72, 48));
}

//! Files of certificate authorities as operators have them.

use egress::{Authority, AuthorityError};

use super::{YEARS, net::Ca};

fn subjects(file: &[u8]) -> Result<Vec<String>, AuthorityError> {
    Authority::read(file).map(|list| list.into_iter().map(|authority| authority.subject).collect())
}

#[test]
fn every_certificate_of_a_file_is_read() {
    let (a, b) = (Ca::new("Root A", YEARS), Ca::new("Root B", YEARS));
    let both = [subjects(a.pem.as_bytes()).unwrap(), subjects(b.pem.as_bytes()).unwrap()].concat();
    assert!(both[0].contains("CN=Root A") && both[1].contains("CN=Root B"), "{both:?}");
    let commented = format!("# Root A\nsubject=/CN=Root A\n{}\n\n# Root B, 2030\n{}", a.pem, b.pem);
    for file in [
        format!("{}{}", a.pem, b.pem),
        commented.clone(),
        commented.replace("\r\n", "\n").replace('\n', "\r\n"),
        format!("\u{feff}{}{}", a.pem, b.pem),
        format!("{}{}", a.pem, b.pem.trim_end()),
    ] {
        assert_eq!(subjects(file.as_bytes()).unwrap(), both, "{file:?}");
    }
    assert_eq!(subjects(&a.der).unwrap(), both[..1]);
    // A comment in another encoding than UTF-8 does no harm.
    let latin = [b"# Soci\xe9t\xe9\n", a.pem.as_bytes()].concat();
    assert_eq!(subjects(&latin).unwrap(), both[..1]);
}

#[test]
fn a_file_that_gives_no_authorities_says_why() {
    let ca = Ca::new("Root", YEARS);
    let half = ca.pem.len() / 2;
    let body = ca.pem.lines().nth(2).unwrap();
    let broken = ca.pem.replacen(body, "****", 1);
    let other = ca.pem.replacen(body, &body.to_lowercase(), 1);
    let utf16: Vec<u8> = ca.pem.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (file, error) in [
        (Vec::new(), AuthorityError::Empty),
        (b" \r\n".to_vec(), AuthorityError::Empty),
        (b"hello".to_vec(), AuthorityError::NoCertificate),
        (b"<html>Sign in</html>".to_vec(), AuthorityError::NoCertificate),
        (ca.key_pem.clone().into_bytes(), AuthorityError::PrivateKey),
        (format!("{}{}", ca.pem, ca.key_pem).into_bytes(), AuthorityError::PrivateKey),
        (
            b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n".to_vec(),
            AuthorityError::PrivateKey,
        ),
        (ca.pem.as_bytes()[..half].to_vec(), AuthorityError::CutOff),
        (format!("{}{broken}", ca.pem).into_bytes(), AuthorityError::Damaged(2)),
        (other.into_bytes(), AuthorityError::Damaged(1)),
        (ca.der[..half / 2].to_vec(), AuthorityError::Container),
        ([vec![0xff, 0xfe], utf16].concat(), AuthorityError::Utf16),
        (b"-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n".to_vec(), AuthorityError::Container),
    ] {
        let refused = Authority::read(&file).unwrap_err();
        assert_eq!(refused, error, "{}", String::from_utf8_lossy(&file));
        assert!(!refused.wanted().is_empty());
    }
}

#[test]
fn an_authority_expires_when_its_certificate_says() {
    let read = Authority::read(Ca::new("Old Root", (2001, 2011)).pem.as_bytes()).unwrap();
    assert_eq!(read[0].expires, 1_293_840_000);
    assert!(read[0].has_expired(1_293_840_001) && !read[0].has_expired(1_293_840_000));
}

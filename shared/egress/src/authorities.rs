//! Certificate authorities beside the bundled ones: those of a company's own network.

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem, pem::PemObject as _},
};
use x509_cert::{
    certificate::{CertificateInner, Raw},
    der::Decode as _,
};

/// How every private key begins, whatever its kind.
const KEY_LABEL: &str = "PRIVATE KEY-----";

/// A certificate authority whose certificates are trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// Whom it names, for example `CN=Example Root CA,O=Example Ltd`.
    pub subject: String,
    /// Until when it is valid, in seconds since the epoch. TLS does not look at this for a root: the caller must.
    pub expires: i64,
    /// Whether it is trusted anyway: files of a whole system hold most of the bundled ones too.
    pub bundled: bool,
    pub(crate) der: CertificateDer<'static>,
}

/// Why a file gives no authorities. Holds nothing of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// Nothing, or white space.
    #[error("an empty file")]
    Empty,
    /// A private key is in the file, alone or beside certificates.
    #[error("a private key (not shown)")]
    PrivateKey,
    /// Text in UTF-16, as some tools of Windows write it.
    #[error("a text in UTF-16")]
    Utf16,
    /// A container of certificates and keys.
    #[error("a PKCS #7 or PKCS #12 file")]
    Container,
    /// Neither PEM nor a certificate in DER.
    #[error("no certificate")]
    NoCertificate,
    /// A certificate that begins and does not end.
    #[error("a certificate without its end")]
    CutOff,
    /// The certificate of this number, from 1, cannot be read.
    #[error("certificate {0}, which cannot be read")]
    Damaged(usize),
}

impl AuthorityError {
    /// What would be right.
    #[must_use]
    pub const fn wanted(self) -> &'static str {
        match self {
            Self::PrivateKey => {
                "certificates only: take the key out of the file, and keep it where nobody reads it"
            }
            Self::Utf16 => "the same certificates as plain text (PEM), saved as ASCII or UTF-8",
            Self::Container => {
                "certificates in PEM: `openssl pkcs7 -print_certs` or `openssl pkcs12 -nokeys` converts them"
            }
            Self::Empty | Self::NoCertificate | Self::CutOff | Self::Damaged(_) => {
                "one or more certificates in PEM, each from `-----BEGIN CERTIFICATE-----` to \
                 `-----END CERTIFICATE-----`, or one in DER"
            }
        }
    }
}

impl Authority {
    /// Every certificate of a file: PEM with any number of them, comments and other sections between them, or one in
    /// DER. Expired ones are among them.
    ///
    /// # Errors
    ///
    /// See [`AuthorityError`]. One certificate that cannot be read spoils the file, since nobody would notice it missing.
    pub fn read(file: &[u8]) -> Result<Vec<Self>, AuthorityError> {
        let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
        if file.trim_ascii().is_empty() {
            return Err(AuthorityError::Empty);
        }
        if file.starts_with(&[0xff, 0xfe]) || file.starts_with(&[0xfe, 0xff]) {
            return Err(AuthorityError::Utf16);
        }
        if file.starts_with(&[0x30]) {
            return Self::of_der(file).map(|one| vec![one]).ok_or(AuthorityError::Container);
        }
        Self::of_pem(&String::from_utf8_lossy(file))
    }

    fn of_pem(text: &str) -> Result<Vec<Self>, AuthorityError> {
        let labels = || text.lines().filter_map(|line| line.trim().strip_prefix("-----BEGIN "));
        if labels().any(|label| label.ends_with(KEY_LABEL)) {
            return Err(AuthorityError::PrivateKey);
        }
        // OpenSSL writes a certificate with its own notes on trust under another label; only the plain one is standard.
        if labels().any(|label| label == "PKCS7-----" || label == "CMS-----") {
            return Err(AuthorityError::Container);
        }
        let mut authorities = Vec::new();
        for (index, der) in CertificateDer::pem_slice_iter(text.as_bytes()).enumerate() {
            let der = der.map_err(|error| {
                let is_cut_off = matches!(error, pem::Error::MissingSectionEnd { .. });
                if is_cut_off { AuthorityError::CutOff } else { AuthorityError::Damaged(index + 1) }
            })?;
            authorities.push(Self::of_der(&der).ok_or(AuthorityError::Damaged(index + 1))?);
        }
        if authorities.is_empty() { Err(AuthorityError::NoCertificate) } else { Ok(authorities) }
    }

    /// One certificate that TLS takes as a root.
    fn of_der(der: &[u8]) -> Option<Self> {
        // Companies have roots with serial numbers that the standard does not allow, so the raw profile reads them.
        let certificate = CertificateInner::<Raw>::from_der(der).ok()?;
        let certificate = certificate.tbs_certificate();
        let der = CertificateDer::from(der.to_vec());
        let mut store = RootCertStore::empty();
        store.add(der.clone()).ok()?;
        let root = store.roots.first()?;
        let bundled = webpki_roots::TLS_SERVER_ROOTS.iter().any(|known| {
            known.subject == root.subject && known.subject_public_key_info == root.subject_public_key_info
        });
        let expires = certificate.validity().not_after.to_unix_duration().as_secs();
        Some(Self {
            subject: certificate.subject().to_string(),
            expires: i64::try_from(expires).unwrap_or(i64::MAX),
            bundled,
            der,
        })
    }

    /// Whether it has expired at this time, in seconds since the epoch.
    #[must_use]
    pub const fn has_expired(&self, now: i64) -> bool {
        self.expires < now
    }
}

//! Which program asks.

use http::{HeaderMap, header};
use secrecy::ExposeSecret as _;
use settings::GatewayToken;
use sha2::{Digest as _, Sha256};
use subtle::{ConditionallySelectable as _, ConstantTimeEq as _};

/// The programs that may ask, each by the hash of its token.
pub(crate) struct Tokens(Vec<(String, [u8; 32])>);

impl Tokens {
    pub(crate) fn new(tokens: &[GatewayToken]) -> Self {
        let hashed = |(program, token): &GatewayToken| (program.clone(), hash(token.expose_secret()));
        Self(tokens.iter().map(hashed).collect())
    }

    /// The program whose token these headers show as `Authorization: Bearer …`.
    ///
    /// Hashes are compared, all of them and each to its end: how long it takes tells neither how much of a guess was
    /// right, nor how long a token is.
    pub(crate) fn program(&self, headers: &HeaderMap) -> Option<&str> {
        let shown = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = shown.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let shown = hash(token.trim());
        let mut found = u32::MAX;
        for (index, (_, hash)) in (0..).zip(&self.0) {
            found.conditional_assign(&index, hash.ct_eq(&shown));
        }
        self.0.get(usize::try_from(found).ok()?).map(|(program, _)| program.as_str())
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_a_whole_token_in_its_header_names_its_program() {
        let tokens = Tokens::new(&[
            ("wiki".into(), "token-of-the-wiki".into()),
            ("ci".into(), "token-of-the-ci".into()),
        ]);
        for (shown, program) in [
            ("Bearer token-of-the-wiki", Some("wiki")),
            ("bearer token-of-the-ci", Some("ci")),
            ("Bearer  token-of-the-ci ", Some("ci")),
            ("Bearer token-of-the-w", None),
            ("Bearer token-of-the-wiki2", None),
            ("Bearer ", None),
            ("Bearer", None),
            ("Basic token-of-the-wiki", None),
            ("token-of-the-wiki", None),
        ] {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(shown))]);
            assert_eq!(tokens.program(&headers), program, "{shown}");
        }
        assert_eq!(tokens.program(&HeaderMap::new()), None);
    }
}

//! Whether an event comes from Feishu: signature, decryption, token.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use platform::{RawEvent, RawRequest, Rejection, Verified, lenient::repaired};
use secrecy::ExposeSecret as _;
use webhook::{PadBlock, Proof, mac};

use crate::{
    json::{self, NotThat},
    keys::{Check, Encryption},
    wire::{Outer, Sealed, Shape},
};

/// The bytes of the initialisation vector, which begin an envelope.
const IV: usize = 16;

/// Tries every version of the keys. When none fits, the current one's reason is told.
pub(crate) fn verify(request: &RawRequest, checks: &[Check]) -> Result<Verified<RawEvent>, Rejection> {
    let mut reason = None;
    for check in checks {
        let verdict = match &check.encryption {
            Some(encryption) => sealed(request, check, encryption),
            None => plain(request, check),
        };
        match verdict {
            Ok(event) => return Ok(event),
            Err(rejection) => reason = reason.or(Some(rejection)),
        }
    }
    Err(reason.unwrap_or(Rejection::Unverified("no keys")))
}

/// Without an Encrypt Key there is only the token.
fn plain(request: &RawRequest, check: &Check) -> Result<Verified<RawEvent>, Rejection> {
    let proof = with_outer(&request.body, |outer| {
        let outer = outer.map_err(|NotThat| Rejection::Malformed("the body is no event in JSON"))?;
        if outer.is_sealed() {
            return Err(Rejection::Unverified("the event is encrypted and no encrypt_key is configured"));
        }
        token(&outer, check)
    })?;
    Ok(Verified::new(proof, event(request.body.to_vec())))
}

/// With an Encrypt Key: the signature over the raw body first, before anything in it is read, then the envelope, then
/// the token.
fn sealed(
    request: &RawRequest,
    check: &Check,
    encryption: &Encryption,
) -> Result<Verified<RawEvent>, Rejection> {
    let signed = signature(request, encryption)?;
    let json = open(&request.body, encryption)?;
    let proof = with_outer(&json, |outer| match (outer, signed) {
        (Ok(outer), Some(proof)) => token(&outer, check).map(|_| proof),
        // The console's first challenge comes without a signature. It is encrypted and carries the token, and all that
        // it gets is its own challenge back.
        (Ok(outer), None) => match (token(&outer, check)?, outer.shape()) {
            (token, Shape::Challenge(_)) => Ok(token),
            (_, Shape::Second(_) | Shape::First | Shape::Unknown) => {
                Err(Rejection::Unverified("no signature"))
            }
        },
        // Without JSON there is no token to compare, so it is not verified whole.
        (Err(NotThat), Some(_)) => Err(Rejection::Malformed("the decrypted body is no event in JSON")),
        (Err(NotThat), None) => Err(Rejection::Unverified("no signature")),
    })?;
    Ok(Verified::new(proof, event(json)))
}

/// Reads the outside of an event, repaired where it cannot be read as it is.
fn with_outer<R>(json: &[u8], read: impl FnOnce(Result<Outer<'_>, NotThat>) -> R) -> R {
    if let Ok(outer) = json::object(json) {
        return read(Ok(outer));
    }
    match repaired(json) {
        Some(json) => read(json::object(json.as_bytes())),
        None => read(Err(NotThat)),
    }
}

/// Checks the signature, if there is one. A wrong one is refused here, whatever the body may be.
fn signature(request: &RawRequest, encryption: &Encryption) -> Result<Option<Proof>, Rejection> {
    if !request.headers.contains_key("x-lark-signature") {
        return Ok(None);
    }
    let headers = (
        request.header("x-lark-signature"),
        request.header("x-lark-request-timestamp"),
        request.header("x-lark-request-nonce"),
    );
    let (Some(given), Some(timestamp), Some(nonce)) = headers else {
        return Err(Rejection::Unverified("the signature headers are not whole"));
    };
    let key = encryption.text.expose_secret();
    let parts: [&[u8]; 4] = [timestamp.as_bytes(), nonce.as_bytes(), key.as_bytes(), &request.body];
    let proof = mac::check_sha256_hex(&parts, given);
    proof.map(Some).map_err(|_| Rejection::Unverified("the signature does not match"))
}

/// Opens the envelope.
fn open(body: &[u8], encryption: &Encryption) -> Result<Vec<u8>, Rejection> {
    let cannot = Rejection::Unverified("the event cannot be decrypted");
    let mut data = envelope(body)?;
    let Some(iv) = data.first_chunk::<IV>().copied() else { return Err(cannot) };
    data.drain(..IV);
    encryption.envelope.open(iv, data, PadBlock::Sixteen).map_err(|_| cannot)
}

/// The bytes of `{"encrypt": "<Base64>"}`. A body of another form is refused: once a key is configured, leaving
/// encryption out must not be a way round the signature.
fn envelope(body: &[u8]) -> Result<Vec<u8>, Rejection> {
    // As Feishu writes it. What is Base64 from end to end holds no quotation mark, so this is what JSON would say too.
    let compact = body.strip_prefix(br#"{"encrypt":""#).and_then(|rest| rest.strip_suffix(br#""}"#));
    if let Some(data) = compact.and_then(|text| STANDARD.decode(text).ok()) {
        return Ok(data);
    }
    let sealed: Sealed<'_> =
        json::object(body).map_err(|NotThat| Rejection::Unverified("the event is not encrypted"))?;
    STANDARD
        .decode(sealed.encrypt.as_str())
        .map_err(|_| Rejection::Unverified("the envelope is not in Base64"))
}

fn token(outer: &Outer<'_>, check: &Check) -> Result<Proof, Rejection> {
    let given = outer.token().ok_or(Rejection::Unverified("no verification token"))?;
    mac::check_secret(check.token.expose_secret(), given)
        .map_err(|_| Rejection::Unverified("the verification token does not match"))
}

const fn event(json: Vec<u8>) -> RawEvent {
    RawEvent { way: "event", json }
}

//! One version of a bot's keys, parsed into what can be used.

use platform::{KeyError, Keys};
use secrecy::{ExposeSecret as _, SecretString};

use crate::push::PushKeys;

/// Longest robot code, in characters. DingTalk's have about 20; the limit keeps room in a message for its words.
const ROBOT_CODE_MAX: usize = 128;

/// One version of a bot's keys.
#[derive(Debug)]
pub(crate) struct BotKeys {
    /// Client ID, also called AppKey.
    pub(crate) client_id: String,
    /// Client Secret, also called AppSecret: signs robot messages and fetches tokens.
    pub(crate) client_secret: SecretString,
    /// Which robot of the app we are.
    pub(crate) robot_code: String,
    /// For event push, where it is used.
    pub(crate) push: Option<PushKeys>,
}

impl BotKeys {
    /// Reads one version; everything that is wrong is told.
    pub(crate) fn parse(keys: &Keys) -> Result<Self, Vec<KeyError>> {
        let mut errors = Vec::new();
        let mut field = |name: &str| keys.require(name).map_err(|error| errors.push(error)).ok();
        let (client_id, client_secret, robot_code) =
            (field("client_id"), field("client_secret"), field("robot_code"));
        let robot_code = robot_code.and_then(|code| checked(robot_code_of(&code), &mut errors));
        let owner = client_id.as_ref().map_or("", |id| id.expose_secret());
        let push = checked(push_of(keys, owner), &mut errors).flatten();
        match (client_id, client_secret, robot_code, errors.is_empty()) {
            (Some(client_id), Some(client_secret), Some(robot_code), true) => {
                Ok(Self { client_id: client_id.expose_secret().to_owned(), client_secret, robot_code, push })
            }
            _ => Err(errors),
        }
    }
}

fn checked<T>(result: Result<T, KeyError>, errors: &mut Vec<KeyError>) -> Option<T> {
    result.map_err(|error| errors.push(error)).ok()
}

fn robot_code_of(code: &SecretString) -> Result<String, KeyError> {
    let code = code.expose_secret();
    if code.len() <= ROBOT_CODE_MAX && code.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(code.to_owned());
    }
    Err(KeyError::Form { field: "robot_code", wanted: "up to 128 letters, digits and signs, without spaces" })
}

fn push_of(keys: &Keys, owner: &str) -> Result<Option<PushKeys>, KeyError> {
    match (keys.optional("token"), keys.optional("aes_key")) {
        (None, None) => Ok(None),
        (Some(token), Some(aes_key)) => PushKeys::new(token, &aes_key, owner).map(Some),
        (Some(_), None) => {
            Err(KeyError::Form { field: "aes_key", wanted: "event push needs both `token` and `aes_key`" })
        }
        (None, Some(_)) => {
            Err(KeyError::Form { field: "token", wanted: "event push needs both `token` and `aes_key`" })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AES: &str = "1234567890123456789012345678901234567890123";

    fn errors(json: &str) -> Vec<String> {
        let errors = BotKeys::parse(&Keys::from_json(json).unwrap()).map(|_| ()).unwrap_err();
        errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn all_wrong_keys_are_told_at_once() {
        let told = errors(r#"{"client_id": "", "robot_code": "a b", "aes_key": "hidden-key"}"#);
        assert_eq!(told.len(), 4, "{told:?}");
        for part in [
            "`client_id` is empty",
            "no `client_secret`",
            "`robot_code` is not right",
            "`token` is not right",
        ] {
            assert!(told.iter().any(|error| error.contains(part)), "{part}: {told:?}");
        }
        assert!(!told.concat().contains("hidden-key"));
    }

    #[test]
    fn event_push_needs_both_keys_or_neither() {
        let base = r#""client_id": "c", "client_secret": "s", "robot_code": "r""#;
        for (rest, right) in [
            (String::new(), true),
            (format!(r#", "token": "t", "aes_key": "{AES}""#), true),
            (r#", "token": "t""#.to_owned(), false),
            (format!(r#", "aes_key": "{AES}""#), false),
            (format!(r#", "token": "", "aes_key": "{AES}""#), false),
            (format!(r#", "token": "t", "aes_key": "{}""#, &AES[1..]), false),
            (format!(r#", "token": "t", "aes_key": "{AES}4""#), false),
            (format!(r#", "token": "t", "aes_key": "!{}""#, &AES[1..]), false),
        ] {
            let keys = Keys::from_json(&format!("{{{base}{rest}}}")).unwrap();
            assert_eq!(BotKeys::parse(&keys).is_ok(), right, "{rest}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let json = format!(
            r#"{{"client_id": "c", "client_secret": "hidden-1", "robot_code": "r", "token": "hidden-2", "aes_key": "{AES}"}}"#
        );
        let shown = format!("{:?}", BotKeys::parse(&Keys::from_json(&json).unwrap()).unwrap());
        assert!(!shown.contains("hidden") && !shown.contains(AES), "{shown}");
    }
}

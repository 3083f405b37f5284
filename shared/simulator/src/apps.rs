//! The apps, as their developers would have configured them in the platform's console.

/// An app on the pretend Feishu. Has no `Debug`: most of its fields are secrets.
#[derive(Clone)]
pub struct FeishuApp {
    /// `cli_…`.
    pub app_id: String,
    /// What the app proves itself with when it asks for a token.
    pub app_secret: String,
    /// The text that every push carries.
    pub verification_token: String,
    /// Pushes are encrypted and signed when this is there.
    pub encrypt_key: Option<String>,
    /// The name that people see and mention.
    pub name: String,
}

/// An app robot on the pretend DingTalk. Has no `Debug`: most of its fields are secrets.
#[derive(Clone)]
pub struct DingTalkApp {
    /// Client ID, also called AppKey; the owner key of encrypted pushes.
    pub client_id: String,
    /// Client Secret, also called AppSecret; signs robot messages.
    pub client_secret: String,
    /// Which robot sends.
    pub robot_code: String,
    /// Token of the event subscription.
    pub token: Option<String>,
    /// Key of the event subscription: 43 characters.
    pub aes_key: Option<String>,
    /// The name that people see and mention.
    pub name: String,
}

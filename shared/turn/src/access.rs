//! Access tokens and the bot's identity, shared by all instances.
//!
//! A token is looked for in this process, then in the store that all instances share, and only then asked from the
//! platform; a fresh one goes the other way. The platforms hand the same token to everybody who asks, so two
//! instances that renew at once do no harm.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chat::{BotId, Clock, PlatformId, Timestamp, UserId};
use platform::{AccessToken, TokenError};
use secrecy::ExposeSecret as _;
use settings::Bot;
use store::{SealedToken, StoreError, TokenSlot, Tokens};
use tokio::sync::Mutex;
use transport::{Limits, NetError, OutRequest, OutResponse, Transport};
use vault::Vault;

/// How long before its end a token is renewed. Feishu hands out a new one in the last 30 minutes of two hours only, and
/// both stay good; ten minutes outlast any turn that starts with the old one.
pub const RENEW_EARLY: Duration = Duration::from_secs(600);

/// How long an identity is believed. It belongs to the app and changes only when a bot's keys name another app.
const IDENTITY_LIFETIME: Duration = Duration::from_secs(86_400);

/// What a token or identity call may take. The answers are below 1 KB.
const LIMITS: Limits = Limits { total: Duration::from_secs(10), bytes: 64 * 1024 };

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The platform was asked and gave none.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The platform could not be asked.
    #[error("the platform's API did not answer: {0}")]
    Net(#[from] NetError),
    /// The shared store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AccessError {
    /// Whether only an operator can mend it.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Token(TokenError::Refused(_)))
    }
}

type Slot = (PlatformId, BotId, TokenSlot);

/// Finds, fetches and shares tokens.
pub struct Access {
    tokens: Arc<dyn Tokens>,
    transport: Arc<dyn Transport>,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    cache: Mutex<BTreeMap<Slot, Held>>,
}

/// A value in this process.
#[derive(Clone)]
struct Held {
    value: AccessToken,
    ends_at: Timestamp,
}

impl Access {
    /// Access through these ports.
    #[must_use]
    pub fn new(
        tokens: Arc<dyn Tokens>,
        transport: Arc<dyn Transport>,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { tokens, transport, vault, clock, cache: Mutex::default() }
    }

    /// A token that is good for at least [`RENEW_EARLY`].
    ///
    /// # Errors
    ///
    /// [`AccessError`].
    pub async fn token(&self, bot: &Bot) -> Result<AccessToken, AccessError> {
        let slot = slot(bot, TokenSlot::Access);
        if let Some(held) = self.held(&slot).await? {
            return Ok(held.value);
        }
        self.fetch_token(bot, slot).await
    }

    /// Another token than `refused`, which the platform no longer takes: the shared one if somebody renewed it
    /// already, else a fresh one.
    ///
    /// # Errors
    ///
    /// [`AccessError`].
    pub async fn renewed(&self, bot: &Bot, refused: &AccessToken) -> Result<AccessToken, AccessError> {
        // Planted: the refused token is offered again.
        if cfg!(planted = "token_not_renewed") {
            return Ok(refused.clone());
        }
        let slot = slot(bot, TokenSlot::Access);
        self.cache.lock().await.remove(&slot);
        match self.held(&slot).await? {
            Some(held) if held.value.0.expose_secret() != refused.0.expose_secret() => Ok(held.value),
            _ => self.fetch_token(bot, slot).await,
        }
    }

    /// The bot's own id on the platform; `None` where the platform needs none.
    ///
    /// # Errors
    ///
    /// [`AccessError`].
    pub async fn identity(&self, bot: &Bot) -> Result<Option<UserId>, AccessError> {
        let slot = slot(bot, TokenSlot::Identity);
        if let Some(held) = self.held(&slot).await? {
            return Ok(UserId::parse(held.value.0.expose_secret()).ok());
        }
        let token = self.token(bot).await?;
        let Some(request) = bot.platform.identity_request(&token) else { return Ok(None) };
        let mut answer = self.call(request).await?;
        if bot.platform.identity_answer(&answer).is_err() {
            // The token may have ended early; with a fresh one the second answer counts.
            let token = self.renewed(bot, &token).await?;
            let Some(request) = bot.platform.identity_request(&token) else { return Ok(None) };
            answer = self.call(request).await?;
        }
        let id = bot.platform.identity_answer(&answer)?;
        self.share(&slot, AccessToken(id.as_str().to_owned().into()), IDENTITY_LIFETIME + RENEW_EARLY).await;
        Ok(Some(id))
    }

    async fn fetch_token(&self, bot: &Bot, slot: Slot) -> Result<AccessToken, AccessError> {
        let answer = self.call(bot.platform.token_request()).await?;
        let fresh = bot.platform.token_answer(&answer)?;
        self.share(&slot, fresh.token.clone(), fresh.lifetime).await;
        Ok(fresh.token)
    }

    async fn call(&self, request: OutRequest) -> Result<OutResponse, NetError> {
        self.transport.call(request, LIMITS).await
    }

    /// The value in this process or in the store, if it is good for a while yet.
    async fn held(&self, slot: &Slot) -> Result<Option<Held>, StoreError> {
        let soon = self.clock.now().plus(RENEW_EARLY);
        if let Some(held) = self.cache.lock().await.get(slot).filter(|held| held.ends_at > soon) {
            return Ok(Some(held.clone()));
        }
        let Some(shared) = self.tokens.token(&slot.0, &slot.1, slot.2).await? else { return Ok(None) };
        let Some(value) = self.open(slot, &shared).filter(|_| shared.ends_at > soon) else { return Ok(None) };
        let held = Held { value, ends_at: shared.ends_at };
        self.cache.lock().await.insert(slot.clone(), held.clone());
        Ok(Some(held))
    }

    /// One that cannot be opened (its key was retired) is as good as none.
    fn open(&self, slot: &Slot, shared: &SealedToken) -> Option<AccessToken> {
        let plain = self.vault.open(&context(slot), &shared.sealed).ok()?;
        String::from_utf8(plain).ok().map(|text| AccessToken(text.into()))
    }

    /// Keeps a value here and shares it. Sharing may fail: the others then fetch one of their own.
    async fn share(&self, slot: &Slot, value: AccessToken, lifetime: Duration) {
        let ends_at = self.clock.now().plus(lifetime);
        let sealed = self.vault.seal(&context(slot), value.0.expose_secret().as_bytes());
        self.cache.lock().await.insert(slot.clone(), Held { value, ends_at });
        let shared = SealedToken { sealed, ends_at };
        if let Err(error) = self.tokens.put_token(&slot.0, &slot.1, slot.2, shared).await {
            tracing::warn!(%error, bot = slot.1.as_str(), "a fresh token could not be shared");
        }
    }
}

fn slot(bot: &Bot, slot: TokenSlot) -> Slot {
    (bot.settings.platform.clone(), bot.settings.bot.clone(), slot)
}

/// Slugs hold no slash, so joining them is unambiguous.
fn context(slot: &Slot) -> Vec<u8> {
    format!("token/{}/{}/{}", slot.0, slot.1, slot.2.as_str()).into_bytes()
}

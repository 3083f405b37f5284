//! The platforms that this process speaks.

use platform::Kind;

/// How each is bound to a bot's keys.
pub(crate) const KINDS: [Kind; 2] = [feishu::KIND, dingtalk::KIND];

/// Their names, as a configuration may hold them.
pub(crate) const PLATFORMS: [&str; 2] = [feishu::KIND.name, dingtalk::KIND.name];

//! Words that steer the bot and never reach a model.

/// What a person can tell the bot to do. Understood in Chinese and in English, alone in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Forget what was said and begin anew: `/new`, `新会话`.
    New,
    /// End what is in work, without its answer: `stop`, `停止`.
    Stop,
    /// Say what the bot can do: `/help`, `帮助`.
    Help,
}

impl Command {
    /// Whether it ends what is in work, which it must do past the queue: it would wait there behind just that.
    #[must_use]
    pub const fn interrupts(self) -> bool {
        match self {
            Self::New | Self::Stop => true,
            Self::Help => false,
        }
    }

    /// The command that `text` is, if it is one. Case, surrounding space and a full-width slash do not matter; any
    /// further word makes it an ordinary message.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let word = text.trim().to_lowercase().replace('／', "/");
        match word.as_str() {
            "/new" | "/新会话" | "新会话" => Some(Self::New),
            "stop" | "/stop" | "停止" | "/停止" => Some(Self::Stop),
            "/help" | "/帮助" | "帮助" => Some(Self::Help),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_stand_alone_in_both_languages() {
        for text in ["/new", " /NEW ", "／new", "新会话", "/新会话"] {
            assert_eq!(Command::parse(text), Some(Command::New), "{text:?}");
        }
        for text in ["stop", "Stop", "/stop", "停止", "／停止"] {
            assert_eq!(Command::parse(text), Some(Command::Stop), "{text:?}");
        }
        for text in ["/help", "帮助", "/帮助"] {
            assert_eq!(Command::parse(text), Some(Command::Help), "{text:?}");
        }
        for text in ["", "new", "/new idea", "请帮助我", "/newer", "stop it", "请停止"] {
            assert_eq!(Command::parse(text), None, "{text:?}");
        }
    }
}

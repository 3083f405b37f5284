//! Words that steer the bot and never reach a model.

use crate::mention::is_separator;

/// What a person can tell the bot to do. Understood in Chinese and in English, alone in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Forget what was said and begin anew: `/new`, `新会话`.
    New,
    /// End what is in work, without its answer: `stop`, `停止`.
    Stop,
    /// Say what the bot can do: `/help`, `帮助`.
    Help,
    /// Say which models there are, or have this one answer from now on: `/model`, `/model qwen3-32b`, `/模型`.
    Model(Option<String>),
}

impl Command {
    /// Whether it ends what is in work, which it must do past the queue: it would wait there behind just that.
    #[must_use]
    pub const fn interrupts(&self) -> bool {
        match self {
            Self::New | Self::Stop => true,
            Self::Help | Self::Model(_) => false,
        }
    }

    /// The command that `text` is, if it is one. Case, surrounding space (also of no width) and a full-width slash do not matter; any
    /// further word makes it an ordinary message, except for the one word that may follow `/model`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_blank = |c: char| c.is_whitespace() || is_separator(c);
        let word = text.trim_matches(is_blank).to_lowercase().replace('／', "/");
        if let Some(rest) = ["/model", "/模型"].iter().find_map(|name| word.strip_prefix(name)) {
            return Self::model(rest);
        }
        match word.as_str() {
            "/new" | "/新会话" | "新会话" => Some(Self::New),
            "stop" | "/stop" | "停止" | "/停止" => Some(Self::Stop),
            "/help" | "/帮助" | "帮助" => Some(Self::Help),
            _ => None,
        }
    }

    /// What follows `/model`: nothing, or a space and a name. `/models` is no command.
    fn model(rest: &str) -> Option<Self> {
        let name = rest.trim();
        let one_word =
            rest.is_empty() || (rest.starts_with(char::is_whitespace) && !name.contains(char::is_whitespace));
        one_word.then(|| Self::Model((!name.is_empty()).then(|| name.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_stand_alone_in_both_languages() {
        for text in ["/new", " /NEW ", "／new", "\u{200b}／new\u{2005}\u{feff}", "新会话", "/新会话"]
        {
            assert_eq!(Command::parse(text), Some(Command::New), "{text:?}");
        }
        for text in ["stop", "Stop", "/stop", "停止", "／停止"] {
            assert_eq!(Command::parse(text), Some(Command::Stop), "{text:?}");
        }
        for text in ["/help", "帮助", "/帮助"] {
            assert_eq!(Command::parse(text), Some(Command::Help), "{text:?}");
        }
        for text in ["/model", " /MODEL ", "／模型", "/model\t"] {
            assert_eq!(Command::parse(text), Some(Command::Model(None)), "{text:?}");
        }
        for text in ["/model Qwen3-32B", "/模型  qwen3-32b "] {
            assert_eq!(Command::parse(text), Some(Command::Model(Some("qwen3-32b".into()))), "{text:?}");
        }
        for text in [
            "",
            "/models",
            "/model a b",
            "/modelqwen",
            "model",
            "new",
            "/new idea",
            "请帮助我",
            "/newer",
            "stop it",
            "请停止",
        ] {
            assert_eq!(Command::parse(text), None, "{text:?}");
        }
    }
}

//! From a program's request to a question for the router.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chat::{AttachmentKind, BotId, ChatId, Conversation, PlatformId, UserId};
use routing::{Context, Line, Picture, Prompt, Sampling};

use super::{
    refusal::Refusal,
    request::{Content, Message, Part, Request, Role},
};

/// The names that leave the choice of the model to the route.
pub(crate) const AUTO: [&str; 2] = ["auto", "magpie"];

/// Between the parts of one text.
const BETWEEN_PARTS: &str = "\n";

/// Between several instructions, of which a prompt has only one.
const BETWEEN_INSTRUCTIONS: &str = "\n\n";

/// A question for the router, and how its answer is wanted.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) prompt: Prompt,
    pub(crate) context: Context,
    pub(crate) stream: bool,
    pub(crate) include_usage: bool,
}

impl Question {
    /// What this program asks.
    pub(crate) fn new(request: Request, program: &str) -> Result<Self, Refusal> {
        let sampling = sampling(&request)?;
        let context = context(&request, program);
        let mut prompt =
            Prompt { lines: Vec::with_capacity(request.messages.len()), sampling, ..Prompt::default() };
        for message in request.messages {
            add(&mut prompt, message)?;
        }
        if prompt.lines.is_empty() {
            let message = "`messages` must hold at least one message of the role `user`.";
            return Err(Refusal::bad("invalid_value", Some("messages"), message));
        }
        let pictures = prompt.lines.iter().any(|line| !line.pictures.is_empty());
        let attachments = if pictures { vec![AttachmentKind::Picture] } else { Vec::new() };
        let context = Context { attachments, ..context };
        Ok(Self { prompt, context, stream: request.stream, include_usage: request.include_usage })
    }
}

fn sampling(request: &Request) -> Result<Sampling, Refusal> {
    let within = |key: &'static str, value: Option<f64>, most: f64| match value {
        Some(value) if !(0.0..=most).contains(&value) => {
            let message = format!("`{key}` must be a number from 0 to {most}.");
            Err(Refusal::bad("invalid_value", Some(key), message))
        }
        value => Ok(value),
    };
    if request.max_tokens == Some(0) {
        let message = "`max_tokens` must be a whole number from 1.";
        return Err(Refusal::bad("invalid_value", Some("max_tokens"), message));
    }
    if request.stop.iter().any(String::is_empty) {
        return Err(Refusal::bad("invalid_value", Some("stop"), "A text in `stop` must not be empty."));
    }
    Ok(Sampling {
        temperature: within("temperature", request.temperature, 2.0)?,
        top_p: within("top_p", request.top_p, 1.0)?,
        max_tokens: request.max_tokens,
        stop: request.stop.clone(),
    })
}

/// Rules know a program as the user `program:NAME`. What the program says belongs together stays with one endpoint, where
/// the balance goes by affinity.
fn context(request: &Request, program: &str) -> Context {
    let model = request.model.as_deref().map(str::trim).filter(|model| !model.is_empty());
    let together = request.cache_key.as_ref().or(request.user.as_ref());
    Context {
        user: UserId::parse(format!("program:{program}")).ok(),
        conversation: together.and_then(|chat| conversation(program, chat)).map(|c| c.key()),
        model: model.filter(|model| !AUTO.contains(model)).map(str::to_owned),
        ..Context::default()
    }
}

fn conversation(program: &str, chat: &str) -> Option<Conversation> {
    Some(Conversation {
        platform: PlatformId::parse("gateway").ok()?,
        bot: BotId::parse(program).ok()?,
        chat: ChatId::parse(chat).ok()?,
        thread: None,
        user: None,
    })
}

fn add(prompt: &mut Prompt, message: Message) -> Result<(), Refusal> {
    let Message { role, content, .. } = message;
    let (text, pictures) = read(content)?;
    if role != Role::User && !pictures.is_empty() {
        let message = "Pictures are taken in messages of the role `user` only.";
        return Err(Refusal::bad("unsupported_content", Some("messages"), message));
    }
    match role {
        Role::System | Role::Developer => {
            let system = prompt.system.get_or_insert_default();
            if !system.is_empty() {
                system.push_str(BETWEEN_INSTRUCTIONS);
            }
            system.push_str(&text);
        }
        Role::User => prompt.lines.push(Line { pictures, ..Line::user(text) }),
        Role::Assistant => prompt.lines.push(Line::assistant(text)),
        Role::Tool | Role::Function => {
            let message = "Messages of the roles `tool` and `function` cannot be honoured here.";
            return Err(Refusal::bad("unsupported_content", Some("messages"), message));
        }
    }
    Ok(())
}

fn read(content: Content) -> Result<(String, Vec<Picture>), Refusal> {
    let parts = match content {
        Content::Nothing => return Ok((String::new(), Vec::new())),
        Content::Text(text) => return Ok((text, Vec::new())),
        Content::Parts(parts) => parts,
    };
    let (mut text, mut pictures) = (String::new(), Vec::new());
    for part in parts {
        match part {
            Part { kind, text: Some(more), .. } if kind == "text" => {
                if !text.is_empty() {
                    text.push_str(BETWEEN_PARTS);
                }
                text.push_str(&more);
            }
            Part { kind, image_url: Some(image), .. } if kind == "image_url" => {
                pictures.push(picture(&image.url)?);
            }
            Part { .. } => {
                let message = "Only parts of the types `text` and `image_url` can be honoured here.";
                return Err(Refusal::bad("unsupported_content", Some("messages"), message));
            }
        }
    }
    Ok((text, pictures))
}

/// A picture that is whole in its URL.
fn picture(url: &str) -> Result<Picture, Refusal> {
    let Some(data) = url.strip_prefix("data:") else {
        let message = "A picture must be whole in its URL, as `data:image/png;base64,…`: nothing is fetched for a caller.";
        return Err(Refusal::bad("unsupported_image_url", Some("messages"), message));
    };
    let parts = data.split_once(',').and_then(|(kind, data)| Some((kind.strip_suffix(";base64")?, data)));
    let decoded = parts.and_then(|(kind, data)| {
        let media_type = kind.split(';').next().filter(|kind| kind.starts_with("image/"))?;
        Some(Picture { media_type: media_type.to_owned(), data: STANDARD.decode(data).ok()?.into() })
    });
    decoded.ok_or_else(|| {
        let message = "A picture's URL must be `data:image/…;base64,` and the picture in Base64.";
        Refusal::bad("invalid_image_url", Some("messages"), message)
    })
}

#[cfg(test)]
mod tests;

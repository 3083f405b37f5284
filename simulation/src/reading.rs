//! What a text speaks of.

/// Which questions a prompt speaks of: every `q1.2` in it.
pub(crate) fn tags(text: &str) -> Vec<(usize, usize)> {
    let mut tags = Vec::new();
    for rest in text.split(" q").skip(1) {
        let (room, rest) = number(rest);
        if let (Some(room), Some(rest)) = (room, rest.strip_prefix('.'))
            && let (Some(saying), _) = number(rest)
        {
            tags.push((room, saying));
        }
    }
    tags
}

/// Which parts of which answer a text holds; one that holds none is a notice, and a whole one.
pub(crate) fn parts(text: &str, own: &str) -> Vec<(u32, u32)> {
    let mut parts = Vec::new();
    for rest in text.split("part").skip(1) {
        let (part, rest) = number(rest);
        let Some(rest) = rest.strip_prefix(" of q").and_then(|rest| rest.strip_prefix(own)) else { continue };
        if let (Some(part), Some(rest)) = (part, rest.strip_prefix(" #"))
            && let (Some(answer), _) = number(rest)
        {
            // Numbers below a thousand.
            parts.push((u32::try_from(part).unwrap_or(0), u32::try_from(answer).unwrap_or(0)));
        }
    }
    if parts.is_empty() { vec![(0, 0)] } else { parts }
}

fn number(text: &str) -> (Option<usize>, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    (digits.parse().ok(), rest)
}

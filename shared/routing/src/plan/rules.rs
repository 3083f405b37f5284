//! What the rules say of a question.

use super::question::{Extent, Question};
use crate::{Rule, Strategy, When};

/// What all rules that hold say together.
#[derive(Debug, Default)]
pub(super) struct Said<'r> {
    /// The first rule that forbids the cloud.
    pub(super) ban: Option<&'r str>,
    /// The strategy of the first rule that names one.
    pub(super) strategy: Option<Strategy>,
    /// The first rule that names endpoints, and its endpoints.
    pub(super) only: Option<(&'r str, &'r [String])>,
    /// The names of those that hold.
    pub(super) held: Vec<&'r str>,
}

/// Hears all rules. Whether the cloud is forbidden is decided by all that would be sent there, which includes what was
/// said before; everything else by the line to answer, so that one word does not steer a conversation for ever.
pub(super) fn hear<'r>(rules: &'r [Rule], question: &Question<'_>) -> Said<'r> {
    let mut said = Said::default();
    for rule in rules {
        let (then, name) = (&rule.then, rule.name.as_str());
        let bans = then.local_only && holds(&rule.when, question, Extent::Whole);
        let steers = then.strategy.is_some() || !then.endpoints.is_empty() || !then.local_only;
        let steers = steers && holds(&rule.when, question, Extent::LastLine);
        if bans {
            said.ban = said.ban.or(Some(name));
        }
        if steers {
            said.strategy = said.strategy.or(then.strategy);
            if !then.endpoints.is_empty() {
                said.only = said.only.or(Some((name, &then.endpoints)));
            }
        }
        if bans || steers {
            said.held.push(name);
        }
    }
    said
}

/// Whether all conditions hold, the cheap ones looked at first.
fn holds(when: &When, question: &Question<'_>, extent: Extent) -> bool {
    let context = question.context;
    one_of(&when.bots, context.bot.as_ref())
        && when.chat.is_none_or(|chat| context.chat == Some(chat))
        && one_of(&when.users, context.user.as_ref())
        && any(&when.attachments, |&kind| question.came_with(kind, extent))
        && when.longer_than.is_none_or(|tokens| question.is_longer_than(tokens))
        && when.shorter_than.is_none_or(|tokens| question.tokens() < tokens)
        && any(&when.words, |word| question.folded(extent).iter().any(|line| line.contains(word.as_str())))
        && when.pattern.as_ref().is_none_or(|pattern| {
            let mut texts = question.texts(extent);
            texts.any(|text| pattern.occurs_in(text))
        })
}

/// An empty list asks nothing; what is not known is in no list.
fn one_of<T: PartialEq>(list: &[T], known: Option<&T>) -> bool {
    list.is_empty() || known.is_some_and(|known| list.contains(known))
}

fn any<T>(list: &[T], holds: impl FnMut(&T) -> bool) -> bool {
    list.is_empty() || list.iter().any(holds)
}

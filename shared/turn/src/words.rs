//! What the bot itself says, in Chinese and English.

use chat::{AttachmentKind, Language};
use routing::NoAnswerReason;

/// The answer to `/help`, and to a message without words.
#[must_use]
pub const fn help(language: Language) -> &'static str {
    match language {
        Language::Zh => {
            "你好！直接写下问题，我会回答；在群里请 @我。\n\n- `/new` 或「新会话」：忘掉之前的内容，重新开始\n- `stop` 或「停止」：不再回答正在处理的问题\n- `/model`：看看能用哪些模型，换一个来回答\n- `/help` 或「帮助」：显示这段说明"
        }
        Language::En => {
            "Hello! Write your question and I will answer; in a group, mention me.\n\n- `/new`: forget what was said and begin anew\n- `stop`: end the answer in work\n- `/model`: see which models there are, and choose one\n- `/help`: show this"
        }
    }
}

/// The answer to `/model` where people may not choose.
#[must_use]
pub const fn no_models(language: Language) -> &'static str {
    match language {
        Language::Zh => "这个机器人由系统选择模型，不需要手动切换。",
        Language::En => "This bot's models are chosen for you; there is nothing to switch.",
    }
}

/// The answer to `/model`: what may be chosen, and what is.
#[must_use]
pub fn models(offered: &[&str], chosen: Option<&str>, language: Language) -> String {
    let (now, auto, how) = match language {
        Language::Zh => (
            "当前",
            "自动选择",
            "发送 `/model 名称` 或 `/model 序号` 切换，发送 `/model auto` 恢复自动选择。",
        ),
        Language::En => (
            "in use",
            "chosen for you",
            "Send `/model NAME` or `/model NUMBER` to switch, `/model auto` to have it chosen for you.",
        ),
    };
    let mut text = list(offered, |name| (Some(name) == chosen).then_some(now));
    if chosen.is_none() {
        text = format!("{now}: {auto}\n\n{text}");
    }
    format!("{text}\n{how}")
}

/// The answer to `/model NAME` for a model that may not be chosen or is not there.
#[must_use]
pub fn unknown_model(offered: &[&str], language: Language) -> String {
    let head = match language {
        Language::Zh => "没有这个模型。可以选择：",
        Language::En => "There is no such model. You can choose among:",
    };
    format!("{head}\n\n{}", list(offered, |_| None))
}

/// The answer to a `/model` that chose.
#[must_use]
pub fn chosen(model: Option<&str>, language: Language) -> String {
    match (language, model) {
        (Language::Zh, Some(model)) => format!("好的，这个会话之后优先由 `{model}` 回答。"),
        (Language::Zh, None) => "好的，这个会话之后由系统选择模型。".to_owned(),
        (Language::En, Some(model)) => {
            format!("All right, from now on `{model}` is asked first in this conversation.")
        }
        (Language::En, None) => "All right, models are chosen for you again in this conversation.".to_owned(),
    }
}

/// A numbered list of names, each with a remark if there is one.
fn list<'a>(names: &[&'a str], remark: impl Fn(&'a str) -> Option<&'static str>) -> String {
    let line = |(number, name): (usize, &&'a str)| match remark(name) {
        Some(remark) => format!("{}. `{name}` ({remark})\n", number + 1),
        None => format!("{}. `{name}`\n", number + 1),
    };
    names.iter().enumerate().map(line).collect()
}

/// The answer to `/new`.
#[must_use]
pub const fn begun_anew(language: Language) -> &'static str {
    match language {
        Language::Zh => "已开始新会话，之前的内容不再参与回答。",
        Language::En => "A new conversation has begun; what was said before no longer counts.",
    }
}

/// The answer to `stop`.
#[must_use]
pub const fn stopping(language: Language) -> &'static str {
    match language {
        Language::Zh => "好的，没有正在回答的问题了。",
        Language::En => "All right, nothing is being answered any more.",
    }
}

/// The reply to a question that its asker stopped before there was an answer.
#[must_use]
pub const fn stopped(language: Language) -> &'static str {
    match language {
        Language::Zh => "已停止，这个问题不再回答。",
        Language::En => "Stopped; this question will not be answered.",
    }
}

/// The answer to a message that holds something we cannot read and no words.
#[must_use]
pub const fn cannot_read(kind: AttachmentKind, language: Language) -> &'static str {
    match (language, kind) {
        (Language::Zh, AttachmentKind::Picture) => "我还看不了图片，请用文字描述一下你的问题。",
        (Language::Zh, AttachmentKind::Voice) => "我还听不了语音，请用文字写下你的问题。",
        (Language::Zh, AttachmentKind::Video) => "我还看不了视频，请用文字描述一下你的问题。",
        (Language::Zh, AttachmentKind::File) => "我还打不开文件，请把相关内容贴成文字发给我。",
        (Language::Zh, AttachmentKind::Other) => "这类消息我还读不懂，请用文字写下你的问题。",
        (Language::En, AttachmentKind::Picture) => {
            "I cannot see pictures yet. Please put your question into words."
        }
        (Language::En, AttachmentKind::Voice) => {
            "I cannot hear voice messages yet. Please write your question."
        }
        (Language::En, AttachmentKind::Video) => {
            "I cannot watch videos yet. Please put your question into words."
        }
        (Language::En, AttachmentKind::File) => {
            "I cannot open files yet. Please paste the text that matters."
        }
        (Language::En, AttachmentKind::Other) => {
            "I cannot read this kind of message yet. Please write your question."
        }
    }
}

/// What stands behind an answer that the turn's time cut off.
#[must_use]
pub const fn cut_off(language: Language) -> &'static str {
    match language {
        Language::Zh => "*（时间到了，回答没有写完。发送「继续」可以接着写。）*",
        Language::En => {
            "*(The time limit was reached and this answer is incomplete. Send \"continue\" for the rest.)*"
        }
    }
}

/// What stands in place of an answer that the turn's time cut off before its first word.
#[must_use]
pub const fn only_reasoned(language: Language) -> &'static str {
    match language {
        Language::Zh => {
            "模型到时间上限还在思考，没来得及写出回答。请把问题拆小或写得更具体一些，也可以用 `/model` 换一个模型再问。"
        }
        Language::En => {
            "The model was still reasoning when the time limit was reached, so there is no answer. Please ask a smaller or more specific question, or choose another model with `/model`."
        }
    }
}

/// The reply where the model used all its tokens for reasoning and came to no answer.
#[must_use]
pub const fn spent_on_reasoning(language: Language) -> &'static str {
    match language {
        Language::Zh => {
            "模型把可用的 token 都花在了思考上，还没来得及写出答案。请把问题问得更具体一些，或拆成几个小问题再问；管理员可以调大该模型端点的 `max_tokens`。"
        }
        Language::En => {
            "The model used all its tokens for reasoning before it wrote an answer. Ask a narrower question, or split it into parts; an administrator can raise `max_tokens` of the model's endpoint."
        }
    }
}

/// What is sent in place of an answer whose content the platform refuses.
#[must_use]
pub const fn content_refused(language: Language) -> &'static str {
    match language {
        Language::Zh => "这里的回答没有通过平台的内容审核，无法显示。请换个问法，或联系管理员。",
        Language::En => {
            "The platform's content check did not let this answer through, so it cannot be shown. Please ask in another way, or contact your administrator."
        }
    }
}

/// The apology when a message used up its tries for whatever cause.
#[must_use]
pub const fn gave_up(language: Language) -> &'static str {
    match language {
        Language::Zh => "抱歉，这个问题试了几次都没能处理完，管理员会看到它。如果着急，请过几分钟再问一次。",
        Language::En => {
            "Sorry, this question could not be dealt with after several tries; an administrator will see it. If it is urgent, please ask again in a few minutes."
        }
    }
}

/// The reply to a question that is too long for every model by itself; `most` is about how many tokens it may have, as
/// [`routing::estimate_tokens`] counts them: one for each Chinese character, four for three English words.
#[must_use]
pub fn question_too_long(most: Option<u32>, language: Language) -> String {
    let (long, about, please) = match language {
        Language::Zh => (
            "这条消息本身太长，超过了模型一次能读的长度，和之前的对话无关。",
            most.map(|most| format!("大约不要超过 {} 个汉字。", rounded(most))),
            "请精简一下，或分成几条发送。",
        ),
        Language::En => (
            "This message alone is longer than the model can read at once, whatever was said before. ",
            most.map(|most| format!("It can read about {} words. ", rounded(most.saturating_mul(3) / 4))),
            "Please shorten it, or send it in several messages.",
        ),
    };
    [long, about.as_deref().unwrap_or_default(), please].concat()
}

/// Down to a number with two figures that say something.
fn rounded(number: u32) -> u32 {
    let unit = 10_u32.pow(number.checked_ilog10().unwrap_or_default().saturating_sub(1));
    number / unit * unit
}

/// The apology when no model answered. Says what to do, and nothing about our insides.
#[must_use]
pub const fn apology(reason: NoAnswerReason, language: Language) -> &'static str {
    match (language, reason) {
        (Language::Zh, NoAnswerReason::NoModel) => {
            "抱歉，还没有连接任何模型，这个问题没能得到回答。请告诉管理员：启动模型服务，或在配置中加入 `[endpoints.名称]`；Magpie 的日志里有说明。"
        }
        (Language::En, NoAnswerReason::NoModel) => {
            "Sorry, no model is connected, so your question got no answer. Please tell your administrator: start a model server, or configure `[endpoints.NAME]`; Magpie's log explains how."
        }
        (Language::Zh, NoAnswerReason::NoEndpoint | NoAnswerReason::AllFailed) => {
            "抱歉，模型暂时都联系不上，这个问题没能得到回答。请过几分钟再问一次；如果一直这样，请告诉管理员。"
        }
        (Language::Zh, NoAnswerReason::OutOfTime) => {
            "抱歉，模型没有在规定时间内答完。请把问题缩短一些，或过几分钟再试。"
        }
        (Language::Zh, NoAnswerReason::Refused) => {
            "抱歉，模型没有接受这个问题：可能涉及不能回答的内容。请换个说法，或发送 `/new` 重新开始。"
        }
        (Language::Zh, NoAnswerReason::OverBudget) => {
            "抱歉，这段时间的模型费用额度已经用完，这个问题没能得到回答。请联系管理员，或等额度恢复后再问。"
        }
        (Language::En, NoAnswerReason::OverBudget) => {
            "Sorry, what may be spent on models has been used up, so your question got no answer. Please tell your administrator, or ask again once there is a new allowance."
        }
        (Language::En, NoAnswerReason::NoEndpoint | NoAnswerReason::AllFailed) => {
            "Sorry, no model can be reached right now, so your question got no answer. Please ask again in a few minutes; if this goes on, tell your administrator."
        }
        (Language::En, NoAnswerReason::OutOfTime) => {
            "Sorry, the model did not finish in time. Please shorten your question, or try again in a few minutes."
        }
        (Language::En, NoAnswerReason::Refused) => {
            "Sorry, the model did not take this question: it may be about something it must not answer. Please put it differently, or send `/new` to begin anew."
        }
    }
}

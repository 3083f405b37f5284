use std::sync::Arc;

use chat::{BotId, ChatId, Conversation, Entropy, EventId, PlatformId, Timestamp};
use store::ExchangeKind;
use vault::DataKey;

use super::*;

struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

fn vault() -> Vault {
    let key = DataKey::from_base64("k", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
    Vault::new(vec![key], Arc::new(Fixed)).unwrap()
}

fn conversation() -> Conversation {
    Conversation {
        platform: PlatformId::parse("feishu").unwrap(),
        bot: BotId::parse("bot").unwrap(),
        chat: ChatId::parse("chat").unwrap(),
        thread: None,
        user: None,
    }
}

fn turn() -> TurnKey {
    TurnKey::new(&conversation(), &EventId::parse("event").unwrap())
}

fn content(parked: Option<ParkReason>) -> Content {
    Content {
        question: "请问流程？".to_owned(),
        reply: "先填\"申请\"，\n再等审批。".to_owned(),
        parked,
        cause: None,
        left_to: None,
    }
}

fn exchange(sealed: Vec<u8>) -> Exchange {
    let (at, kind) = (Timestamp::from_millis(1), ExchangeKind::Answer);
    Exchange { turn: turn(), at, kind, sealed, keep_until: at }
}

fn open(sealed: Vec<u8>) -> Result<Content, UnreadableContent> {
    Content::open(&exchange(sealed), &vault(), &conversation().key())
}

/// Content that is stored in this form, whichever it is.
fn sealed(stored: &[u8]) -> Vec<u8> {
    vault().seal(&context(&conversation().key(), &turn()), stored)
}

/// Written by the versions before 0.2 and lying in tables for 90 days and longer.
#[test]
fn what_was_stored_before_texts_were_deflated_still_opens() {
    assert_eq!(open(hex::decode(V1).unwrap()), Ok(content(None)));
    assert_eq!(open(hex::decode(V1_PARKED).unwrap()), Ok(content(Some(ParkReason::NoAnswer))));
}

#[test]
fn what_is_stored_today_opens_in_later_versions() {
    assert_eq!(open(hex::decode(V2).unwrap()), Ok(content(None)));
    assert_eq!(open(hex::decode(V2_PARKED).unwrap()), Ok(content(Some(ParkReason::NoAnswer))));
}

#[test]
fn no_form_is_longer_than_the_first_by_much() {
    let texts = (0..400).map(|bytes| "报销流程审批付款发票".chars().cycle().take(bytes).collect::<String>());
    for reply in texts {
        let content =
            Content { question: "请问？".to_owned(), reply, parked: None, cause: None, left_to: None };
        assert!(content.stored().len() < content.question.len() + content.reply.len() + 55);
    }
}

#[test]
fn any_words_come_back() {
    for reply in ["", "short", "\u{0}\u{1}\"\\\n\u{2028}🚀", &"长".repeat(100_000), &"\u{1}".repeat(300_000)]
    {
        for parked in [None, Some(ParkReason::NoAnswer), Some(ParkReason::SendRefused)] {
            let content = Content {
                question: reply.to_owned(),
                reply: reply.to_owned(),
                parked,
                cause: parked.map(|_| "endpoint office (server, status 503)".to_owned()),
                left_to: Some(turn()),
            };
            let sealed = content.seal(&vault(), &conversation().key(), &turn());
            assert_eq!(open(sealed), Ok(content));
        }
    }
}

#[test]
fn a_small_envelope_does_not_become_a_large_text() {
    let bomb = |bytes| [&[PACKED][..], &compress_to_vec(&vec![b' '; bytes], LEVEL)].concat();
    assert!(bomb(INFLATED_MAX * 2).len() < 100_000);
    for bytes in [INFLATED_MAX, INFLATED_MAX + 1, INFLATED_MAX * 2] {
        assert_eq!(open(sealed(&bomb(bytes))), Err(UnreadableContent));
    }
    let spaces = |bytes: usize| {
        let json = [" ".repeat(bytes - 15), r#"{"q":"a","r":""}"#.to_owned()].concat();
        open(sealed(&[&[PACKED][..], &compress_to_vec(json.as_bytes(), LEVEL)].concat())).is_ok()
    };
    assert!(spaces(INFLATED_MAX - 1) && !spaces(INFLATED_MAX));
}

#[test]
fn what_is_neither_form_is_refused() {
    let good = compress_to_vec(br#"{"q":"a","r":"b"}"#, LEVEL);
    let cut = &good[..good.len() - 1];
    for stored in [
        &b""[..],
        b"\x02",
        b"\x03",
        b"{}",
        br#"{"v":"2","question":"a","reply":"b","parked":null}"#,
        &[&[PACKED][..], cut].concat(),
        &[&[3][..], &good].concat(),
        &good,
    ] {
        assert_eq!(open(sealed(stored)), Err(UnreadableContent), "{stored:?}");
    }
    assert!(open(sealed(&[&[PACKED][..], &good].concat())).is_ok());
}

const V1: &str = "\
    01016b07070707070707070707070706eadee952043100cb950a2315a69d9eaee903f90821cca18028809eb57529a644\
    73160f69c5c428bf32a10be0494b8ab713659cdabc29b0452933a909fbcad6282bdf94dd39c66b96789d539e6ed209e1\
    c70514e33bacbd9ffe7c0e8b2f07ce75c1649891b769808cc575333a45ee1928f827";

const V1_PARKED: &str = "\
    01016b07070707070707070707070706eadee952043100cb950a2315a69d9eaee903f90821cca18028809eb57529a644\
    73160f69c5c428bf32a10be0494b8ab713659cdabc29b0452933a909fbcad6282bdf94dd39c66b96789d539e6ed209e1\
    c70514e33bacbd9ffe7c0e8b2f4bd576f278ae4af310ddb0be1844f546c147ec224ce07f70e3023ad7";

const V2: &str = "\
    01016b0707070707070707070707077fc9eacbd5d97b0096954174987a5e1e5629c776ab2ecb9d8603b15a2cd6bc2cf5\
    be4f15c30c47f186602ae6719bc6d86eb96f81fdbc65b257173cab37424698722e3a19b83d69f1c876511faac662f3b6\
    cb324366cf9dbc";

const V2_PARKED: &str = "\
    01016b0707070707070707070707077fc9facbc5d97b0096954174987a5e1e5629c776ab2ecb9d8603b15a2cd6bc2cf5\
    be4f15c30c47f186602ae6719bc6d86eb96f81fdbc65b257173cab37424698722e3a19b83d69a019815ac71de634ef63\
    29f441aa6bfea19a19600243dcace443959ed95aa032cf";

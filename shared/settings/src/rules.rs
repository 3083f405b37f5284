//! What holds before the strategy does: `[[routing.rules]]`, and the people that rules speak of: `[departments.NAME]`.

use std::collections::{BTreeMap, BTreeSet};

use chat::{AttachmentKind, BotId, ChatKind, UserId};
use routing::{Pattern, Rule, Strategy, Then, When};

use crate::{
    names::{Kind, Names},
    reader::{Named, Reader},
    words::words,
};

/// Most tokens that a rule may speak of; above any window, so a slip of the keyboard.
const TOKENS_MOST: u32 = 100_000_000;

/// How a program that asks through the gateway is named among users.
const PROGRAM: &str = "program:";

/// What a list of people must look like; part of every mistake about one.
const PEOPLE: &str = "a list of the ids by which the platforms know people, or of programs as `program:NAME`";

/// What came with a message, by its word.
const ATTACHMENTS: [(&str, AttachmentKind); 5] = [
    ("picture", AttachmentKind::Picture),
    ("voice", AttachmentKind::Voice),
    ("video", AttachmentKind::Video),
    ("file", AttachmentKind::File),
    ("other", AttachmentKind::Other),
];

/// Who belongs to which department.
pub(crate) type Departments = BTreeMap<String, Vec<UserId>>;

/// `[departments.NAME]`.
pub(crate) fn departments(file: &mut Reader<'_, '_>, names: &mut Names) -> Departments {
    let mut departments = Departments::new();
    for Named { name, table, .. } in file.tables("departments") {
        names.is_there(Kind::Department, name);
        let mut reader = file.inner(&format!("departments.{name}"), table);
        if !reader.has("users") {
            reader.mistake("users", "nothing", PEOPLE);
        }
        let users = people(&mut reader, names);
        reader.finish();
        departments.insert(name.to_owned(), users);
    }
    departments
}

/// `[[routing.rules]]`.
pub(crate) fn rules(reader: &mut Reader<'_, '_>, departments: &Departments, names: &mut Names) -> Vec<Rule> {
    let mut taken = BTreeSet::new();
    let tables = reader.list("rules").into_iter().enumerate();
    let rules = tables.map(|(index, table)| {
        let mut rule = reader.inner(&at(index), table);
        let read = read(&mut rule, departments, names);
        if !taken.insert(read.name.clone()) && !read.name.is_empty() {
            rule.mistake(
                "name",
                format!("`{}`, as an earlier rule is named", read.name),
                "a name of its own",
            );
        }
        rule.finish();
        read
    });
    rules.collect()
}

/// The key of a rule in its list; people count from one.
fn at(index: usize) -> String {
    format!("rules[{}]", index + 1)
}

/// The key of a rule, from the whole file.
pub(crate) fn key(index: usize) -> String {
    format!("routing.{}", at(index))
}

fn read(reader: &mut Reader<'_, '_>, departments: &Departments, names: &mut Names) -> Rule {
    let name = reader.required("name", "what logs and explanations call the rule").unwrap_or_default();
    let when = when(reader, departments, names);
    let then = then(reader, names);
    if !["cloud", "strategy", "endpoints"].iter().any(|key| reader.has(key)) {
        let wanted = "`cloud = \"never\"`, a `strategy` or `endpoints`";
        reader.mistake_here("a rule from which nothing follows", wanted);
    }
    Rule { name: name.trim().to_owned(), when, then }
}

fn when(reader: &mut Reader<'_, '_>, departments: &Departments, names: &mut Names) -> When {
    let bots = named(reader, "bots", Kind::Bot, "a list of bots' names", names);
    let chats = "`direct` or `group`";
    let chat = reader.text("chat", chats).and_then(|text| match text.trim() {
        "direct" => Some(ChatKind::Direct),
        "group" => Some(ChatKind::Group),
        other => {
            reader.mistake("chat", format!("`{other}`"), chats);
            None
        }
    });
    let mut users = people(reader, names);
    for name in named(reader, "departments", Kind::Department, "a list of departments' names", names) {
        users.extend(departments.get(name).into_iter().flatten().cloned());
    }
    let words = reader.texts("words", "a list of words").unwrap_or_default();
    let pattern = pattern(reader);
    let longer_than = reader.whole("longer_than_tokens", 0..=TOKENS_MOST);
    let shorter_than = reader.whole("shorter_than_tokens", 1..=TOKENS_MOST);
    if let (Some(longer), Some(shorter)) = (longer_than, shorter_than)
        && shorter <= longer.saturating_add(1)
    {
        let found = format!("{shorter}, and `longer_than_tokens` is {longer}: no question is both");
        reader.mistake("shorter_than_tokens", found, format!("more than {}", longer.saturating_add(1)));
    }
    When {
        bots: bots.into_iter().filter_map(|name| BotId::parse(name).ok()).collect(),
        chat,
        users,
        words: words.into_iter().map(str::to_owned).collect(),
        pattern,
        longer_than,
        shorter_than,
        attachments: attachments(reader),
    }
}

fn then(reader: &mut Reader<'_, '_>, names: &mut Names) -> Then {
    let cloud = reader.text("cloud", "`never`").map(str::trim);
    if let Some(other) = cloud.filter(|&word| word != "never") {
        reader.mistake("cloud", format!("`{other}`"), "`never`");
    }
    let strategies = words(Strategy::ALL, Strategy::as_str);
    let strategy = reader
        .text("strategy", &strategies)
        .and_then(|text| reader.word::<Strategy>("strategy", text, &strategies));
    let endpoints = named(reader, "endpoints", Kind::Endpoint, "a list of endpoints' names", names);
    Then {
        local_only: cloud == Some("never"),
        strategy,
        endpoints: endpoints.into_iter().map(str::to_owned).collect(),
    }
}

/// A list of names of something that must be there.
fn named<'t>(
    reader: &mut Reader<'t, '_>,
    key: &'static str,
    kind: Kind,
    wanted: &str,
    names: &mut Names,
) -> Vec<&'t str> {
    let list = reader.texts(key, wanted).unwrap_or_default();
    names.are_named(kind, &reader.at(key), &list);
    list
}

fn people(reader: &mut Reader<'_, '_>, names: &mut Names) -> Vec<UserId> {
    let mut users = Vec::new();
    for text in reader.texts("users", PEOPLE).unwrap_or_default() {
        if let Some(program) = text.strip_prefix(PROGRAM) {
            names.are_named(Kind::Program, &reader.at("users"), &[program]);
        }
        match UserId::parse(text) {
            Ok(user) => users.push(user),
            Err(error) => reader.mistake("users", error.to_string(), PEOPLE),
        }
    }
    users
}

fn pattern(reader: &mut Reader<'_, '_>) -> Option<Pattern> {
    let text = reader.text("pattern", "a regular expression")?;
    match Pattern::parse(text) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            reader.mistake("pattern", format!("`{text}`"), error.expected);
            None
        }
    }
}

fn attachments(reader: &mut Reader<'_, '_>) -> Vec<AttachmentKind> {
    let kinds = words(&ATTACHMENTS, |(word, _)| word);
    let wanted = format!("a list of {kinds}");
    let mut found = Vec::new();
    for text in reader.texts("attachments", &wanted).unwrap_or_default() {
        match ATTACHMENTS.iter().find(|(word, _)| *word == text) {
            Some((_, kind)) => found.push(*kind),
            None => reader.mistake("attachments", format!("`{text}`"), wanted.as_str()),
        }
    }
    found
}

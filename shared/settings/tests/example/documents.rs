//! The keys that the documents name are the keys that the code reads: both READMEs and `magpie.toml` name all of them,
//! and no other.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::{EXAMPLE, in_force};

const ENGLISH: &str = include_str!("../../../../README.md");
const CHINESE: &str = include_str!("../../../../README.zh-CN.md");

/// What one document has too few of, and too many of.
fn differences(document: &str, named: &BTreeSet<String>, keys: &[String]) -> Vec<String> {
    let known: BTreeSet<String> = keys.iter().cloned().collect();
    let missing = known.difference(named).map(|key| format!("{document} lacks `{key}`"));
    let unknown =
        named.difference(&known).map(|key| format!("{document} names `{key}`, which does not exist"));
    missing.chain(unknown).collect()
}

/// The keys of the table of keys: `a.b`, and behind it `.c` for `a.c`.
fn of_readme(text: &str) -> BTreeSet<String> {
    let rows = text.lines().skip_while(|line| !line.starts_with("| `bots.NAME.platform`"));
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.flat_map(|row| of_cell(row.split('|').nth(1).unwrap_or_default())).collect()
}

fn of_cell(cell: &str) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for span in cell.split('`').skip(1).step_by(2) {
        let table = keys.last().and_then(|key| key.rsplit_once('.')).map(|(table, _)| table.to_owned());
        match (span.strip_prefix('.'), table) {
            (Some(last), Some(table)) => keys.push(format!("{table}.{last}")),
            _ => keys.push(span.to_owned()),
        }
    }
    keys
}

/// The keys of the example with every `# key = value` and every `# [table]` in force.
fn of_example(text: &str, keys: &[String]) -> BTreeSet<String> {
    let Ok(table) = in_force(text).parse::<Table>() else { panic!("magpie.toml is not TOML") };
    let mut found = Vec::new();
    walk("", &table, &mut found);
    found
        .into_iter()
        .map(|key| keys.iter().find(|known| is_one(known, &key)).unwrap_or(&key).clone())
        .collect()
}

/// Every value's key, tables within tables and within lists.
fn walk(path: &str, table: &Table, found: &mut Vec<String>) {
    for (name, value) in table {
        let key = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match value {
            Value::Table(inner) => walk(&key, inner, found),
            Value::Array(list) if list.iter().any(Value::is_table) => {
                list.iter().filter_map(Value::as_table).for_each(|inner| walk(&key, inner, found));
            }
            Value::Array(_)
            | Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_) => found.push(key),
        }
    }
}

/// Whether `key` is one that `known`, with `NAME` in it, stands for.
fn is_one(known: &str, key: &str) -> bool {
    let (known, key): (Vec<_>, Vec<_>) = (known.split('.').collect(), key.split('.').collect());
    known.len() == key.len() && known.iter().zip(&key).all(|(known, part)| *known == "NAME" || known == part)
}

#[test]
fn both_readmes_and_the_example_name_every_key_and_no_other() {
    let keys = settings::schema::keys();
    let mut wrong = differences("README.md", &of_readme(ENGLISH), &keys);
    wrong.extend(differences("README.zh-CN.md", &of_readme(CHINESE), &keys));
    wrong.extend(differences("magpie.toml", &of_example(EXAMPLE, &keys), &keys));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The list comes from the code that reads: keys of every kind of table are in it.
#[test]
fn the_keys_are_those_of_every_kind_of_table() {
    let keys = settings::schema::keys();
    for key in [
        "bots.NAME.merge_seconds",
        "endpoints.NAME.price.prompt",
        "gateway.token",
        "gateway.tokens.NAME",
        "routing.rules.name",
        "routing.hedge_share",
        "standalone.listen",
    ] {
        assert!(keys.iter().any(|known| known == key), "{key} is not among {keys:?}");
    }
    assert!(!keys.iter().any(|key| key == "bots" || key == "routing.rules"), "{keys:?}");
}

#[test]
fn a_key_that_a_document_lacks_is_told_by_its_name() {
    let keys = settings::schema::keys();
    for (document, text) in [("README.md", ENGLISH), ("README.zh-CN.md", CHINESE)] {
        let without = text.replace("| `memory.days` |", "| `memory.nights` |");
        assert_eq!(
            differences(document, &of_readme(&without), &keys),
            [
                format!("{document} lacks `memory.days`"),
                format!("{document} names `memory.nights`, which does not exist")
            ]
        );
    }
    let without = EXAMPLE.replace("\n# days = 90\n", "\n");
    assert_eq!(
        differences("magpie.toml", &of_example(&without, &keys), &keys),
        ["magpie.toml lacks `memory.days`"]
    );
}

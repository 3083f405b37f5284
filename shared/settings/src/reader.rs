//! Walking a TOML table: every value is asked for once, everything wrong is noted, and nothing stays unread.

use std::{fmt::Display, net::SocketAddr, ops::RangeInclusive, str::FromStr, sync::LazyLock};

use chat::BotId;
use routing::Micros;
use toml::{Table, Value};
use url::Url;

use crate::{
    KeySource, Mistakes,
    address::{Plain, parse_base_url, parse_url},
    key_source::FORMS,
    listen, money,
};

/// How many letters may differ between an unknown key and the one that was probably meant.
const NEAR: usize = 2;

/// Stands for every table while the keys are listed.
static EMPTY: LazyLock<Table> = LazyLock::new(Table::new);

/// The name of every named table while the keys are listed.
pub(crate) const ANY_NAME: &str = "any-name";

/// What a name must look like; part of every mistake about one.
const NAME: &str = "a name of 1 to 64 lower-case letters, digits and inner hyphens";

/// A table with a name: `[bots.NAME]`.
pub(crate) struct Named<'t> {
    /// The name as it is written.
    pub(crate) name: &'t str,
    /// Whether it is a good one.
    pub(crate) is_slug: bool,
    pub(crate) table: &'t Table,
}

/// One table of the file. Remembers which keys were asked for, so that the others can be told.
pub(crate) struct Reader<'t, 'm> {
    path: String,
    table: &'t Table,
    asked: Vec<&'static str>,
    mistakes: &'m mut Mistakes,
    /// Gets every key that is asked for. While it is there, every table exists and is empty.
    keys: Option<&'m mut Vec<String>>,
}

impl<'t, 'm> Reader<'t, 'm> {
    /// A reader of the table at `path` (empty for the whole file).
    pub(crate) fn new(path: impl Into<String>, table: &'t Table, mistakes: &'m mut Mistakes) -> Self {
        Self { path: path.into(), table, asked: Vec::new(), mistakes, keys: None }
    }

    /// A reader of no file at all, for the names of the keys that are asked for.
    pub(crate) fn listing(keys: &'m mut Vec<String>, mistakes: &'m mut Mistakes) -> Self {
        Self { keys: Some(keys), ..Self::new("", &EMPTY, mistakes) }
    }

    /// The full name of a key of this table. An empty key, which TOML allows, is named as it is written.
    pub(crate) fn at(&self, key: &str) -> String {
        let key = if key.is_empty() { "\"\"" } else { key };
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Notes a mistake at `key`.
    pub(crate) fn mistake(&mut self, key: &str, found: impl Into<String>, wanted: impl Into<String>) {
        let at = self.at(key);
        self.mistakes.push(at, found, wanted);
    }

    /// Notes a mistake about the whole table.
    pub(crate) fn mistake_here(&mut self, found: impl Into<String>, wanted: impl Into<String>) {
        self.mistakes.push(self.path.clone(), found, wanted);
    }

    /// Whether the file says anything under `key`.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    fn value(&mut self, key: &'static str) -> Option<&'t Value> {
        self.asked.push(key);
        self.table.get(key)
    }

    /// A text that is not blank. Says what would be right when it is something else; says nothing when it is absent.
    pub(crate) fn text(&mut self, key: &'static str, wanted: &str) -> Option<&'t str> {
        let value = self.value(key)?;
        match value.as_str() {
            Some(text) if !text.trim().is_empty() => return Some(text),
            Some(_) => self.mistake(key, "an empty text", wanted),
            None => self.mistake(key, kind_of(value), wanted),
        }
        None
    }

    /// Like [`Reader::text`], but absence is a mistake too.
    pub(crate) fn required(&mut self, key: &'static str, wanted: &str) -> Option<&'t str> {
        if !self.has(key) {
            self.asked.push(key);
            self.mistake(key, "nothing", wanted);
            return None;
        }
        self.text(key, wanted)
    }

    /// One word of a closed list.
    pub(crate) fn word<T: FromStr>(&mut self, key: &'static str, text: &str, wanted: &str) -> Option<T> {
        let word = text.trim().parse().ok();
        if word.is_none() {
            self.mistake(key, format!("`{text}`"), wanted);
        }
        word
    }

    /// Yes or no.
    pub(crate) fn boolean(&mut self, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        if value.as_bool().is_none() {
            self.mistake(key, kind_of(value), "`true` or `false`");
        }
        value.as_bool()
    }

    /// A whole number of this range.
    pub(crate) fn whole(&mut self, key: &'static str, range: RangeInclusive<u32>) -> Option<u32> {
        let value = self.value(key)?;
        let number = value.as_integer().and_then(|n| u32::try_from(n).ok()).filter(|n| range.contains(n));
        if number.is_none() {
            self.out_of_range(key, value, "a whole number", range.start(), range.end());
        }
        number
    }

    /// A number of seconds of this range; fractions are allowed.
    pub(crate) fn seconds(&mut self, key: &'static str, range: RangeInclusive<f64>) -> Option<f64> {
        let value = self.value(key)?;
        let number = as_number(value).filter(|n| range.contains(n));
        if number.is_none() {
            self.out_of_range(key, value, "seconds", range.start(), range.end());
        }
        number
    }

    /// A number of this range.
    pub(crate) fn number(&mut self, key: &'static str, range: RangeInclusive<f64>) -> Option<f64> {
        let value = self.value(key)?;
        let number = as_number(value).filter(|n| range.contains(n));
        if number.is_none() {
            self.out_of_range(key, value, "a number", range.start(), range.end());
        }
        number
    }

    /// An amount of the operator's currency.
    pub(crate) fn money(&mut self, key: &'static str) -> Option<Micros> {
        let value = self.value(key)?;
        let text = value.as_integer().map(|n| n.to_string()).or(value.as_float().map(|n| n.to_string()));
        let amount = text.as_deref().and_then(money::micros);
        if amount.is_none() {
            let found = text.unwrap_or_else(|| kind_of(value).to_owned());
            self.mistake(key, found, money::WANTED);
        }
        amount
    }

    /// Like [`Reader::money`], but absence is a mistake too.
    pub(crate) fn required_money(&mut self, key: &'static str) -> Option<Micros> {
        if !self.has(key) {
            self.asked.push(key);
            self.mistake(key, "nothing", money::WANTED);
            return None;
        }
        self.money(key)
    }

    /// A list of texts, none of them blank. An empty list is a mistake: whoever writes one means something, and it
    /// would mean the same as none.
    pub(crate) fn texts(&mut self, key: &'static str, wanted: &str) -> Option<Vec<&'t str>> {
        let value = self.value(key)?;
        let Some(list) = value.as_array() else {
            self.mistake(key, kind_of(value), wanted);
            return None;
        };
        if list.is_empty() {
            self.mistake(key, "an empty list", wanted);
            return None;
        }
        let texts: Vec<_> =
            list.iter().filter_map(Value::as_str).map(str::trim).filter(|text| !text.is_empty()).collect();
        if texts.len() < list.len() {
            let other = list.iter().find(|value| !value.is_str()).map_or("an empty text", kind_of);
            self.mistake(key, format!("a list with {other} in it"), wanted);
            return None;
        }
        Some(texts)
    }

    /// The tables of a list: `[[key]]`.
    pub(crate) fn list(&mut self, key: &'static str) -> Vec<&'t Table> {
        if self.keys.is_some() {
            self.asked.push(key);
            return vec![&EMPTY];
        }
        let Some(value) = self.value(key) else { return Vec::new() };
        let tables: Option<Vec<_>> =
            value.as_array().and_then(|list| list.iter().map(Value::as_table).collect());
        if tables.is_none() {
            let at = self.at(key);
            self.mistake(key, kind_of(value), format!("tables: `[[{at}]]`, one for each"));
        }
        tables.unwrap_or_default()
    }

    fn out_of_range(&mut self, key: &str, value: &Value, what: &str, from: &dyn Display, to: &dyn Display) {
        let number = value.as_integer().map(|n| n.to_string()).or(value.as_float().map(|n| n.to_string()));
        let found = number.unwrap_or_else(|| kind_of(value).to_owned());
        self.mistake(key, found, format!("{what} from {from} to {to}"));
    }

    /// A reference to a secret. `demo` is one only where `demo` is true.
    pub(crate) fn reference(&mut self, key: &'static str, demo: bool) -> Option<KeySource> {
        let forms = reference_forms(demo);
        let text = self.text(key, &forms)?;
        self.source(key, text, demo)
    }

    fn source(&mut self, key: &str, text: &str, demo: bool) -> Option<KeySource> {
        let forms = reference_forms(demo);
        match text.parse() {
            Ok(KeySource::Demo) if !demo => self.mistake(key, "`demo`, which only bots can have", forms),
            Ok(source) => return Some(source),
            Err(error) => self.mistake(key, error.to_string(), forms),
        }
        None
    }

    /// The named references to secrets under `key`, in the file's order. A name that is no slug is a mistake.
    pub(crate) fn references(&mut self, key: &'static str) -> Vec<(BotId, KeySource)> {
        let mut references = Vec::new();
        if let Some(keys) = self.keys.as_deref_mut() {
            keys.push(format!("{}.{key}.{ANY_NAME}", self.path));
        }
        for (name, value) in self.table(key).into_iter().flatten() {
            let at = format!("{key}.{name}");
            match (BotId::parse(name.as_str()), value) {
                (Ok(slug), Value::String(text)) => {
                    references.extend(self.source(&at, text, false).map(|source| (slug, source)));
                }
                (Err(_), _) => self.mistake(&at, format!("the name `{name}`"), NAME),
                (Ok(_), other) => self.mistake(&at, kind_of(other), reference_forms(false)),
            }
        }
        references
    }

    /// Like [`Reader::reference`], but absence is a mistake too.
    pub(crate) fn required_reference(&mut self, key: &'static str, demo: bool) -> Option<KeySource> {
        if !self.has(key) {
            self.asked.push(key);
            self.mistake(key, "nothing", reference_forms(demo));
            return None;
        }
        self.reference(key, demo)
    }

    /// An address to call, without user or password in it.
    pub(crate) fn url(&mut self, key: &'static str, text: &str, plain: Plain) -> Option<Url> {
        match parse_url(text, plain) {
            Ok(url) => Some(url),
            Err((found, wanted)) => {
                self.mistake(key, found, wanted);
                None
            }
        }
    }

    /// The address of a platform's API.
    pub(crate) fn base_url(&mut self, key: &'static str) -> Option<Url> {
        let text = self.text(key, "the address of the platform's API")?;
        match parse_base_url(text) {
            Ok(url) => Some(url),
            Err((found, wanted)) => {
                self.mistake(key, found, wanted);
                None
            }
        }
    }

    /// Where to listen; a port alone may be a number.
    pub(crate) fn listen(&mut self, key: &'static str) -> Option<SocketAddr> {
        let value = self.value(key)?;
        let text =
            value.as_str().map(str::to_owned).or_else(|| value.as_integer().map(|port| port.to_string()));
        let Some(text) = text else {
            self.mistake(key, kind_of(value), listen::WANTED);
            return None;
        };
        let address = listen::listen_address(&text);
        if address.is_err() {
            self.mistake(key, format!("`{text}`"), listen::WANTED);
        }
        address.ok()
    }

    /// The table under `key`.
    pub(crate) fn table(&mut self, key: &'static str) -> Option<&'t Table> {
        if self.keys.is_some() {
            self.asked.push(key);
            return Some(&EMPTY);
        }
        let value = self.value(key)?;
        if !value.is_table() {
            let at = self.at(key);
            self.mistake(key, kind_of(value), format!("a table: `[{at}]`"));
        }
        value.as_table()
    }

    /// The named tables under `key`, in the file's order. A name that is no slug is a mistake, and the table is read all
    /// the same: what else is wrong with it is reported in the same run.
    pub(crate) fn tables(&mut self, key: &'static str) -> Vec<Named<'t>> {
        let mut tables = Vec::new();
        if self.keys.is_some() {
            self.asked.push(key);
            return vec![Named { name: ANY_NAME, is_slug: true, table: &EMPTY }];
        }
        for (name, value) in self.table(key).into_iter().flatten() {
            let at = format!("{key}.{name}");
            let is_slug = BotId::parse(name.as_str()).is_ok();
            if !is_slug {
                self.mistake(&at, format!("the name `{name}`"), NAME);
            }
            if let Value::Table(table) = value {
                tables.push(Named { name, is_slug, table });
            } else if is_slug {
                self.mistake(&at, kind_of(value), format!("a table: `[{at}]`"));
            }
        }
        tables
    }

    /// A reader of an inner table, noting in the same place.
    pub(crate) fn inner<'s>(&'s mut self, key: &str, table: &'t Table) -> Reader<'t, 's> {
        let path = self.at(key);
        Reader { keys: self.keys.as_deref_mut(), ..Reader::new(path, table, self.mistakes) }
    }

    /// Notes every key that nobody asked for.
    pub(crate) fn finish(mut self) {
        let asked: Vec<_> = self.asked.iter().map(|key| self.at(key)).collect();
        if let Some(keys) = self.keys.as_deref_mut() {
            keys.extend(asked);
            return;
        }
        let what = if self.path.is_empty() { "a table" } else { "a key" };
        for key in self.table.keys().filter(|key| !self.asked.contains(&key.as_str())).collect::<Vec<_>>() {
            let near = self.asked.iter().map(|known| (strsim::osa_distance(key, known), *known)).min();
            let wanted = match near {
                Some((distance, known)) if distance <= NEAR => {
                    format!("`{known}`, if that is what you meant")
                }
                _ => format!("one of {}", self.asked.join(", ")),
            };
            self.mistake(key, format!("{what} that does not exist"), wanted);
        }
    }
}

fn reference_forms(demo: bool) -> String {
    if demo { format!("{FORMS}, or `demo`") } else { FORMS.to_owned() }
}

fn as_number(value: &Value) -> Option<f64> {
    let whole = value.as_integer().and_then(|n| i32::try_from(n).ok()).map(f64::from);
    value.as_float().or(whole)
}

/// What a value is, in words that show nothing of it.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::Boolean(_) => "a boolean",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}

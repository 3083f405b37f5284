//! Every key that the file may hold, as the code asks for them.
//!
//! Nothing here is written by hand: the same functions that read a file are given a reader for which every table exists
//! and is empty, and which notes what they ask for. So the list cannot miss a key, and documents can be held to it.
//!
//! ```
//! let keys = settings::schema::keys();
//! assert!(keys.iter().any(|key| key == "endpoints.NAME.url"));
//! ```

use crate::{
    Mistakes, load,
    names::Names,
    reader::{ANY_NAME, Reader},
};

/// The keys, sorted: `memory.turns`, `bots.NAME.platform`. `NAME` stands for any name, and the keys of each table of a
/// list stand below the list: `routing.rules.name`. Tables are not listed by themselves.
#[must_use]
pub fn keys() -> Vec<String> {
    let (mut keys, mut mistakes) = (Vec::new(), Mistakes::default());
    load::walk(Reader::listing(&mut keys, &mut mistakes), &[], &mut Names::default());
    let mut keys: Vec<_> =
        keys.into_iter().map(|key| key.replace(ANY_NAME, "NAME").replace("[1]", "")).collect();
    keys.sort();
    keys.dedup();
    let is_table = |key: &String| keys.iter().any(|other| other.starts_with(&format!("{key}.")));
    keys.iter().filter(|key| !is_table(key)).cloned().collect()
}

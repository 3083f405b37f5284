//! Reading JSON that others write: typed, borrowed from the chunk where it can be, and lenient. A field of an unexpected
//! kind counts as absent, since servers put `null`, `""` or a number where their documents promise something else.
//!
//! Every word of an answer comes in a chunk of its own. A chunk is cut out of the stream, read and heard in less time than
//! it takes to make a [`serde_json::Value`] of it (`cargo bench -p benches --bench codecs`).

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use crate::Failure;

/// The object in `data`.
pub(super) fn object<'a, T: Deserialize<'a>>(data: &'a [u8]) -> Result<T, Failure> {
    let part: Part<T> = serde_json::from_slice(data).map_err(|_| Failure::Malformed)?;
    part.0.ok_or(Failure::Malformed)
}

/// The visits that a lenient type has no use for: they yield its default.
macro_rules! absent {
    ($($kind:ident)*) => { $(absent!(@$kind);)* };
    (@scalar) => {
        fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> { Ok(Self::Value::default()) }
        fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> { Ok(Self::Value::default()) }
        fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> { Ok(Self::Value::default()) }
        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> { Ok(Self::Value::default()) }
    };
    (@count) => {
        fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> { Ok(Self::Value::default()) }
    };
    (@text) => {
        fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> { Ok(Self::Value::default()) }
    };
    (@list) => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(Self::Value::default())
        }
    };
    (@object) => {
        fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
            while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(Self::Value::default())
        }
    };
}

/// What a visitor hopes for; shown to nobody, since the errors go no further than [`object`].
macro_rules! hopes {
    () => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("JSON")
        }
    };
}

/// A text, if it is one.
#[derive(Debug, Default)]
pub(super) struct Text<'a>(Option<Cow<'a, str>>);

impl<'a> Text<'a> {
    /// The text, unless it is absent or empty.
    pub(super) fn words(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.is_empty())
    }

    /// The text; empty when absent.
    pub(super) fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    /// Whether it is none, not even an empty one.
    pub(super) const fn is_absent(&self) -> bool {
        self.0.is_none()
    }

    /// The text, whether or not it is empty.
    pub(super) fn into_inner(self) -> Option<Cow<'a, str>> {
        self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads;
        impl<'de> Visitor<'de> for Reads {
            type Value = Text<'de>;
            hopes!();
            absent!(scalar count list object);
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Some(Cow::Borrowed(text))))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Some(Cow::Owned(text.to_owned()))))
            }
        }
        deserializer.deserialize_any(Reads)
    }
}

/// A number of things, if it is one; what is beyond counting stops at the largest count.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Count(pub(super) Option<u32>);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads;
        impl<'de> Visitor<'de> for Reads {
            type Value = Count;
            hopes!();
            absent!(scalar text list object);
            fn visit_u64<E: Error>(self, count: u64) -> Result<Count, E> {
                Ok(Count(Some(u32::try_from(count).unwrap_or(u32::MAX))))
            }
        }
        deserializer.deserialize_any(Reads)
    }
}

/// A truth, if it is one; else false.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Truth(pub(super) bool);

impl<'de> Deserialize<'de> for Truth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads;
        impl<'de> Visitor<'de> for Reads {
            type Value = Truth;
            hopes!();
            absent!(count text list object);
            fn visit_bool<E: Error>(self, truth: bool) -> Result<Truth, E> {
                Ok(Truth(truth))
            }
            fn visit_i64<E: Error>(self, _: i64) -> Result<Truth, E> {
                Ok(Truth(false))
            }
            fn visit_f64<E: Error>(self, _: f64) -> Result<Truth, E> {
                Ok(Truth(false))
            }
            fn visit_unit<E: Error>(self) -> Result<Truth, E> {
                Ok(Truth(false))
            }
        }
        deserializer.deserialize_any(Reads)
    }
}

/// Whether there is anything in it: a text, a list or an object that is not empty.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct There(pub(super) bool);

impl<'de> Deserialize<'de> for There {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads;
        impl<'de> Visitor<'de> for Reads {
            type Value = There;
            hopes!();
            absent!(scalar count);
            fn visit_str<E: Error>(self, text: &str) -> Result<There, E> {
                Ok(There(!text.is_empty()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<There, A::Error> {
                let mut there = false;
                while list.next_element::<IgnoredAny>()?.is_some() {
                    there = true;
                }
                Ok(There(there))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<There, A::Error> {
                let mut there = false;
                while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    there = true;
                }
                Ok(There(there))
            }
        }
        deserializer.deserialize_any(Reads)
    }
}

/// An object, if it is one.
#[derive(Debug)]
pub(super) struct Part<T>(pub(super) Option<T>);

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Part<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reads<T> {
            type Value = Part<T>;
            hopes!();
            absent!(scalar count text list);
            fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Part<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(object)).map(|part| Part(Some(part)))
            }
        }
        deserializer.deserialize_any(Reads(PhantomData))
    }
}

/// A list of objects, if it is one; what is no object in it is passed over.
#[derive(Debug)]
pub(super) struct List<T>(pub(super) Option<Vec<T>>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reads<T> {
            type Value = List<T>;
            hopes!();
            absent!(scalar count text object);
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<List<T>, A::Error> {
                let mut parts = Vec::new();
                while let Some(Part(part)) = list.next_element::<Part<T>>()? {
                    parts.extend(part);
                }
                Ok(List(Some(parts)))
            }
        }
        deserializer.deserialize_any(Reads(PhantomData))
    }
}

#[cfg(test)]
mod tests;

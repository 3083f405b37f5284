//! Attributes in and out.

use std::collections::HashMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use chat::Timestamp;
use store::StoreError;

/// One item, by attribute.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The record version that this code writes, and the only one it reads.
pub(crate) const VERSION: u32 = 1;

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

pub(crate) fn moment(at: Timestamp) -> AttributeValue {
    number(at.as_millis())
}

pub(crate) fn texts(values: &[String]) -> AttributeValue {
    AttributeValue::L(values.iter().map(text).collect())
}

pub(crate) fn bytes(value: Vec<u8>) -> AttributeValue {
    AttributeValue::B(Blob::new(value))
}

/// The `ttl` of what is kept until then: whole seconds, rounded up, so that DynamoDB never removes it too early.
pub(crate) fn ttl(until: Timestamp) -> AttributeValue {
    number(until.plus(std::time::Duration::from_millis(999)).as_seconds())
}

/// Reads an item attribute by attribute; errors name the attribute and not what it held.
#[derive(Debug)]
pub(crate) struct Reader {
    item: Item,
}

impl Reader {
    /// Refuses an item that another version wrote.
    pub(crate) fn new(item: Item) -> Result<Self, StoreError> {
        let reader = Self { item };
        let found: u32 = reader.number("v")?;
        if found == VERSION {
            return Ok(reader);
        }
        Err(StoreError::Unreadable(format!("a record has version {found}, and this Magpie knows {VERSION}")))
    }

    pub(crate) fn text(&self, name: &str) -> Result<&str, StoreError> {
        let found = self.item.get(name).and_then(|value| value.as_s().ok());
        found.map(String::as_str).ok_or_else(|| unreadable(name))
    }

    pub(crate) fn optional_text(&self, name: &str) -> Result<Option<&str>, StoreError> {
        self.item.contains_key(name).then(|| self.text(name)).transpose()
    }

    pub(crate) fn number<N: std::str::FromStr>(&self, name: &str) -> Result<N, StoreError> {
        self.optional_number(name)?.ok_or_else(|| unreadable(name))
    }

    pub(crate) fn optional_number<N: std::str::FromStr>(&self, name: &str) -> Result<Option<N>, StoreError> {
        let Some(value) = self.item.get(name) else { return Ok(None) };
        let found = value.as_n().ok().and_then(|digits| digits.parse().ok());
        found.map(Some).ok_or_else(|| unreadable(name))
    }

    pub(crate) fn moment(&self, name: &str) -> Result<Timestamp, StoreError> {
        Ok(Timestamp::from_millis(self.number(name)?))
    }

    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, StoreError> {
        let values =
            self.item.get(name).and_then(|value| value.as_l().ok()).ok_or_else(|| unreadable(name))?;
        let read = |value: &AttributeValue| value.as_s().cloned().map_err(|_| unreadable(name));
        values.iter().map(read).collect()
    }

    /// Takes the bytes out of the item.
    pub(crate) fn bytes(&mut self, name: &str) -> Result<Vec<u8>, StoreError> {
        match self.item.remove(name) {
            Some(AttributeValue::B(blob)) => Ok(blob.into_inner()),
            _ => Err(unreadable(name)),
        }
    }
}

pub(crate) fn unreadable(name: &str) -> StoreError {
    StoreError::Unreadable(format!("the attribute `{name}` is absent or holds what it should not"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(value: AttributeValue) -> Item {
        Item::from([("v".to_owned(), value)])
    }

    #[test]
    fn nothing_is_removed_before_its_time() {
        for (until, seconds) in
            [(0, "0"), (1, "1"), (1_000, "1"), (1_001, "2"), (1_790_000_000_001, "1790000001")]
        {
            assert_eq!(ttl(Timestamp::from_millis(until)), AttributeValue::N(seconds.to_owned()), "{until}");
        }
    }

    #[test]
    fn only_this_version_is_read() {
        assert!(Reader::new(item(number(VERSION))).is_ok());
        for other in [number(VERSION + 1), number(0), AttributeValue::N("1.5".to_owned()), text("1")] {
            assert!(matches!(Reader::new(item(other)), Err(StoreError::Unreadable(_))));
        }
        assert!(matches!(Reader::new(Item::new()), Err(StoreError::Unreadable(_))));
    }

    #[test]
    fn what_is_of_another_type_is_unreadable() {
        let mut reader = Reader::new(item(number(VERSION))).unwrap();
        assert!(reader.text("v").is_err());
        assert!(reader.optional_text("v").is_err());
        assert!(reader.bytes("v").is_err());
        assert!(reader.number::<u32>("absent").is_err());
        assert_eq!(reader.optional_number::<u32>("absent"), Ok(None));
        assert_eq!(reader.optional_text("absent"), Ok(None));
    }
}

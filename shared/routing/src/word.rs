//! Enums whose variants are words in configuration, logs and stored records.

/// A word that names nothing of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is none of {expected}")]
pub struct UnknownWord {
    /// What was given.
    pub found: String,
    /// What would be right.
    pub expected: String,
}

/// An enum with one word for each variant: the same in configuration (`FromStr`), in logs (`as_str`) and in JSON.
macro_rules! words {
    (
        $(#[$about:meta])*
        pub enum $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $word)] $variant,)+ }

        impl $name {
            /// Every variant, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in configuration and logs.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownWord;

            fn from_str(text: &str) -> Result<Self, $crate::UnknownWord> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::UnknownWord { found: text.to_owned(), expected: [$($word),+].join(", ") }),
                }
            }
        }
    };
}

pub(crate) use words;

#[cfg(test)]
mod tests {
    use crate::{Balance, Place, Protocol, Strategy, UnknownWord};

    fn round<T>(all: &[T], word: impl Fn(T) -> &'static str)
    where
        T: Copy + PartialEq + std::fmt::Debug + serde::Serialize + std::str::FromStr<Err = UnknownWord>,
    {
        for &variant in all {
            assert_eq!(word(variant).parse(), Ok(variant));
            assert_eq!(serde_json::to_value(variant).unwrap(), word(variant));
        }
    }

    #[test]
    fn words_come_back_as_they_went() {
        round(Place::ALL, Place::as_str);
        round(Protocol::ALL, Protocol::as_str);
        round(Strategy::ALL, Strategy::as_str);
        round(Balance::ALL, Balance::as_str);
    }

    #[test]
    fn an_unknown_word_is_told_with_the_known_ones() {
        let error = "locale".parse::<Place>().unwrap_err();
        assert_eq!(error.to_string(), "`locale` is none of local, cloud");
    }
}

//! Identifiers of the providers' resources.

use crate::error::{Error, ErrorKind, Operation, Result, excerpt};

/// Checks an identifier that becomes a part of a URL's path; `what` is what messages call it.
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`], naming what is wrong with it.
pub(crate) fn check(id: &str, what: &str) -> Result<()> {
    // Most ids are made of these alone.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if (1..=255).contains(&id.len()) && id.bytes().all(is_plain) {
        return Ok(());
    }
    let forbidden = |letter: char| {
        matches!(letter, '/' | '\\' | '?' | '#' | '%')
            || letter.is_whitespace()
            || letter.is_control()
    };
    let wrong = if id.is_empty() {
        format!("{what} must not be empty")
    } else if id == "." || id == ".." {
        format!("{what} must not be a path step")
    } else if let Some(letter) = id.chars().find(|letter| forbidden(*letter)) {
        format!("{what} must not contain {letter:?}")
    } else if id.len() > 255 && id.chars().count() > 255 {
        format!("{what} has at most 255 characters")
    } else {
        return Ok(());
    };
    let error = Error::new(ErrorKind::InvalidInput, Operation::Validate, wrong);
    Err(error.with_target(excerpt(&format!("{id:?}"))))
}

/// Declares the type of an identifier; the text is what messages call one.
macro_rules! resource_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks and wraps an identifier.
            ///
            /// # Errors
            ///
            /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput), naming what is wrong with it.
            pub fn new(id: impl Into<String>) -> crate::Result<Self> {
                let id = id.into();
                crate::id::check(&id, $what)?;
                Ok(Self(id))
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        text_traits!($name);

        #[cfg(feature = "schemars")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "maxLength": 255,
                    "pattern": r"^(?!\.{1,2}$)[^/\\?#%\s\x00-\x1f\x7f-\x9f]+$",
                })
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::Error;

            fn from_str(id: &str) -> crate::Result<Self> {
                Self::new(id)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = crate::Error;

            fn try_from(id: &str) -> crate::Result<Self> {
                Self::new(id)
            }
        }

        impl TryFrom<String> for $name {
            type Error = crate::Error;

            fn try_from(id: String) -> crate::Result<Self> {
                Self::new(id)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}
pub(crate) use resource_id;

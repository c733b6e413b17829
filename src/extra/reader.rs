//! From the properties of an object in JSON to the text of an [`Extra`], without a value for each.

use std::{borrow::Cow, fmt, ops::Deref, sync::OnceLock};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

use crate::extra::Extra;

/// Room for what most objects have beyond the fields.
const USUAL: usize = 512;

/// The properties without a field that an object was found to have so far: JSON but for the last brace.
#[derive(Default)]
pub(crate) struct Rest(String);

impl Rest {
    /// Reads the value of the property whose name was read last. Only JSON text can be read so.
    pub fn read<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let value: &RawValue = map.next_value()?;
        self.push(name, value.get());
        Ok(())
    }

    /// Adds a property whose value is this JSON.
    pub fn push(&mut self, name: &str, json: &str) {
        if self.0.is_empty() {
            self.0.reserve(USUAL);
            self.0.push('{');
        } else {
            self.0.push(',');
        }
        if name
            .bytes()
            .all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
        {
            self.0.extend(["\"", name, "\""]);
        } else {
            self.0.push_str(&Value::from(name).to_string());
        }
        self.0.extend([":", json]);
    }
}

impl From<Rest> for Extra {
    fn from(Rest(mut text): Rest) -> Self {
        if text.is_empty() {
            return Self::default();
        }
        text.push('}');
        Self::kept(text, OnceLock::new())
    }
}

/// The name of a property; not copied where the input has it as it is.
pub(crate) struct Key<'de>(Cow<'de, str>);

impl Deref for Key<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("field identifier")
            }

            fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(name)))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(name.to_owned())))
            }
        }

        deserializer.deserialize_identifier(Reader)
    }
}

//! From properties that are read to the text of an [`Extra`], in one pass and without a value for each.

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
    ops::Deref,
};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

use crate::extra::Extra;

/// Room for what most objects have beyond the fields.
const USUAL: usize = 128;

/// The properties without a field that an object was found to have so far.
#[derive(Default)]
pub(crate) struct Rest(String);

impl Rest {
    /// Reads the value of the property whose name was read last.
    pub fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        if self.0.is_empty() {
            self.0.reserve(USUAL);
        }
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        write_text(&mut self.0, name);
        self.0.push(':');
        map.next_value_seed(Writer(&mut self.0))
    }
}

impl From<Rest> for Extra {
    fn from(Rest(mut text): Rest) -> Self {
        if text.is_empty() {
            return Self::default();
        }
        text.push('}');
        Self::from_text(text)
    }
}

/// Reads an object, all of whose properties are extra.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Extra, D::Error> {
    struct Reader;

    impl<'de> Visitor<'de> for Reader {
        type Value = Extra;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Extra, A::Error> {
            let mut rest = Rest::default();
            while let Some(name) = map.next_key::<Key<'_>>()? {
                rest.read(&name, &mut map)?;
            }
            Ok(rest.into())
        }
    }

    deserializer.deserialize_map(Reader)
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

/// Writes what it reads as JSON. Takes whatever [`Value`] takes, so that a `Value` can be read from it.
struct Writer<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for Writer<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Writer<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.scalar(value)
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.scalar(value)
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.scalar(value)
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.scalar(value)
    }

    fn visit_none<E>(self) -> Result<(), E> {
        self.scalar(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.scalar(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        write_text(self.0, value);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self(text) = self;
        let start = text.len();
        text.push('[');
        while list.next_element_seed(Writer(text))?.is_some() {
            text.push(',');
        }
        close(text, start, ']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(text) = self;
        let start = text.len();
        text.push('{');
        while let Some(name) = map.next_key::<Key<'_>>()? {
            write_text(text, &name);
            text.push(':');
            map.next_value_seed(Writer(text))?;
            text.push(',');
        }
        close(text, start, '}');
        Ok(())
    }
}

impl Writer<'_> {
    fn scalar<E>(self, value: impl Into<Value>) -> Result<(), E> {
        write(self.0, &value.into());
        Ok(())
    }
}

/// Closes what was opened at `start`, in place of the comma after the last of what is in it.
fn close(text: &mut String, start: usize, end: char) {
    if text.len() > start + 1 {
        text.pop();
    }
    text.push(end);
}

fn write_text(text: &mut String, value: &str) {
    // Looking at all of it, whatever was seen, is what the compiler makes fast.
    let special = |byte| byte < b' ' || byte == b'"' || byte == b'\\';
    if value.bytes().fold(false, |any, byte| any | special(byte)) {
        write(text, &Value::from(value));
    } else {
        text.push('"');
        text.push_str(value);
        text.push('"');
    }
}

fn write(text: &mut String, value: &Value) {
    // Text takes any text.
    let _ = write!(text, "{value}");
}

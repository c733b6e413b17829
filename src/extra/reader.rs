//! From the properties of an object to the text of an [`Extra`], without a value for each.

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
    ops::{Deref, Range},
    sync::OnceLock,
};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

use crate::extra::Extra;

/// Room for what most objects have beyond the fields.
const USUAL: usize = 512;

/// The properties without a field that an object was found to have so far: JSON but for the last brace.
#[derive(Default)]
pub(crate) struct Rest(String);

impl Rest {
    /// Reads the value of the property whose name was read last.
    pub fn read<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        self.look_up(name, map, []).map(|[]| ())
    }

    /// As `read`; gives besides what the value has under these names, if it is an object.
    pub fn look_up<'de, A: MapAccess<'de>, const N: usize>(
        &mut self,
        name: &str,
        map: &mut A,
        names: [&str; N],
    ) -> Result<[Option<Value>; N], A::Error> {
        let Self(text) = self;
        if text.is_empty() {
            text.reserve(USUAL);
        }
        text.push(if text.is_empty() { '{' } else { ',' });
        write_name(text, name);
        let mut places = [const { None }; N];
        map.next_value_seed(Writer {
            text,
            names: &names,
            places: &mut places,
        })?;
        // What was written can be read.
        Ok(places.map(|place| serde_json::from_str(text.get(place?)?).ok()))
    }
}

impl From<Rest> for Extra {
    fn from(Rest(mut text): Rest) -> Self {
        if text.is_empty() {
            return Self::default();
        }
        text.push('}');
        Self::kept(text.into_boxed_str(), OnceLock::new())
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

/// Writes what it reads as JSON. Takes whatever [`Value`] takes, so that one can be read from it.
struct Writer<'a> {
    text: &'a mut String,
    /// What is looked up, if this is an object.
    names: &'a [&'a str],
    /// Where it was written.
    places: &'a mut [Option<Range<usize>>],
}

impl<'a> Writer<'a> {
    fn new(text: &'a mut String) -> Self {
        Self {
            text,
            names: &[],
            places: &mut [],
        }
    }

    fn scalar<E>(self, value: impl Into<Value>) -> Result<(), E> {
        write(self.text, &value.into());
        Ok(())
    }
}

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

    fn visit_unit<E>(self) -> Result<(), E> {
        self.scalar(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        write_text(self.text, value);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let text = self.text;
        let start = text.len();
        text.push('[');
        while list.next_element_seed(Writer::new(text))?.is_some() {
            text.push(',');
        }
        close(text, start, ']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let text = self.text;
        let start = text.len();
        text.push('{');
        while let Some(name) = map.next_key::<Key<'de>>()? {
            write_name(text, &name);
            let value = text.len();
            map.next_value_seed(Writer::new(text))?;
            if let Some(index) = self.names.iter().position(|wanted| **wanted == *name) {
                self.places[index] = Some(value..text.len());
            }
            text.push(',');
        }
        close(text, start, '}');
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

fn write_name(text: &mut String, name: &str) {
    write_text(text, name);
    text.push(':');
}

fn write_text(text: &mut String, value: &str) {
    if is_plain(value.as_bytes()) {
        text.push('"');
        text.push_str(value);
        text.push('"');
    } else {
        write(text, &Value::from(value));
    }
}

/// Whether a string is written as it is, between quotes.
fn is_plain(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk() else {
        let special = |byte: &u8| *byte < b' ' || *byte == b'"' || *byte == b'\\';
        return !text.iter().any(special);
    };
    // Eight bytes in one step; the last eight may be looked at twice.
    let (blocks, _) = text.as_chunks();
    blocks
        .iter()
        .chain([last])
        .fold(0, |any, block| any | special(*block))
        == 0
}

/// Not 0 if one of the bytes is a control character, a quote or a backslash.
fn special(block: [u8; 8]) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let block = u64::from_ne_bytes(block);
    let below = |block: u64, limit: u8| block.wrapping_sub(ONES * u64::from(limit)) & !block;
    let is = |byte: u8| below(block ^ (ONES * u64::from(byte)), 1);
    (below(block, b' ') | is(b'"') | is(b'\\')) & (ONES << 7)
}

fn write(text: &mut String, value: &Value) {
    // Text takes any text.
    let _ = write!(text, "{value}");
}

//! Reading values without taking more memory than a document may.
//!
//! A few bytes of text can become many of a value: small maps, and aliases of long texts.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// How many bytes of values a document may become; the largest vendor's takes some 20 MiB.
const MAX_BYTES: usize = 384 << 20;

/// What one value takes, beside its text.
const NODE: usize = size_of::<Value>();

/// What a map that is not empty takes at least: one node of a tree.
const MAP: usize = 11 * (NODE + size_of::<String>());

/// Reads JSON; the error says what is wrong and where.
pub(crate) fn json(text: &str) -> Result<Value, String> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let left = Cell::new(MAX_BYTES);
    let value = Bounded { left: &left }.deserialize(&mut reader);
    let whole = value.and_then(|value| reader.end().map(|()| value));
    whole.map_err(|error| error.to_string())
}

/// Reads YAML; the error says what is wrong and where.
pub(crate) fn yaml(text: &str) -> Result<Value, String> {
    let left = Cell::new(MAX_BYTES);
    Bounded { left: &left }
        .deserialize(serde_norway::Deserializer::from_str(text))
        .map_err(|error| error.to_string())
}

/// Reads one value and takes what it costs from what is left.
#[derive(Clone, Copy)]
struct Bounded<'b> {
    left: &'b Cell<usize>,
}

impl Bounded<'_> {
    fn spend<E: Error>(self, bytes: usize) -> Result<(), E> {
        let left = self.left.get().checked_sub(bytes);
        let left = left.ok_or_else(|| E::custom("it takes too much memory"))?;
        self.left.set(left);
        Ok(())
    }

    fn leaf<E: Error>(self, value: Value) -> Result<Value, E> {
        self.spend(NODE)?;
        Ok(value)
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        self.leaf(Value::from(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.leaf(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.leaf(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        self.leaf(Value::from(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.leaf(Value::Null)
    }

    /// A YAML document with nothing in it.
    fn visit_none<E: Error>(self) -> Result<Value, E> {
        self.leaf(Value::Null)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.spend(NODE + text.len())?;
        Ok(Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        self.spend(NODE)?;
        let mut list = Vec::new();
        while let Some(value) = access.next_element_seed(self)? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        self.spend(NODE)?;
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if map.is_empty() {
                self.spend(MAP)?;
            }
            self.spend(2 * size_of::<String>() + key.len())?;
            map.insert(key, access.next_value_seed(self)?);
        }
        Ok(Value::Object(map))
    }
}

//! Reading JSON without taking more memory than a document may: a few bytes of text can become many
//! of a value.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// How many bytes of values a document may still become.
pub(crate) struct Budget(Cell<usize>);

/// What one value takes, beside its text.
const NODE: usize = size_of::<Value>();

/// What a map that is not empty takes at least: one node of a tree.
const MAP: usize = 11 * (NODE + size_of::<String>());

impl Budget {
    /// The largest document that a vendor publishes takes some 20 MiB.
    pub fn new() -> Self {
        Self(Cell::new(384 << 20))
    }

    /// A value with a text of `length` bytes, or a list or map without what is in it.
    pub fn node(&self, length: usize) -> Result<(), &'static str> {
        self.spend(NODE + length)
    }

    /// An entry of a map, whose value counts for itself.
    pub fn entry(&self, map: &Map<String, Value>, key: &str) -> Result<(), &'static str> {
        let first = if map.is_empty() { MAP } else { 0 };
        self.spend(first + 2 * size_of::<String>() + key.len())
    }

    /// A copy of `value`.
    pub fn copy(&self, value: &Value) -> Result<(), &'static str> {
        match value {
            Value::String(text) => self.node(text.len()),
            Value::Array(list) => {
                self.node(0)?;
                list.iter().try_for_each(|inner| self.copy(inner))
            }
            Value::Object(map) => {
                self.spend(NODE + if map.is_empty() { 0 } else { MAP })?;
                map.iter().try_for_each(|(key, inner)| {
                    self.spend(2 * size_of::<String>() + key.len())?;
                    self.copy(inner)
                })
            }
            _ => self.node(0),
        }
    }

    fn spend(&self, bytes: usize) -> Result<(), &'static str> {
        let left = self.0.get().checked_sub(bytes);
        self.0.set(left.ok_or("it takes too much memory")?);
        Ok(())
    }
}

/// Reads JSON; the error says what is wrong and where.
pub(crate) fn json(text: &str) -> Result<Value, String> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Bounded(&Budget::new()).deserialize(&mut reader);
    let whole = value.and_then(|value| reader.end().map(|()| value));
    whole.map_err(|error| error.to_string())
}

/// Reads one value and takes what it costs from what is left.
#[derive(Clone, Copy)]
struct Bounded<'b>(&'b Budget);

impl Bounded<'_> {
    fn leaf<E: Error>(self, value: Value) -> Result<Value, E> {
        self.0.node(0).map_err(E::custom)?;
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

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.0.node(text.len()).map_err(E::custom)?;
        Ok(Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        self.0.node(0).map_err(A::Error::custom)?;
        let mut list = Vec::new();
        while let Some(value) = access.next_element_seed(self)? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        self.0.node(0).map_err(A::Error::custom)?;
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            self.0.entry(&map, &key).map_err(A::Error::custom)?;
            map.insert(key, access.next_value_seed(self)?);
        }
        Ok(Value::Object(map))
    }
}

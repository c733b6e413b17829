//! Limits the memory of a parsed document: a few bytes of text can become many bytes of values.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The bytes that the values of a document may still take.
pub(crate) struct MemoryBudget(Cell<usize>);

/// The size of one value without its text.
const VALUE_BYTES: usize = size_of::<Value>();

/// The smallest size of a map that is not empty: one node of a tree.
const MIN_MAP_BYTES: usize = 11 * (VALUE_BYTES + size_of::<String>());

impl MemoryBudget {
    /// The budget of one document. The largest one that a vendor publishes takes about 20 MiB.
    pub fn new() -> Self {
        Self(Cell::new(384 << 20))
    }

    /// Charges a value with a text of `length` bytes, or a list or map without its contents.
    pub fn charge_value(&self, length: usize) -> Result<(), &'static str> {
        self.charge(VALUE_BYTES + length)
    }

    /// Charges an entry of a map without its value.
    pub fn charge_entry(&self, map: &Map<String, Value>, key: &str) -> Result<(), &'static str> {
        let first = if map.is_empty() { MIN_MAP_BYTES } else { 0 };
        self.charge(first + 2 * size_of::<String>() + key.len())
    }

    /// Charges a copy of `value`.
    pub fn charge_copy(&self, value: &Value) -> Result<(), &'static str> {
        match value {
            Value::String(text) => self.charge_value(text.len()),
            Value::Array(list) => {
                self.charge_value(0)?;
                list.iter().try_for_each(|inner| self.charge_copy(inner))
            }
            Value::Object(map) => {
                self.charge(VALUE_BYTES + if map.is_empty() { 0 } else { MIN_MAP_BYTES })?;
                map.iter().try_for_each(|(key, inner)| {
                    self.charge(2 * size_of::<String>() + key.len())?;
                    self.charge_copy(inner)
                })
            }
            _ => self.charge_value(0),
        }
    }

    fn charge(&self, bytes: usize) -> Result<(), &'static str> {
        let left = self.0.get().checked_sub(bytes);
        self.0.set(left.ok_or("it takes too much memory")?);
        Ok(())
    }
}

/// Parses JSON; the error names the fault and its place.
pub(crate) fn parse_json(text: &str) -> Result<Value, String> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = BudgetedValue(&MemoryBudget::new()).deserialize(&mut reader);
    let whole = value.and_then(|value| reader.end().map(|()| value));
    whole.map_err(|error| error.to_string())
}

/// Deserialises one value and charges its size to the budget.
#[derive(Clone, Copy)]
struct BudgetedValue<'b>(&'b MemoryBudget);

impl BudgetedValue<'_> {
    fn charged<E: Error>(self, value: Value) -> Result<Value, E> {
        self.0.charge_value(0).map_err(E::custom)?;
        Ok(value)
    }
}

impl<'de> DeserializeSeed<'de> for BudgetedValue<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for BudgetedValue<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        self.charged(Value::from(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.charged(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.charged(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        self.charged(Value::from(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.charged(Value::Null)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.0.charge_value(text.len()).map_err(E::custom)?;
        Ok(Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        self.0.charge_value(0).map_err(A::Error::custom)?;
        let mut list = Vec::new();
        while let Some(value) = access.next_element_seed(self)? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        self.0.charge_value(0).map_err(A::Error::custom)?;
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            self.0.charge_entry(&map, &key).map_err(A::Error::custom)?;
            map.insert(key, access.next_value_seed(self)?);
        }
        Ok(Value::Object(map))
    }
}

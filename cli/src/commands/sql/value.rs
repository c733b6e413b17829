//! A value of a row as JSON, with the digits of numbers as the engine has them.

use std::collections::BTreeMap;

use datafusion::arrow::{
    array::{Array, AsArray, PrimitiveArray},
    datatypes::{ArrowPrimitiveType, DataType, FieldRef, Float32Type, Float64Type},
    error::ArrowError,
    json::writer::{Encoder, EncoderFactory, EncoderOptions, NullableEncoder},
};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A value as JSON. A number keeps its digits, which a float would lose.
#[derive(Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(Box<RawValue>),
    Text(String),
    List(Vec<Value>),
    Struct(BTreeMap<String, Value>),
}

impl Value {
    /// Parses the JSON of a value.
    pub fn parse(raw: Box<RawValue>) -> serde_json::Result<Self> {
        let json = raw.get();
        Ok(match json.bytes().next() {
            Some(b'n') => Self::Null,
            Some(b't' | b'f') => Self::Bool(serde_json::from_str(json)?),
            Some(b'"') => Self::Text(serde_json::from_str(json)?),
            Some(b'[') => {
                let items: Vec<Box<RawValue>> = serde_json::from_str(json)?;
                let items = items.into_iter().map(Self::parse);
                Self::List(items.collect::<Result<_, _>>()?)
            }
            Some(b'{') => {
                let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(json)?;
                let fields = fields.into_iter();
                let fields = fields.map(|(name, raw)| Ok((name, Self::parse(raw)?)));
                Self::Struct(fields.collect::<serde_json::Result<_>>()?)
            }
            _ => Self::Number(raw),
        })
    }

    /// Returns the value for a cell; nothing for null.
    pub fn text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(value) => value.to_string(),
            Self::Number(number) => number.get().to_owned(),
            Self::Text(text) => text.clone(),
            Self::List(_) | Self::Struct(_) => serde_json::to_string(self).unwrap_or_default(),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => items.serialize(serializer),
            Self::Struct(fields) => fields.serialize(serializer),
        }
    }
}

/// Writes floats that JSON has no number for as the text that PostgreSQL has for them.
#[derive(Debug)]
pub(super) struct Floats;

impl EncoderFactory for Floats {
    fn make_default_encoder<'a>(
        &self,
        _: &'a FieldRef,
        array: &'a dyn Array,
        _: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        let encoder: Box<dyn Encoder + 'a> = match array.data_type() {
            DataType::Float32 => Box::new(Float(array.as_primitive::<Float32Type>())),
            DataType::Float64 => Box::new(Float(array.as_primitive::<Float64Type>())),
            _ => return Ok(None),
        };
        Ok(Some(NullableEncoder::new(encoder, array.nulls().cloned())))
    }
}

struct Float<'a, T: ArrowPrimitiveType>(&'a PrimitiveArray<T>);

impl<T: ArrowPrimitiveType> Encoder for Float<'_, T>
where
    T::Native: Into<f64> + Serialize,
{
    fn encode(&mut self, index: usize, out: &mut Vec<u8>) {
        let value = self.0.value(index);
        let float: f64 = value.into();
        let text: &[u8] = match float {
            _ if float.is_nan() => b"\"NaN\"",
            f64::INFINITY => b"\"Infinity\"",
            f64::NEG_INFINITY => b"\"-Infinity\"",
            _ => {
                // Writing a finite number to memory does not fail.
                let _ = serde_json::to_writer(out, &value);
                return;
            }
        };
        out.extend_from_slice(text);
    }
}

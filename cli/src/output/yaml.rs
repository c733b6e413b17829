//! YAML, with the same values as JSON.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_norway::Value;

use super::{Output, escape::is_terminal_control, json};

/// A whole document.
pub(super) fn document(out: &mut Output, value: &impl Serialize) -> io::Result<()> {
    let json = serde_json::value::to_raw_value(value)?;
    match emit(&json, |value| value)? {
        Emitted::Yaml(text) => out.write_all(text.as_bytes()),
        Emitted::Json(value) => json::line(out, &value),
        Emitted::Digits => json::line(out, &json),
    }
}

/// A sequence whose elements arrive one by one.
#[derive(Debug, Default)]
pub(super) struct Sequence {
    started: bool,
}

impl Sequence {
    pub fn push(&mut self, out: &mut Output, value: &impl Serialize) -> io::Result<()> {
        self.started = true;
        let json = serde_json::value::to_raw_value(value)?;
        let emitted = emit(&json, |value| Value::Sequence(vec![value]))?;
        if let Emitted::Yaml(text) = &emitted {
            return out.write_all(text.as_bytes());
        }
        out.write_all(b"- ")?;
        match emitted {
            Emitted::Json(Value::Sequence(values)) => {
                values.iter().try_for_each(|value| json::line(out, value))
            }
            _ => json::line(out, &json),
        }
    }

    pub fn finish(self, out: &mut Output) -> io::Result<()> {
        if self.started { Ok(()) } else { out.line("[]") }
    }
}

/// A value for YAML.
enum Emitted {
    Yaml(String),
    /// The emitter does not escape every terminal control character. JSON is YAML too, and escapes them.
    Json(Value),
    /// YAML would lose digits of a number, and the JSON that the value was made of has them.
    Digits,
}

/// Converts JSON to YAML with the same shape and order, in which `wrap` puts the value.
fn emit(json: &RawValue, wrap: impl FnOnce(Value) -> Value) -> io::Result<Emitted> {
    let value = Value::deserialize(&mut serde_json::Deserializer::from_str(json.get()))?;
    let is_same = serde_json::to_string(&value)? == json.get();
    let value = wrap(value);
    let text = serde_norway::to_string(&value).map_err(io::Error::other)?;
    let has_controls =
        |text: &str| text.contains(|letter: char| letter != '\n' && is_terminal_control(letter));
    Ok(match is_same {
        false if !has_controls(json.get()) => Emitted::Digits,
        _ if has_controls(&text) => Emitted::Json(value),
        _ => Emitted::Yaml(text),
    })
}

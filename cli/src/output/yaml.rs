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
        Some(text) => out.write_all(text.as_bytes()),
        None => json::line(out, &json),
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
        if let Some(text) = emit(&json, |value| Value::Sequence(vec![value]))? {
            return out.write_all(text.as_bytes());
        }
        out.write_all(b"- ")?;
        json::line(out, &json)
    }

    pub fn finish(self, out: &mut Output) -> io::Result<()> {
        if self.started { Ok(()) } else { out.line("[]") }
    }
}

/// Converts JSON to YAML with the same shape and order, in which `wrap` puts the value. `None` where YAML would lose digits
/// of a number, or the emitter would not escape every terminal control character: the value is then printed as JSON, which
/// is YAML too and keeps both.
fn emit(json: &RawValue, wrap: impl FnOnce(Value) -> Value) -> io::Result<Option<String>> {
    let value = Value::deserialize(&mut serde_json::Deserializer::from_str(json.get()))?;
    let is_same = serde_json::to_string(&value)? == json.get();
    let text = serde_norway::to_string(&wrap(value)).map_err(io::Error::other)?;
    let has_controls = text.contains(|letter: char| letter != '\n' && is_terminal_control(letter));
    Ok((is_same && !has_controls).then_some(text))
}

//! YAML: the same as the JSON.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use serde_norway::Value;

use super::{Output, escape::is_terminal_control, json};

/// A whole document.
pub(super) fn document(out: &mut Output, value: &impl Serialize) -> io::Result<()> {
    let value = as_json_has_it(value)?;
    let text = emit(&value)?;
    if is_safe(&text) {
        out.write_all(text.as_bytes())
    } else {
        json::line(out, &value)
    }
}

/// A sequence whose elements arrive one by one.
#[derive(Debug, Default)]
pub(super) struct Sequence {
    begun: bool,
}

impl Sequence {
    pub fn push(&mut self, out: &mut Output, value: &impl Serialize) -> io::Result<()> {
        self.begun = true;
        let value = [as_json_has_it(value)?];
        let text = emit(&value)?;
        if is_safe(&text) {
            return out.write_all(text.as_bytes());
        }
        out.write_all(b"- ")?;
        json::line(out, &value[0])
    }

    pub fn finish(self, out: &mut Output) -> io::Result<()> {
        if self.begun { Ok(()) } else { out.line("[]") }
    }
}

/// The value in the shape, and with the order, that it has in JSON.
fn as_json_has_it(value: &impl Serialize) -> io::Result<Value> {
    let text = serde_json::to_vec(value)?;
    let mut json = serde_json::Deserializer::from_slice(&text);
    Ok(Value::deserialize(&mut json)?)
}

fn emit(value: &impl Serialize) -> io::Result<String> {
    serde_norway::to_string(value).map_err(io::Error::other)
}

/// Whether the emitter left no character that a terminal obeys. Where it did, JSON, which is YAML too,
/// has it escaped.
fn is_safe(text: &str) -> bool {
    !text.contains(|letter: char| letter != '\n' && is_terminal_control(letter))
}

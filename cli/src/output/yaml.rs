//! YAML, with the same values as JSON.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use serde_norway::Value;

use super::{Output, escape::is_terminal_control, json};

/// A whole document.
pub(super) fn document(out: &mut Output, value: &impl Serialize) -> io::Result<()> {
    let value = via_json(value)?;
    let text = emit(&value)?;
    if has_no_control_characters(&text) {
        out.write_all(text.as_bytes())
    } else {
        json::line(out, &value)
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
        let value = [via_json(value)?];
        let text = emit(&value)?;
        if has_no_control_characters(&text) {
            return out.write_all(text.as_bytes());
        }
        out.write_all(b"- ")?;
        json::line(out, &value[0])
    }

    pub fn finish(self, out: &mut Output) -> io::Result<()> {
        if self.started { Ok(()) } else { out.line("[]") }
    }
}

/// Converts a value through JSON, so that YAML has the same shape and order.
fn via_json(value: &impl Serialize) -> io::Result<Value> {
    let text = serde_json::to_vec(value)?;
    let mut json = serde_json::Deserializer::from_slice(&text);
    Ok(Value::deserialize(&mut json)?)
}

fn emit(value: &impl Serialize) -> io::Result<String> {
    serde_norway::to_string(value).map_err(io::Error::other)
}

/// Whether the emitter escaped every terminal control character. Otherwise the value is printed as JSON, which is YAML
/// too and escapes them.
fn has_no_control_characters(text: &str) -> bool {
    !text.contains(|letter: char| letter != '\n' && is_terminal_control(letter))
}

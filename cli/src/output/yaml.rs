//! YAML: the same as the JSON.

use std::io::{self, Write};

use serde::Serialize;

use super::{Output, json, text::acts};

/// A whole document.
pub(super) fn document(out: &mut Output, value: &impl Serialize) -> io::Result<()> {
    let value = serde_json::to_value(value)?;
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
        let value = [serde_json::to_value(value)?];
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

fn emit(value: &impl Serialize) -> io::Result<String> {
    serde_norway::to_string(value).map_err(io::Error::other)
}

/// Whether the emitter left no character that a terminal obeys. Where it did, JSON, which is YAML too,
/// has it escaped.
fn is_safe(text: &str) -> bool {
    !text.contains(|letter: char| letter != '\n' && acts(letter))
}

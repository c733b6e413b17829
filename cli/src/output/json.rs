//! JSON: one document, an array whose elements arrive one by one, or a document on each line.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

use super::{Output, escape::is_terminal_control};

/// A whole document, indented.
pub(super) fn document(out: &mut Output, value: &impl Serialize) -> io::Result<()> {
    let formatter = EscapeControl(PrettyFormatter::new());
    value.serialize(&mut Serializer::with_formatter(&mut *out, formatter))?;
    out.line("")
}

/// A whole document on one line.
pub(crate) fn line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    compact(out, value)?;
    writeln!(out)
}

/// An array whose elements arrive one by one, a line each.
#[derive(Debug, Default)]
pub(super) struct Array {
    started: bool,
}

impl Array {
    pub fn push(&mut self, out: &mut Output, value: &impl Serialize) -> io::Result<()> {
        let separator = if self.started { ",\n  " } else { "[\n  " };
        self.started = true;
        write!(out, "{separator}")?;
        compact(out, value)
    }

    pub fn finish(self, out: &mut Output) -> io::Result<()> {
        out.line(if self.started { "\n]" } else { "[]" })
    }
}

fn compact(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let formatter = EscapeControl(CompactFormatter);
    value.serialize(&mut Serializer::with_formatter(out, formatter))?;
    Ok(())
}

/// Escapes the characters that a terminal does not show and that JSON does not require to escape. The value stays the same.
struct EscapeControl<F>(F);

/// Forwards methods to the wrapped formatter.
macro_rules! forward {
    ($($method:ident($($argument:ident: $type:ty),*);)+) => {
        $(fn $method<W: ?Sized + Write>(&mut self, out: &mut W $(, $argument: $type)*) -> io::Result<()> {
            self.0.$method(out $(, $argument)*)
        })+
    };
}

impl<F: Formatter> Formatter for EscapeControl<F> {
    forward! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        begin_object_value();
        end_object_value();
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, letter)) = rest
            .char_indices()
            .find(|(_, letter)| is_terminal_control(*letter))
        {
            out.write_all(&rest.as_bytes()[..at])?;
            for unit in letter.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = &rest[at + letter.len_utf8()..];
        }
        out.write_all(rest.as_bytes())
    }
}

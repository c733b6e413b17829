//! JSON: one document, an array that grows, or a line for each.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

use super::{Output, escape::is_terminal_control};

/// A whole document, indented.
pub(super) fn document(out: &mut Output, value: &impl Serialize) -> io::Result<()> {
    let formatter = Safe(PrettyFormatter::new());
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
    begun: bool,
}

impl Array {
    pub fn push(&mut self, out: &mut Output, value: &impl Serialize) -> io::Result<()> {
        let separator = if self.begun { ",\n  " } else { "[\n  " };
        self.begun = true;
        write!(out, "{separator}")?;
        compact(out, value)
    }

    pub fn finish(self, out: &mut Output) -> io::Result<()> {
        out.line(if self.begun { "\n]" } else { "[]" })
    }
}

fn compact(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let formatter = Safe(CompactFormatter);
    value.serialize(&mut Serializer::with_formatter(out, formatter))?;
    Ok(())
}

/// Escapes what a terminal would obey and JSON would leave as it is; the value stays the same.
struct Safe<F>(F);

/// Forwards to the formatter below.
macro_rules! forward {
    ($($method:ident($($argument:ident: $type:ty),*);)+) => {
        $(fn $method<W: ?Sized + Write>(&mut self, out: &mut W $(, $argument: $type)*) -> io::Result<()> {
            self.0.$method(out $(, $argument)*)
        })+
    };
}

impl<F: Formatter> Formatter for Safe<F> {
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
            // None of them is beyond the first plane, so one unit is enough.
            write!(out, "\\u{:04x}", u32::from(letter))?;
            rest = &rest[at + letter.len_utf8()..];
        }
        out.write_all(rest.as_bytes())
    }
}

//! Reading YAML, within bounds of memory and nesting.
//!
//! The parser works event by event: one that loads the whole text first needs gigabytes for a few megabytes of
//! brackets, and minutes for a few thousand that are never closed.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, StrInput, Tag};
use serde_json::{Map, Value};

use crate::memory_budget::MemoryBudget;

/// The deepest nesting, which is that of JSON.
const MAX_DEPTH: usize = 128;

/// Parses the one document of `text`; the error names the fault and its line.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    let mut parser = YamlParser {
        events: Parser::new_from_str(text),
        anchors: HashMap::new(),
        budget: MemoryBudget::new(),
        depth: 0,
        line: 1,
    };
    parser.document().map_err(|what| {
        let line = parser.line;
        format!("{what} at line {line}")
    })
}

struct YamlParser<'t> {
    events: Parser<'t, StrInput<'t>>,
    anchors: HashMap<usize, Value>,
    budget: MemoryBudget,
    depth: usize,
    line: usize,
}

impl<'t> YamlParser<'t> {
    fn document(&mut self) -> Result<Value, String> {
        let mut root = None;
        loop {
            match self.next()? {
                Event::StreamEnd => return Ok(root.unwrap_or_default()),
                Event::DocumentStart(_) if root.is_some() => {
                    return Err("more than one document".to_owned());
                }
                Event::DocumentStart(_) => {
                    let first = self.next()?;
                    root = Some(self.value(first)?);
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<Event<'t>, String> {
        let (event, span) = match self.events.next() {
            Some(next) => next.map_err(|error: ScanError| {
                self.line = error.marker().line();
                error.info().to_owned()
            })?,
            None => return Ok(Event::StreamEnd),
        };
        self.line = span.start.line();
        Ok(event)
    }

    fn value(&mut self, event: Event<'t>) -> Result<Value, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("nesting beyond {MAX_DEPTH} levels"));
        }
        let (anchor, value) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.budget.charge_value(text.len())?;
                (anchor, scalar(&text, style, tag.as_deref()))
            }
            Event::SequenceStart(anchor, _) => (anchor, self.list()?),
            Event::MappingStart(anchor, _) => (anchor, self.map()?),
            Event::Alias(id) => {
                let value = self.anchors.get(&id);
                let value = value.ok_or("an alias of what is not known, or not complete")?;
                self.budget.charge_copy(value)?;
                (0, value.clone())
            }
            _ => return Err("a value is missing".to_owned()),
        };
        if anchor != 0 {
            self.budget.charge_copy(&value)?;
            self.anchors.insert(anchor, value.clone());
        }
        self.depth -= 1;
        Ok(value)
    }

    fn list(&mut self) -> Result<Value, String> {
        self.budget.charge_value(0)?;
        let mut list = Vec::new();
        loop {
            match self.next()? {
                Event::SequenceEnd => return Ok(Value::Array(list)),
                event => list.push(self.value(event)?),
            }
        }
    }

    fn map(&mut self) -> Result<Value, String> {
        self.budget.charge_value(0)?;
        let mut map = Map::new();
        loop {
            let key = match self.next()? {
                Event::MappingEnd => return Ok(Value::Object(map)),
                // OpenAPI takes every key as text, also `200`.
                Event::Scalar(text, ..) => text.into_owned(),
                _ => return Err("a key that is no text".to_owned()),
            };
            self.budget.charge_entry(&map, &key)?;
            let event = self.next()?;
            let value = self.value(event)?;
            map.insert(key, value);
        }
    }
}

/// A scalar by the core schema of YAML 1.2.
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let is_text = match tag {
        Some(tag) => tag.suffix == "str" || tag.suffix.is_empty(),
        None => style != ScalarStyle::Plain,
    };
    if is_text {
        return Value::from(text);
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::from(true),
        "false" | "False" | "FALSE" => return Value::from(false),
        _ => {}
    }
    number(text).unwrap_or_else(|| Value::from(text))
}

fn number(text: &str) -> Option<Value> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return u64::from_str_radix(digits, radix).ok().map(Value::from);
        }
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let starts = unsigned.strip_prefix('.').unwrap_or(unsigned);
    if !starts.starts_with(|letter: char| letter.is_ascii_digit()) {
        return None;
    }
    // A number with leading zeros is an identifier.
    let is_name = unsigned.starts_with('0')
        && unsigned[1..].starts_with(|letter: char| letter.is_ascii_digit());
    if is_name {
        return None;
    }
    let integer = text.parse::<i64>().map(Value::from);
    let integer = integer.or_else(|_| text.parse::<u64>().map(Value::from));
    integer
        .ok()
        .or_else(|| text.parse::<f64>().ok().map(Value::from))
}

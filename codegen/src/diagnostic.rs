//! Diagnostics of a document, for the person who corrects it.

use std::fmt;

/// One mismatch between a document and the requirements of the library.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    /// JSON pointer into the document, to the offending place or to the object that lacks something.
    pub pointer: String,
    /// What the library needs there.
    pub expected: String,
    /// What the document has there.
    pub found: String,
    /// What to do about it.
    pub advice: String,
}

/// All mismatches of one document, not only the first one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The name of the document, usually a path.
    pub document: String,
    /// The mismatches, in document order where there is one.
    pub diagnostics: Vec<Diagnostic>,
}

impl Report {
    pub(crate) fn single(document: &str, diagnostic: Diagnostic) -> Self {
        Self {
            document: document.to_owned(),
            diagnostics: vec![diagnostic],
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = match self.pointer.as_str() {
            "" => "(the whole document)",
            pointer => pointer,
        };
        let line = format!(
            "at {pointer}: expected {}, found {}; {}",
            self.expected, self.found, self.advice
        );
        f.write_str(&escape_control(&line))
    }
}

/// Escapes characters that move the cursor or change the direction of text, so that the result is one line.
pub(crate) fn escape_control(text: &str) -> String {
    let moves = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let mut line = String::with_capacity(text.len());
    for letter in text.chars() {
        if moves(letter) {
            line.extend(letter.escape_unicode());
        } else {
            line.push(letter);
        }
    }
    line
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.diagnostics.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        write!(f, "{}: {count} {noun}", self.document)?;
        for diagnostic in &self.diagnostics {
            write!(f, "\n  {diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Report {}

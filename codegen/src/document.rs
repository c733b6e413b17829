//! Parses files of JSON or YAML.

use std::{fs::File, io::Read, path::Path};

use serde_json::Value;

use crate::{
    diagnostic::{Diagnostic, Report},
    memory_budget, yaml_parser,
};

/// The largest document that is read: 32 MiB.
///
/// The largest one that a vendor publishes today is a few megabytes.
pub const MAX_DOCUMENT_BYTES: usize = 32 << 20;

/// The largest YAML document that is read: 8 MiB, because reading YAML takes many times its size.
pub const MAX_YAML_BYTES: usize = 8 << 20;

/// How many `$ref`s may follow one another before a chain counts as circular.
const MAX_REFERENCE_CHAIN: usize = 64;

/// A parsed OpenAPI document, 3.0.x, 3.1.x or 3.2.x.
#[derive(Clone, Debug)]
pub struct Document {
    name: String,
    root: Value,
    is_31: bool,
}

impl Document {
    /// Reads a document from a file; the path names it in messages.
    ///
    /// # Errors
    ///
    /// A [`Report`] with one problem when the file cannot be read, is larger than
    /// [`MAX_DOCUMENT_BYTES`], or does not parse (see [`Document::parse`]). Of a pipe or a device, no more
    /// than that is read.
    pub fn read(path: &Path) -> Result<Self, Report> {
        let name = path.display().to_string();
        let unreadable = |found: String| {
            Report::single(
                &name,
                diagnostic(
                    "",
                    "a readable file",
                    found,
                    "name an existing file, by its absolute path",
                ),
            )
        };
        let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
        let length = file.metadata().map_or(0, |metadata| metadata.len());
        if length > MAX_DOCUMENT_BYTES as u64 {
            return Err(Report::single(&name, too_large(length, MAX_DOCUMENT_BYTES)));
        }
        let mut bytes = Vec::new();
        file.take(MAX_DOCUMENT_BYTES as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| unreadable(error.to_string()))?;
        Self::parse(&name, &bytes)
    }

    /// Parses JSON (a document that starts with `{`) or YAML.
    ///
    /// # Errors
    ///
    /// A [`Report`] with one problem when the bytes are too many, not UTF-8, neither JSON nor YAML
    /// (nesting beyond 128 levels, aliases that multiply, and what takes too much memory included), or
    /// not OpenAPI 3.0, 3.1 or 3.2.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, Report> {
        Self::parse_inner(name, bytes).map_err(|diagnostic| Report::single(name, diagnostic))
    }

    fn parse_inner(name: &str, bytes: &[u8]) -> Result<Self, Diagnostic> {
        if bytes.len() > MAX_DOCUMENT_BYTES {
            return Err(too_large(bytes.len() as u64, MAX_DOCUMENT_BYTES));
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|error| {
                diagnostic(
                    "",
                    "UTF-8 text",
                    error.to_string(),
                    "save the document as UTF-8",
                )
            })?
            .trim_start_matches('\u{feff}');
        let is_json = text.trim_start().starts_with('{');
        if !is_json && text.len() > MAX_YAML_BYTES {
            let mut diagnostic = too_large(text.len() as u64, MAX_YAML_BYTES);
            diagnostic.expected += " of YAML";
            diagnostic.advice = format!("convert it to JSON, or {}", diagnostic.advice);
            return Err(diagnostic);
        }
        let (form, parsed) = if is_json {
            ("a JSON document", memory_budget::parse_json(text))
        } else {
            ("a YAML document", yaml_parser::parse(text))
        };
        let root =
            parsed.map_err(|error| diagnostic("", form, error, "mend the syntax at that place"))?;
        let version = match root.get("openapi") {
            Some(Value::String(version)) => version.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let is = |minor: &str| {
            version
                .strip_prefix(minor)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let is_31 = is("3.1") || is("3.2");
        if !is_31 && !is("3.0") {
            let found = match (version.as_str(), root.get("swagger")) {
                ("", Some(swagger)) => format!("`swagger: {swagger}`"),
                ("", None) => "no `openapi` property".to_owned(),
                (version, _) => format!("`{version}`"),
            };
            return Err(diagnostic(
                "/openapi",
                "OpenAPI 3.0, 3.1 or 3.2",
                found,
                "convert the document to OpenAPI 3.0 or later, or name another file",
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            root,
            is_31,
        })
    }

    /// The name that messages use: the path it was read from.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn root(&self) -> &Value {
        &self.root
    }

    /// Whether schemas follow JSON Schema 2020-12 (OpenAPI 3.1 and later) and not the dialect of 3.0.
    pub(crate) fn is_31(&self) -> bool {
        self.is_31
    }

    /// Follows `$ref`s from `node` at `pointer` to the first node that is not a reference.
    ///
    /// `None` when a reference is not local, dangles, or is circular.
    pub(crate) fn resolve<'a>(
        &'a self,
        mut node: &'a Value,
        pointer: &str,
    ) -> Option<(&'a Value, String)> {
        let mut pointer = pointer.to_owned();
        for _ in 0..MAX_REFERENCE_CHAIN {
            let Some(reference) = node.get("$ref") else {
                return Some((node, pointer));
            };
            (node, pointer) = self.target(reference.as_str()?)?;
        }
        None
    }

    /// Returns the target of a local reference (`#/…`) and its pointer.
    pub(crate) fn target(&self, reference: &str) -> Option<(&Value, String)> {
        let pointer = percent_decode(reference.strip_prefix('#')?)?;
        Some((self.root.pointer(&pointer)?, pointer))
    }
}

/// Escapes one token of a JSON pointer: `~` and `/`.
pub fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

fn diagnostic(pointer: &str, expected: &str, found: String, advice: &str) -> Diagnostic {
    Diagnostic {
        pointer: pointer.to_owned(),
        expected: expected.to_owned(),
        found,
        advice: advice.to_owned(),
    }
}

fn too_large(length: u64, limit: usize) -> Diagnostic {
    diagnostic(
        "",
        &format!("at most {limit} bytes"),
        format!("{length} bytes"),
        "cut the document down to the part of the API that is used",
    )
}

/// A reference is a URI fragment, so a pointer in it may be percent-encoded (`%7B` for `{`).
fn percent_decode(fragment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'%' && tail.len() >= 2 {
            let hex = std::str::from_utf8(&tail[..2]).ok()?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

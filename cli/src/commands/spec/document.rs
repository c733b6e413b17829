//! Reads a document: from a file or from stdin, and tells what else it may be.

use std::{
    io::{self, Read},
    path::Path,
};

use org_invitations_codegen::Document;

use super::unusable;
use crate::{
    failure::Failure,
    output::{escape_control, shell_quote},
};

/// Whether an argument stands for stdin.
pub(super) fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// Reads a document from a file or from stdin.
pub(super) fn read(path: &Path) -> Result<Document, Failure> {
    let name = match is_stdin(path) {
        true => "stdin".to_owned(),
        false => path.display().to_string(),
    };
    if name.starts_with("https://") || name.starts_with("http://") {
        let name = escape_control(&name);
        return Err(Failure::Usage(format!(
            "{name} is a URL, and this command reads files and stdin\nhint: curl -fsSL {} | org-invitations spec \
             check -",
            shell_quote(&name)
        )));
    }
    let mut bytes = Vec::new();
    let read = match is_stdin(path) {
        true => io::stdin().lock().read_to_end(&mut bytes).map(drop),
        false => std::fs::read(path).map(|read| bytes = read),
    };
    // What cannot be read is reported by the reader of documents.
    if read.is_ok() && is_html(&bytes) {
        return Err(Failure::Usage(format!(
            "{name} is an HTML page, not an OpenAPI document in JSON or YAML\nhint: a login page, or one that shows the \
             document to people, is an answer too; look for the link to the JSON or YAML itself"
        )));
    }
    match is_stdin(path) {
        true => {
            read?;
            Document::parse(&name, &bytes).map_err(unusable)
        }
        false => Document::read(path).map_err(unusable),
    }
}

/// Whether a text begins as HTML does.
fn is_html(bytes: &[u8]) -> bool {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(1_000)]).to_lowercase();
    let start =
        start.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '\u{feff}');
    let is_comment_before = start.starts_with("<!--") && start.contains("<html");
    is_comment_before
        || ["<!doctype html", "<html", "<head"]
            .iter()
            .any(|tag| start.starts_with(tag))
}

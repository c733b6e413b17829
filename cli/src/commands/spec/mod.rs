//! `spec`: compare, check and show a vendor's OpenAPI document.

mod document;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Subcommand;
use org_invitations::bindings;
use org_invitations_codegen::{Api, Bindings, Document, Report, Surface, check};
use org_invitations_spec_diff::{Class, Finding, diff, diff_names};
use serde::Serialize;
use serde_json::{Value, json};

use self::document::{is_stdin, read};
use crate::{
    failure::{Exit, Failure},
    output::{Cell, ERROR, Format, Output, Record, SUCCESS, WARNING},
};

/// The commands about a document. The API is recognised by its paths.
#[derive(Debug, Subcommand)]
pub(crate) enum SpecCommand {
    /// Compare two versions of a document: breaking, additive and other changes.
    ///
    /// The comparison covers what the library uses, after it resolves references and lowers OpenAPI 3.1
    /// to 3.0, so moving a schema is no change. Lines of the class `bindings` name additions, removals
    /// and changes for programs that use the generated bindings directly.
    #[command(after_help = "\
Exit codes: 0 no breaking change, 1 a breaking change, 2 the documents cannot be
compared.

Example:
  org-invitations spec diff specs/clickhouse-cloud-v1.json clickhouse.json -o markdown")]
    Diff {
        /// The document in use; `-` reads it from stdin.
        old: PathBuf,
        /// The new document; `-` reads it from stdin.
        new: PathBuf,
    },
    /// Check whether the library builds from a document, without building it.
    #[command(after_help = "\
Exit codes: 0 it builds, 1 it does not build, 2 the document cannot be read.

Examples:
  org-invitations spec check clickhouse.json
  curl -fsSL https://api.clickhouse.cloud/v1 | org-invitations spec check -")]
    Check {
        /// The document; `-` reads it from stdin.
        file: PathBuf,
    },
    /// Print the part of a document that the library uses, normalised.
    #[command(after_help = "Example:\n  org-invitations spec show specs/confluent-iam-v2.yaml")]
    Show {
        /// The document; `-` reads it from stdin.
        file: PathBuf,
    },
}

pub(crate) fn run(command: &SpecCommand, out: &mut Output) -> Result<(), Failure> {
    match command {
        SpecCommand::Diff { old, new } => compare(old, new, out),
        SpecCommand::Check { file } => would_build(file, out),
        SpecCommand::Show { file } => show(file, out),
    }
}

fn compare(old: &Path, new: &Path, out: &mut Output) -> Result<(), Failure> {
    if is_stdin(old) && is_stdin(new) {
        let message = "stdin has one document; give a file for the other one";
        return Err(Failure::Usage(message.to_owned()));
    }
    let (old, new) = (read(old)?, read(new)?);
    let mut findings = Vec::new();
    let mut names = Vec::new();
    let mut compared = false;
    for bindings in known_bindings()? {
        let apis = bindings.apis();
        let both = |api: &&Api| api.is_described_by(&old) && api.is_described_by(&new);
        let common: Vec<&Api> = apis.iter().filter(both).collect();
        for api in &common {
            findings.extend(diff(&surface(&old, api)?, &surface(&new, api)?, api));
        }
        if !common.is_empty() {
            compared = true;
            names.extend(diff_names(&bindings, &old, &new).map_err(unusable)?);
        }
    }
    if !compared {
        recognised(&old)?;
        let message = format!(
            "{} and {} describe no API in common",
            old.name(),
            new.name()
        );
        return Err(Failure::Usage(message));
    }
    let printed = match out.format() {
        Format::Table if findings.is_empty() && names.is_empty() => {
            Ok(out.line("no changes that affect the library")?)
        }
        Format::Table | Format::Json | Format::Jsonl | Format::Csv | Format::Yaml => {
            records(findings.iter().chain(&names), out)
        }
        Format::Markdown => markdown(findings.iter().chain(&names), out),
    };
    match printed.and_then(|()| Ok(out.flush()?)) {
        // The reader closed the pipe, but the exit code still tells the result.
        Err(Failure::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
        printed => printed?,
    }
    let breaks = findings
        .iter()
        .any(|finding| finding.class == Class::Breaking);
    if breaks {
        Err(Failure::AlreadyReported(Exit::Failed))
    } else {
        Ok(())
    }
}

fn would_build(file: &Path, out: &mut Output) -> Result<(), Failure> {
    let is_text = match out.format() {
        Format::Csv => {
            let message = "`spec check` prints text, json, jsonl or yaml".to_owned();
            return Err(Failure::Usage(message));
        }
        format => format == Format::Table,
    };
    let document = read(file)?;
    let mut checked = Vec::new();
    for api in recognised(&document)? {
        let outcome = check(&surface(&document, &api)?, &api);
        if is_text {
            let word = if outcome.is_ok() {
                "builds"
            } else {
                "does not build"
            };
            out.line(&format!(
                "{}: the library {word} from this document",
                api.title
            ))?;
            if let Err(report) = &outcome {
                out.line(&report.to_string())?;
            }
        }
        let problems = outcome.err().map(|report| report.diagnostics);
        let problems = problems.into_iter().flatten().map(|problem| {
            json!({
                "pointer": problem.pointer,
                "expected": problem.expected,
                "found": problem.found,
                "advice": problem.advice,
            })
        });
        checked.push(CheckedApi {
            document: document.name(),
            problems: problems.collect(),
            api: api.title,
        });
    }
    if !is_text {
        out.list(&checked)?;
    }
    out.flush()?;
    match checked.iter().all(|api| api.problems.is_empty()) {
        true => Ok(()),
        false => Err(Failure::AlreadyReported(Exit::Failed)),
    }
}

/// What `spec check` prints of an API that the document describes.
#[derive(Serialize)]
struct CheckedApi<'a> {
    document: &'a str,
    api: String,
    /// The places from which the library does not build.
    problems: Vec<Value>,
}

fn show(file: &Path, out: &mut Output) -> Result<(), Failure> {
    let document = read(file)?;
    for api in recognised(&document)? {
        out.document(surface(&document, &api)?.value())?;
    }
    Ok(())
}

fn surface(document: &Document, api: &Api) -> Result<Surface, Failure> {
    Surface::new(document, api).map_err(unusable)
}

fn unusable(report: Report) -> Failure {
    Failure::Usage(report.to_string())
}

/// The bindings of the library and their requirements.
fn known_bindings() -> Result<Vec<Bindings>, Failure> {
    let read = |text: &&str| Bindings::from_description(text).map_err(unusable);
    bindings::descriptions().iter().map(read).collect()
}

/// The APIs that the library uses and the document describes.
fn recognised(document: &Document) -> Result<Vec<Api>, Failure> {
    let all = known_bindings()?;
    let all: Vec<Api> = all.iter().flat_map(Bindings::apis).collect();
    let titles: Vec<&str> = all.iter().map(|api| api.title.as_str()).collect();
    let titles = titles.join(", ");
    let apis: Vec<Api> = all
        .iter()
        .filter(|api| api.is_described_by(document))
        .cloned()
        .collect();
    if apis.is_empty() {
        let message = format!(
            "{}: it has none of the operations that the library uses; the known APIs are {titles}",
            document.name()
        );
        return Err(Failure::Usage(message));
    }
    Ok(apis)
}

/// A finding for every format.
#[derive(Serialize)]
struct FindingRecord<'a> {
    class: &'a str,
    pointer: &'a str,
    before: &'a Value,
    after: &'a Value,
    message: &'a str,
}

impl<'a> FindingRecord<'a> {
    fn new(finding: &'a Finding) -> Self {
        Self {
            class: finding.class.as_str(),
            pointer: &finding.pointer,
            before: &finding.before,
            after: &finding.after,
            message: &finding.message,
        }
    }
}

impl Record for FindingRecord<'_> {
    const TABLE: &'static [&'static str] = &["CLASS", "POINTER", "BEFORE", "AFTER", "MESSAGE"];
    const CSV: &'static [&'static str] = &["class", "pointer", "before", "after", "message"];
    const WRAPPED: &'static [&'static str] = &["MESSAGE", "POINTER", "BEFORE", "AFTER"];

    fn row(&self) -> Vec<Cell> {
        let class = match self.class {
            "breaking" => ERROR,
            "additive" => SUCCESS,
            _ => WARNING,
        };
        vec![
            Cell::new(self.class).styled(class),
            Cell::new(self.pointer),
            Cell::new(short(self.before)),
            Cell::new(short(self.after)),
            Cell::new(self.message),
        ]
    }

    fn line(&self) -> Vec<String> {
        let text = |value: &Value| match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        vec![
            self.class.to_owned(),
            self.pointer.to_owned(),
            text(self.before),
            text(self.after),
            self.message.to_owned(),
        ]
    }
}

fn records<'a>(
    findings: impl Iterator<Item = &'a Finding>,
    out: &mut Output,
) -> Result<(), Failure> {
    let mut records = out.records();
    for finding in findings {
        records.push(&FindingRecord::new(finding))?;
    }
    Ok(records.finish()?)
}

fn markdown<'a>(
    findings: impl Iterator<Item = &'a Finding>,
    out: &mut Output,
) -> Result<(), Failure> {
    let mut findings = findings.peekable();
    if findings.peek().is_none() {
        return Ok(out.line("No changes that affect the library.")?);
    }
    // A pipe would end the cell, a backtick the code, and a line break the row.
    let code = |text: &str| match text {
        "" => String::new(),
        text => format!(
            "`{}`",
            text.replace('`', "'")
                .replace('|', "\\|")
                .replace('\n', " ")
        ),
    };
    let words = |text: &str| {
        text.replace('<', "&lt;")
            .replace('|', "\\|")
            .replace('\n', " ")
    };
    out.line("| class | pointer | before | after | message |")?;
    out.line("|---|---|---|---|---|")?;
    for finding in findings {
        let class = match finding.class {
            Class::Breaking => "**breaking**",
            other => other.as_str(),
        };
        let (before, after) = (short(&finding.before), short(&finding.after));
        out.line(&format!(
            "| {class} | {} | {} | {} | {} |",
            code(&finding.pointer),
            code(&before),
            code(&after),
            words(&finding.message),
        ))?;
    }
    Ok(())
}

/// A value on one short line. JSON has the complete value.
fn short(value: &Value) -> String {
    const MAX_CHARS: usize = 60;
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        // A keyword and its value.
        Value::Object(map) if map.len() == 1 => {
            let entries = map.iter().map(|(keyword, value)| match value {
                Value::Null => format!("no {keyword}"),
                Value::String(text) => format!("{keyword}: {text}"),
                other => format!("{keyword}: {other}"),
            });
            entries.collect()
        }
        other => other.to_string(),
    };
    if text.chars().count() <= MAX_CHARS {
        return text;
    }
    text.chars().take(MAX_CHARS - 1).chain(['…']).collect()
}

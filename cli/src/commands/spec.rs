//! `spec`: a vendor's document, compared, checked and shown.

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

use crate::{
    failure::{Exit, Failure},
    output::{Cell, Format, Output, Record, Shape, bad, doubtful, good},
};

/// What can be asked of a document. The API is recognised from its paths.
#[derive(Debug, Subcommand)]
pub(crate) enum SpecCommand {
    /// Compare two documents of one API: what breaks, what is new, what does not matter.
    ///
    /// Only what the library uses counts, after resolving references and lowering OpenAPI 3.1 to 3.0,
    /// so moving a schema is no change. Lines of the class `bindings` name what a program that uses
    /// the generated bindings directly gains, loses or finds changed.
    #[command(after_help = "\
Exit codes: 0 nothing breaks, 1 something breaks, 2 the documents could not be
compared.

Example:
  org-invitations spec diff specs/clickhouse-cloud-v1.json clickhouse.json -o markdown")]
    Diff {
        /// The document that is in use.
        old: PathBuf,
        /// The document that is to replace it.
        new: PathBuf,
    },
    /// Say whether the library would build from a document, without building.
    #[command(after_help = "\
Exit codes: 0 it would, 1 it would not, 2 the document could not be read.

Example:
  org-invitations spec check clickhouse.json")]
    Check {
        /// The document.
        file: PathBuf,
    },
    /// Print the part of a document that the library uses, normalised.
    #[command(after_help = "Example:\n  org-invitations spec show specs/confluent-iam-v2.yaml")]
    Show {
        /// The document.
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
    let (old, new) = (read(old)?, read(new)?);
    let mut findings = Vec::new();
    let mut names = Vec::new();
    let mut compared = false;
    for bindings in known()? {
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
            Ok(out.line("nothing changed that the library uses")?)
        }
        Format::Table | Format::Jsonl | Format::Csv => records(findings.iter().chain(&names), out),
        Format::Json | Format::Yaml => document(&findings, &names, out),
        Format::Markdown => markdown(findings.iter().chain(&names), out),
    };
    match printed.and_then(|()| Ok(out.flush()?)) {
        // Whoever reads has had enough, but the verdict stands.
        Err(Failure::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
        printed => printed?,
    }
    let breaks = findings
        .iter()
        .any(|finding| finding.class == Class::Breaking);
    if breaks {
        Err(Failure::Said(Exit::Refused))
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
    let mut problems = Vec::new();
    for api in recognised(&document)? {
        match check(&surface(&document, &api)?, &api) {
            Ok(()) if !is_text => {}
            Ok(()) => out.line(&format!("{}: the library builds from it", api.title))?,
            Err(report) if !is_text => problems.extend(report.diagnostics),
            Err(report) => {
                out.line(&format!(
                    "{}: the library does not build from it",
                    api.title
                ))?;
                out.line(&report.to_string())?;
                problems.extend(report.diagnostics);
            }
        }
    }
    if !is_text {
        let problems: Vec<Value> = problems
            .iter()
            .map(|problem| {
                json!({
                    "pointer": problem.pointer,
                    "expected": problem.expected,
                    "found": problem.found,
                    "advice": problem.advice,
                })
            })
            .collect();
        out.document(&json!({ "document": document.name(), "problems": problems }))?;
    }
    out.flush()?;
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Failure::Said(Exit::Refused))
    }
}

fn show(file: &Path, out: &mut Output) -> Result<(), Failure> {
    let document = read(file)?;
    for api in recognised(&document)? {
        out.document(surface(&document, &api)?.value())?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<Document, Failure> {
    Document::read(path).map_err(unusable)
}

fn surface(document: &Document, api: &Api) -> Result<Surface, Failure> {
    Surface::new(document, api).map_err(unusable)
}

fn unusable(report: Report) -> Failure {
    Failure::Usage(report.to_string())
}

/// The bindings that the library was built with, and what it needs of their documents.
fn known() -> Result<Vec<Bindings>, Failure> {
    let read = |text: &&str| Bindings::from_description(text).map_err(unusable);
    bindings::descriptions().iter().map(read).collect()
}

/// The APIs that the library uses and the document describes.
fn recognised(document: &Document) -> Result<Vec<Api>, Failure> {
    let all = known()?;
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
            "{}: none of the operations that the library uses is in it; it knows {titles}",
            document.name()
        );
        return Err(Failure::Usage(message));
    }
    Ok(apis)
}

/// A finding, as every format has it.
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
    const TABLE: &'static [&'static str] = &["CLASS", "WHERE", "BEFORE", "AFTER", "WHAT"];
    const CSV: &'static [&'static str] = &["class", "pointer", "before", "after", "message"];

    fn row(&self) -> Vec<Cell> {
        let class = match self.class {
            "breaking" => bad(),
            "additive" => good(),
            _ => doubtful(),
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
    let mut records = out.records(Shape::Many);
    for finding in findings {
        records.push(&FindingRecord::new(finding))?;
    }
    Ok(records.finish()?)
}

fn document(findings: &[Finding], names: &[Finding], out: &mut Output) -> Result<(), Failure> {
    let records =
        |findings: &[Finding]| json!(findings.iter().map(FindingRecord::new).collect::<Vec<_>>());
    Ok(out.document(&json!({ "findings": records(findings), "bindings": records(names) }))?)
}

fn markdown<'a>(
    findings: impl Iterator<Item = &'a Finding>,
    out: &mut Output,
) -> Result<(), Failure> {
    let mut findings = findings.peekable();
    if findings.peek().is_none() {
        return Ok(out.line("Nothing changed that the library uses.")?);
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
    out.line("| | where | before | after | what |")?;
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

/// A value on one line that people can take in; the JSON has the whole of it.
fn short(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        // A keyword and what it is.
        Value::Object(map) if map.len() == 1 => {
            let said = map.iter().map(|(keyword, value)| match value {
                Value::Null => format!("no {keyword}"),
                Value::String(text) => format!("{keyword}: {text}"),
                other => format!("{keyword}: {other}"),
            });
            said.collect()
        }
        other => other.to_string(),
    };
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

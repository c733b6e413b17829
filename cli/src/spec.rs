//! `spec`: a vendor's document, compared, checked and shown.

use std::{
    io::{self, Write},
    path::Path,
};

use org_invitations_codegen::{Api, Class, Document, Finding, Report, Surface, check, diff};
use serde_json::{Value, json};

use crate::{
    arguments::{Format, SpecCommand},
    failure::Failure,
    output::Output,
};

pub(crate) fn run<W: Write>(command: &SpecCommand, out: &mut Output<W>) -> Result<(), Failure> {
    match command {
        SpecCommand::Diff { old, new } => compare(old, new, out),
        SpecCommand::Check { file } => would_build(file, out),
        SpecCommand::Show { file } => show(file, out),
    }
}

fn compare<W: Write>(old: &Path, new: &Path, out: &mut Output<W>) -> Result<(), Failure> {
    let (old, new) = (read(old)?, read(new)?);
    let described = Api::recognise(&new);
    let apis = recognised(&old)?
        .into_iter()
        .filter(|api| described.iter().any(|other| other.module == api.module));
    let apis: Vec<_> = apis.collect();
    if apis.is_empty() {
        let message = format!(
            "{} and {} describe no API in common",
            old.name(),
            new.name()
        );
        return Err(Failure::Usage(message));
    }
    let mut findings = Vec::new();
    for api in apis {
        let (old, new) = (surface(&old, api)?, surface(&new, api)?);
        findings.extend(diff(&old, &new, api));
    }
    let printed = match out.format() {
        Format::Table => table(&findings, out),
        Format::Json => json_document(&findings, out),
        Format::Markdown => markdown(&findings, out),
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
        Err(Failure::Negative)
    } else {
        Ok(())
    }
}

fn would_build<W: Write>(file: &Path, out: &mut Output<W>) -> Result<(), Failure> {
    let document = read(file)?;
    let mut problems = Vec::new();
    for api in recognised(&document)? {
        match check(&surface(&document, api)?, api) {
            Ok(()) if out.format() == Format::Json => {}
            Ok(()) => out.line(&format!("{}: the library builds from it", api.title))?,
            Err(report) if out.format() == Format::Json => problems.extend(report.problems),
            Err(report) => {
                out.line(&format!(
                    "{}: the library does not build from it",
                    api.title
                ))?;
                out.line(&report.to_string())?;
                problems.extend(report.problems);
            }
        }
    }
    if out.format() == Format::Json {
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
        out.json(&json!({ "document": document.name(), "problems": problems }))?;
    }
    out.flush()?;
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Failure::Negative)
    }
}

fn show<W: Write>(file: &Path, out: &mut Output<W>) -> Result<(), Failure> {
    let document = read(file)?;
    for api in recognised(&document)? {
        out.json(surface(&document, api)?.value())?;
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

fn recognised(document: &Document) -> Result<Vec<&'static Api>, Failure> {
    let apis = Api::recognise(document);
    if apis.is_empty() {
        let known = Api::ALL.map(|api| api.title).join(", ");
        let message = format!(
            "{}: none of the operations that the library uses is in it; it knows {known}",
            document.name()
        );
        return Err(Failure::Usage(message));
    }
    Ok(apis)
}

fn table<W: Write>(findings: &[Finding], out: &mut Output<W>) -> Result<(), Failure> {
    if findings.is_empty() {
        return Ok(out.line("nothing changed that the library uses")?);
    }
    let rows = findings.iter().map(|finding| {
        [
            finding.class.to_string(),
            finding.pointer.clone(),
            short(&finding.before),
            short(&finding.after),
            finding.message.clone(),
        ]
    });
    Ok(out.rows(["CLASS", "WHERE", "BEFORE", "AFTER", "WHAT"], rows)?)
}

fn json_document<W: Write>(findings: &[Finding], out: &mut Output<W>) -> Result<(), Failure> {
    let findings: Vec<Value> = findings
        .iter()
        .map(|finding| {
            json!({
                "class": finding.class.as_str(),
                "pointer": finding.pointer,
                "before": finding.before,
                "after": finding.after,
                "message": finding.message,
            })
        })
        .collect();
    Ok(out.json(&json!({ "findings": findings }))?)
}

fn markdown<W: Write>(findings: &[Finding], out: &mut Output<W>) -> Result<(), Failure> {
    if findings.is_empty() {
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

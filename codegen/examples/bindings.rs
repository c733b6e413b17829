//! Writes the bindings of a document, to be included in a crate:
//!
//! ```text
//! bindings FILE [--operation 'GET /path']… [--all] [--module crate::api] --out OUT.rs [--document LOWERED.json]
//! ```
//!
//! Without `--operation`, all operations are selected. `--document` writes the lowered OpenAPI 3.0 document. The exit
//! status is 1 if generation fails, and 2 if the arguments are invalid.

use std::{env, fs, path::Path, process::ExitCode};

use org_invitations_codegen::{Bindings, Document, Source};

const USAGE: &str = "usage: bindings FILE [--operation 'GET /path']... [--all] [--module crate::api] --out OUT.rs \
                     [--document LOWERED.json]";

#[derive(Default)]
struct Arguments {
    files: Vec<String>,
    operations: Vec<String>,
    all: bool,
    module: Option<String>,
    out: Option<String>,
    document: Option<String>,
}

fn main() -> ExitCode {
    let arguments = match arguments(env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(wrong) => {
            eprintln!("{wrong}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut read = Arguments::default();
    while let Some(argument) = given.next() {
        let mut value = || given.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--operation" => read.operations.push(value()?),
            "--module" => read.module = Some(value()?),
            "--out" => read.out = Some(value()?),
            "--document" => read.document = Some(value()?),
            "--all" => read.all = true,
            _ if argument.starts_with('-') => return Err(format!("there is no {argument}")),
            _ => read.files.push(argument),
        }
    }
    if read.files.is_empty() || read.out.is_none() {
        return Err("a FILE and --out are needed".to_owned());
    }
    Ok(read)
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let read = |file: &String| Document::read(Path::new(file)).map_err(|report| report.to_string());
    let documents = arguments
        .files
        .iter()
        .map(read)
        .collect::<Result<Vec<_>, _>>()?;
    let source = Source::new(&arguments.files[0]).operations(&arguments.operations);
    let source = if arguments.all || arguments.operations.is_empty() {
        source.all()
    } else {
        source
    };
    let mut bindings = Bindings::new("api").source(source);
    if let Some(module) = &arguments.module {
        bindings = bindings.module(module);
    }
    let generated = bindings
        .generate_from(&documents, &[])
        .map_err(|report| report.to_string())?;
    for note in &generated.notes {
        eprintln!("note: {note}");
    }
    let write = |file: &String, text: &str| {
        fs::write(file, text).map_err(|error| format!("cannot write {file}: {error}"))
    };
    if let Some(file) = &arguments.out {
        write(file, &generated.rust)?;
    }
    if let Some(file) = &arguments.document {
        let text =
            serde_json::to_string_pretty(&generated.document).map_err(|error| error.to_string())?;
        write(file, &text)?;
    }
    Ok(())
}

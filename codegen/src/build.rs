//! What a build script calls.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::exit,
};

use crate::{api::Api, document::Document, generate::generate};

/// Generates every client into `$OUT_DIR/<module>.rs`, from the documents in `specs/` of the package
/// that is being built or from those that the environment names instead.
///
/// Tells Cargo what the build depends on. When a document cannot be used, prints every problem as a
/// Cargo error and ends the build.
pub fn build() {
    let specs = directory("CARGO_MANIFEST_DIR").join("specs");
    let out = directory("OUT_DIR");
    let failures: Vec<String> = Api::ALL
        .into_iter()
        .filter_map(|api| build_one(api, &specs, &out).err())
        .collect();
    if failures.is_empty() {
        return;
    }
    for line in failures.iter().flat_map(|failure| failure.lines()) {
        println!("cargo::error={line}");
    }
    exit(1);
}

fn build_one(api: &Api, specs: &Path, out: &Path) -> Result<(), String> {
    println!("cargo::rerun-if-env-changed={}", api.variable);
    let document = match env::var_os(api.variable).filter(|path| !path.is_empty()) {
        Some(path) => PathBuf::from(path),
        None => specs.join(api.document),
    };
    println!("cargo::rerun-if-changed={}", document.display());
    let client = Document::read(&document)
        .and_then(|document| generate(&document, api))
        .map_err(|report| report.to_string())?;
    let file = out.join(api.module).with_extension("rs");
    fs::write(&file, client).map_err(|error| format!("cannot write {}: {error}", file.display()))
}

fn directory(variable: &str) -> PathBuf {
    env::var_os(variable).map(PathBuf::from).unwrap_or_default()
}

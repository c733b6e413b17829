//! What a build script calls.

use std::{
    env, fs,
    path::{Path, PathBuf},
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
    for api in Api::ALL {
        let outcome = build_one(api, &specs, &out);
        // Cargo prints these and ends the build, after every document had its say.
        for line in outcome.err().iter().flat_map(|failure| failure.lines()) {
            println!("cargo::error={line}");
        }
    }
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

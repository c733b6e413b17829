//! The entry point for build scripts.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{
    bindings::{Bindings, Source},
    diagnostic::{Diagnostic, Report},
    document::Document,
    emit::SourceFile,
    generate::source_file,
    lower::Documents,
};

impl Bindings {
    /// Generates the bindings into `$OUT_DIR/<name>.rs`, from the sources' documents or from those that the
    /// environment names instead; `$OUT_DIR/<name>.json` is an OpenAPI 3.0 document that says the same.
    ///
    /// This is meant for build scripts: the function prints dependencies and warnings for Cargo. If a document cannot be
    /// used, the function prints every problem as a Cargo error, which ends the build.
    pub fn generate(&self) {
        if let Err(failure) = self.write_output() {
            // Cargo ends the build after the build script, so that other modules still report their problems.
            failure
                .lines()
                .for_each(|line| println!("cargo::error={line}"));
        }
    }

    fn write_output(&self) -> Result<(), String> {
        let root = path_variable("CARGO_MANIFEST_DIR");
        let named = self.named_paths()?;
        let (sources, files) = match &named {
            Some(paths) => self.load_named(&root, paths)?,
            None => self.load_own(&root)?,
        };
        let generated = self
            .generate_sources(&sources, &files)
            .map_err(|report| report.to_string())?;
        for note in &generated.notes {
            println!("cargo::warning={}: {note}", self.name);
        }
        let file = path_variable("OUT_DIR").join(&self.name);
        let document = format!("{:#}\n", generated.document);
        for (extension, text) in [("rs", generated.rust), ("json", document)] {
            let file = file.with_extension(extension);
            fs::write(&file, text)
                .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        }
        Ok(())
    }

    /// Returns the absolute paths that the environment variable lists.
    fn named_paths(&self) -> Result<Option<Vec<PathBuf>>, String> {
        let Some(variable) = &self.variable else {
            return Ok(None);
        };
        println!("cargo::rerun-if-env-changed={variable}");
        for (name, _) in env::vars_os() {
            let name = name.to_string_lossy();
            if is_misspelt(&name, variable) {
                println!(
                    "cargo::warning=the variable {name} is not read; the one that names documents is {variable}"
                );
            }
        }
        let Some(value) = env::var_os(variable).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        let mut paths = Vec::new();
        for path in env::split_paths(&value).filter(|path| !path.as_os_str().is_empty()) {
            if path.is_relative() {
                return Err(relative_path_error(variable, &path));
            }
            paths.push(path);
        }
        Ok((!paths.is_empty()).then_some(paths))
    }

    fn load_own(&self, root: &Path) -> Result<(Vec<Documents>, Vec<SourceFile>), String> {
        let mut loader = DocumentLoader::default();
        let mut sources = Vec::new();
        for source in &self.sources {
            let document = loader.document(&root.join(&source.document), true);
            sources.extend(document.map(|document| Documents {
                documents: vec![document],
                own: None,
            }));
        }
        loader.finish().map(|files| (sources, files))
    }

    fn load_named(
        &self,
        root: &Path,
        paths: &[PathBuf],
    ) -> Result<(Vec<Documents>, Vec<SourceFile>), String> {
        let mut loader = DocumentLoader::default();
        let named: Vec<Document> = paths
            .iter()
            .filter_map(|path| loader.document(path, false))
            .collect();
        for document in &named {
            println!(
                "cargo::warning=the bindings of {} are generated from {}, not from the document that comes with the library",
                self.name,
                document.name()
            );
        }
        let load_own = |source: &Source, loader: &mut DocumentLoader| {
            let mut quiet = DocumentLoader::default();
            let own = quiet.document(&root.join(&source.document), true);
            loader.reports.append(&mut quiet.reports);
            own
        };
        let mut sources = Vec::new();
        for source in &self.sources {
            sources.push(Documents {
                own: load_own(source, &mut loader),
                documents: named.clone(),
            });
        }
        loader.finish().map(|files| (sources, files))
    }
}

/// Reads documents, and collects the files and the problems.
#[derive(Default)]
struct DocumentLoader {
    files: Vec<SourceFile>,
    reports: Vec<Report>,
}

impl DocumentLoader {
    fn document(&mut self, path: &Path, own: bool) -> Option<Document> {
        println!("cargo::rerun-if-changed={}", path.display());
        match Document::read(path) {
            Ok(document) => {
                let digest = hmac_sha256::Hash::hash(&fs::read(path).unwrap_or_default());
                let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                self.files.push(source_file(&document, &digest, own));
                Some(document)
            }
            Err(report) => {
                self.reports.push(report);
                None
            }
        }
    }

    fn finish(self) -> Result<Vec<SourceFile>, String> {
        if self.reports.is_empty() {
            return Ok(self.files);
        }
        let reports = self.reports.iter().map(Report::to_string);
        Err(reports.collect::<Vec<_>>().join("\n"))
    }
}

/// The error for a relative path. Cargo runs a build script in the folder of the package, where a path relative to the
/// user's folder names another file or none.
fn relative_path_error(variable: &str, path: &Path) -> String {
    let meant = env::var_os("PWD").map(|current| Path::new(&current).join(path));
    let meant = meant.filter(|path| path.exists());
    let meant = meant.map_or_else(String::new, |path| {
        format!("; probably {} is meant", path.display())
    });
    let diagnostic = Diagnostic {
        pointer: String::new(),
        expected: format!("an absolute path in {variable}"),
        found: format!("the relative path {}{meant}", path.display()),
        advice: "name the file by its absolute path, or set the variable under `[env]` in .cargo/config.toml \
                 with `relative = true`"
            .to_owned(),
    };
    diagnostic.to_string()
}

/// Whether a variable has almost the name of the one that is read.
fn is_misspelt(name: &str, variable: &str) -> bool {
    name != variable && edit_distance(name, variable) <= 4 && name.len() > 8
}

/// The Levenshtein distance.
fn edit_distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (place, against) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *against);
            diagonal = row[place + 1];
            row[place + 1] = changed.min(diagonal + 1).min(row[place] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

fn path_variable(variable: &str) -> PathBuf {
    env::var_os(variable).map(PathBuf::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::is_misspelt;

    #[test]
    fn only_similar_names_are_misspelt() {
        let read = "ORG_INVITATIONS_CLICKHOUSE_SPEC";
        for name in [
            "ORG_INVITATIONS_CLICKHOUSE_SPECS",
            "ORG_INVITATION_CLICKHOUSE_SPEC",
            "ORG_INVITATIONS_CLIKHOUSE_SPEC",
        ] {
            assert!(is_misspelt(name, read), "{name}");
        }
        for name in [
            read,
            "ORG_INVITATIONS_CONFLUENT_SPEC",
            "PATH",
            "ORG_INVITATIONS_CLICKHOUSE",
        ] {
            assert!(!is_misspelt(name, read), "{name}");
        }
    }
}

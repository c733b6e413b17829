//! Generates the Rust text of a module from documents.

use serde_json::Value;

use crate::{
    api::Api,
    bindings::{Bindings, Source},
    check::check,
    diagnostic::{Diagnostic, Report, escape_control},
    document::Document,
    emit::{self, SourceFile},
    lower::{self, Documents, model::Model, openapi},
    select,
    surface::Surface,
};

/// The generated code of one module of bindings.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The Rust text, to be included in the module that [`Bindings::module`] names.
    pub rust: String,
    /// An OpenAPI 3.0 document that describes the same API.
    pub document: Value,
    /// Notes on parts of the documents that were left out or changed, each with its pointer.
    pub notes: Vec<String>,
}

impl Bindings {
    /// Generates from these documents, in place of those that the environment or the sources name. An operation
    /// is taken from the first document that has it. Optional parts that none has are taken from `own`, the
    /// project's own documents.
    ///
    /// # Errors
    ///
    /// A [`Report`] of everything that is missing or cannot be generated.
    pub fn generate_from(
        &self,
        documents: &[Document],
        own: &[Document],
    ) -> Result<Generated, Report> {
        let sources = self.sources.iter().map(|source| {
            let own = own.iter().find(|own| has_selected_operation(source, own));
            Documents {
                documents: documents.to_vec(),
                own: own.cloned(),
            }
        });
        let sources: Vec<_> = sources.collect();
        let files: Vec<_> = documents
            .iter()
            .map(|document| source_file(document, "", false))
            .collect();
        self.generate_sources(&sources, &files)
    }

    pub(crate) fn generate_sources(
        &self,
        sources: &[Documents],
        files: &[SourceFile],
    ) -> Result<Generated, Report> {
        let model = self.model(sources)?;
        let rust = emit::emit(self, &model, files).map_err(|diagnostic| Report {
            document: document_names(sources),
            diagnostics: vec![diagnostic],
        })?;
        Ok(Generated {
            rust,
            document: openapi::document(&model, openapi::Form::default()),
            notes: model
                .notes
                .iter()
                .map(|note| escape_control(note))
                .collect(),
        })
    }

    /// Checks the documents and lowers them.
    fn model(&self, sources: &[Documents]) -> Result<Model, Report> {
        let mut diagnostics = Vec::new();
        for (source, documents) in self.sources.iter().zip(sources) {
            diagnostics.extend(missing_requirements(source, &documents.documents));
        }
        if !diagnostics.is_empty() {
            return Err(Report {
                document: document_names(sources),
                diagnostics,
            });
        }
        lower::lower(self, sources)
    }
}

pub(crate) fn source_file(document: &Document, sha256: &str, own: bool) -> SourceFile {
    let info = |key: &str| {
        document.root()["info"][key]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let file = std::path::Path::new(document.name()).file_name();
    SourceFile {
        title: info("title"),
        version: info("version"),
        file: file
            .map(|file| file.to_string_lossy().into_owned())
            .unwrap_or_default(),
        sha256: sha256.to_owned(),
        own,
    }
}

fn has_selected_operation(source: &Source, document: &Document) -> bool {
    let mut selected = source.selected.iter();
    selected
        .any(|each| !select::find(document, &each.endpoint.method, &each.endpoint.path).is_empty())
}

fn document_names(sources: &[Documents]) -> String {
    let documents = sources.iter().flat_map(|source| &source.documents);
    let mut names: Vec<&str> = Vec::new();
    for document in documents {
        if !names.contains(&document.name()) {
            names.push(document.name());
        }
    }
    names.join(", ")
}

/// Returns a diagnostic for every required part that the documents lack.
fn missing_requirements(source: &Source, documents: &[Document]) -> Vec<Diagnostic> {
    let candidates: Vec<&Document> = documents.iter().collect();
    let mut diagnostics = lower::missing_operations(source, &candidates);
    let has_several = documents.len() > 1;
    let api = source.api();
    for (index, document) in documents.iter().enumerate() {
        // Each operation is checked in the document that it is taken from.
        let is_taken_here = |operation: &&crate::api::Operation| {
            let first = documents.iter().position(|document| {
                !select::find(document, &operation.method, &operation.path).is_empty()
            });
            first == Some(index)
        };
        let part = Api {
            operations: api
                .operations
                .iter()
                .filter(is_taken_here)
                .cloned()
                .collect(),
            ..api.clone()
        };
        if part.operations.is_empty() {
            continue;
        }
        let found = Surface::new(document, &part).and_then(|surface| check(&surface, &part));
        let Err(report) = found else { continue };
        diagnostics.extend(report.diagnostics.into_iter().map(|mut diagnostic| {
            if has_several {
                diagnostic.pointer = format!("{}#{}", document.name(), diagnostic.pointer);
            }
            diagnostic
        }));
    }
    // The check covers what the builder names. Documents without any selected operation are a mistake too.
    let selects = source.all || !source.selected.is_empty();
    let finds = documents.iter().any(|document| {
        source.all && !select::operations(document).is_empty()
            || has_selected_operation(source, document)
    });
    let is_required = source.all
        || source
            .selected
            .iter()
            .any(|each| each.need == crate::api::Need::Required);
    if diagnostics.is_empty() && selects && is_required && !finds {
        diagnostics.push(Diagnostic {
            pointer: "/paths".to_owned(),
            expected: format!("operations of {}", source.display_title()),
            found: "none of them".to_owned(),
            advice: "name a document of that API".to_owned(),
        });
    }
    diagnostics
}

//! Lowers documents to the model that Rust is generated from.
//!
//! | module | what it does |
//! |---|---|
//! | `effective` | effective schemas: references are followed and parts are merged |
//! | `schema`, `union`, `unify` | types: objects, sets of values, unions, and one type for two |
//! | `operation`, `parameter`, `media_type` | parameters, requests, successes and failures |
//! | `pins`, `overlay`, `offers` | pinned names, parts that a document lacks, and constants that tell which |
//! | `naming` | the names of types, methods and parameters |
//! | `openapi` | the model as an OpenAPI 3.0 document, for progenitor and for people |
//! | `docs`, `idents` | documentation and identifiers of Rust |
//!
//! A server may differ from its document, and one unexpected value must not make a list unreadable: nothing in a response
//! is required, sets of values are open, and formats, patterns, limits and defaults are dropped.

pub(crate) mod docs;
mod effective;
pub(crate) mod idents;
mod media_type;
pub(crate) mod model;
mod naming;
mod offers;
pub(crate) mod openapi;
mod operation;
mod overlay;
mod parameter;
mod pins;
mod schema;
mod unify;
mod union;

use std::collections::HashSet;

use crate::{
    api::Need,
    bindings::{Bindings, Source},
    diagnostic::{Diagnostic, Report},
    document::Document,
    path, select,
};
use effective::SchemaResolver;
use model::Model;
pub(crate) use naming::variants;
use operation::Operations;
use schema::Schemas;

/// The documents of one source: those that the environment names, or the project's own document.
pub(crate) struct Documents {
    pub documents: Vec<Document>,
    /// The project's own document, if `documents` are others.
    pub own: Option<Document>,
}

/// Lowers the selected operations of all sources to one module of bindings.
///
/// # Errors
///
/// A [`Report`] if a call of the builder is invalid, if documents expand without end, or if types with one pinned name
/// are of different kinds.
pub(crate) fn lower(bindings: &Bindings, sources: &[Documents]) -> Result<Model, Report> {
    let errors = bindings.sources.iter().flat_map(|source| &source.errors);
    let errors: Vec<Diagnostic> = errors.map(|error| builder_diagnostic(error)).collect();
    if !errors.is_empty() {
        return Err(Report {
            document: format!("the table of `{}`", bindings.name),
            diagnostics: errors,
        });
    }
    let all: Vec<Vec<&Document>> = sources
        .iter()
        .map(|source| source.documents.iter().collect())
        .collect();
    let mut model = lower_documents(bindings, &all)?;
    let has_own = sources.iter().any(|source| source.own.is_some());
    let own = if has_own {
        let own = sources.iter().map(|source| match &source.own {
            Some(own) => vec![own],
            None => source.documents.iter().collect(),
        });
        let own: Vec<_> = own.collect();
        let mut own_model = lower_documents(bindings, &own)?;
        pins::pin(bindings, &mut own_model).map_err(|diagnostics| report_for(&own, diagnostics))?;
        offers::coerce(bindings, &mut own_model);
        Some(own_model)
    } else {
        None
    };
    let mut imported = overlay::Imported::new();
    if let Some(own) = &own {
        overlay::wrap_in_envelopes(bindings, &mut model, own, &mut imported);
    }
    pins::pin(bindings, &mut model).map_err(|diagnostics| report_for(&all, diagnostics))?;
    if let Some(own) = &own {
        overlay::overlay(bindings, &mut model, own, &mut imported);
    }
    offers::coerce(bindings, &mut model);
    offers::offers(bindings, &mut model);
    naming::assign(&mut model);
    describe(bindings, &all, &mut model);
    Ok(model)
}

fn builder_diagnostic(error: &str) -> Diagnostic {
    Diagnostic {
        pointer: String::new(),
        expected: "a table that can be read".to_owned(),
        found: error.to_owned(),
        advice: "mend the call in the build script".to_owned(),
    }
}

fn report_for(documents: &[Vec<&Document>], diagnostics: Vec<Diagnostic>) -> Report {
    Report {
        document: document_names(documents),
        diagnostics,
    }
}

fn document_names(documents: &[Vec<&Document>]) -> String {
    let mut names: Vec<&str> = documents
        .iter()
        .flatten()
        .map(|document| document.name())
        .collect();
    names.dedup();
    names.join(", ")
}

fn lower_documents(bindings: &Bindings, sources: &[Vec<&Document>]) -> Result<Model, Report> {
    // Several sources may name the same document.
    let mut documents: Vec<&Document> = Vec::new();
    for document in sources.iter().flatten() {
        if !documents
            .iter()
            .any(|known| known.name() == document.name())
        {
            documents.push(document);
        }
    }
    let index_of = |document: &Document| {
        documents
            .iter()
            .position(|known| known.name() == document.name())
            .unwrap_or(0)
    };
    let mut schemas = Schemas::new(SchemaResolver {
        documents: &documents,
    });
    let mut operations = Vec::new();
    for (source, candidates) in bindings.sources.iter().zip(sources) {
        for (document, found, pin) in select_operations(source, candidates) {
            let mut reader = Operations {
                schemas: &mut schemas,
                document: index_of(document),
            };
            operations.push(reader.read(&found, pin));
        }
    }
    if schemas.exhausted() {
        let diagnostic = Diagnostic {
            pointer: "/components".to_owned(),
            expected: "references that expand to a bounded number of schemas".to_owned(),
            found: "too many of them".to_owned(),
            advice: "cut the document down to the part of the API that is used".to_owned(),
        };
        return Err(report_for(sources, vec![diagnostic]));
    }
    let mut model = schemas.model;
    let is_selected = |path: &str| {
        let mut sources = bindings.sources.iter();
        sources.any(|source| source.all || source.selects_all_of(path))
    };
    let left_out = documents
        .iter()
        .flat_map(|document| select::left_out(document, is_selected));
    model.notes.extend(left_out);
    model.operations = operations;
    Ok(model)
}

/// An operation with its document and its pinned name.
type SelectedOperation<'s, 'd> = (&'d Document, select::Found<'d>, Option<Pin<'s>>);

/// The name and the path that the builder gives an operation.
#[derive(Clone, Copy)]
pub(super) struct Pin<'s> {
    pub id: &'s str,
    /// The path with its variables.
    pub path: &'s str,
}

/// Returns the operations that a source selects, each from the first document that has it.
fn select_operations<'s, 'd>(
    source: &'s Source,
    candidates: &[&'d Document],
) -> Vec<SelectedOperation<'s, 'd>> {
    let mut selected_operations: Vec<SelectedOperation<'s, 'd>> = Vec::new();
    let mut known = HashSet::new();
    let mut is_new =
        |found: &select::Found<'_>| known.insert((found.method, path::template(&found.path)));
    for each in &source.selected {
        let found = candidates.iter().find_map(|document| {
            let found = select::find(document, &each.endpoint.method, &each.endpoint.path);
            (!found.is_empty()).then_some((*document, found))
        });
        let (document, found) = match found {
            Some((document, found)) => (document, found),
            None => continue,
        };
        for found in found {
            if is_new(&found) {
                let pin = each.id.as_deref().map(|id| Pin {
                    id,
                    path: &each.endpoint.path,
                });
                selected_operations.push((document, found, pin));
            }
        }
    }
    if source.all {
        for document in candidates {
            for found in select::generated(document) {
                if is_new(&found) {
                    selected_operations.push((*document, found, None));
                }
            }
        }
    }
    selected_operations
}

/// Sets the title, version and description of the client.
fn describe(bindings: &Bindings, sources: &[Vec<&Document>], model: &mut Model) {
    let info = |document: &&Document, key: &str| {
        document.root()["info"][key]
            .as_str()
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let mut described: Vec<(String, String)> = Vec::new();
    for document in sources.iter().flatten() {
        let entry = (info(document, "title"), info(document, "version"));
        if !described.contains(&entry) {
            described.push(entry);
        }
    }
    let first = described.first().cloned().unwrap_or_default();
    model.title = bindings.title.clone().unwrap_or(first.0);
    model.version = described
        .iter()
        .map(|(_, version)| version.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    let one = match sources.iter().flatten().collect::<Vec<_>>().as_slice() {
        [one] => docs::clean(&info(one, "description")),
        _ => None,
    };
    model.description = one.or_else(|| {
        let list = described
            .iter()
            .map(|(title, version)| format!("- {title}, version {version}"));
        docs::clean(&format!(
            "From these documents:\n\n{}",
            list.collect::<Vec<_>>().join("\n")
        ))
    });
}

/// Returns a diagnostic for every required operation that no document has.
pub(crate) fn missing_operations(source: &Source, candidates: &[&Document]) -> Vec<Diagnostic> {
    let missing = source.selected.iter().filter(|each| {
        each.need == Need::Required
            && !candidates.iter().any(|document| {
                !select::find(document, &each.endpoint.method, &each.endpoint.path).is_empty()
            })
    });
    missing
        .map(|each| {
            let id = each
                .id
                .as_ref()
                .map_or_else(String::new, |id| format!(" ({id})"));
            Diagnostic {
                pointer: "/paths".to_owned(),
                expected: format!("the operation `{}`{id}", each.endpoint),
                found: "no such operation".to_owned(),
                advice: crate::check::ADVICE_MISSING.to_owned(),
            }
        })
        .collect()
}

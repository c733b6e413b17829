//! From documents to what becomes Rust.
//!
//! | module | what it does |
//! |---|---|
//! | `view` | follows references and merges parts: what a schema says of a value |
//! | `schema` | types: objects, sets of values, unions, and what two of them have in common |
//! | `operation` | parameters, requests, successes and failures |
//! | `needs` | what the code around the bindings names: pinned names, and what a document lacks |
//! | `naming` | the names of everything |
//! | `render` | the OpenAPI 3.0 document that says the same, for progenitor and for people |
//! | `words`, `idents` | documentation and identifiers as Rust has them |
//!
//! A server may differ from its document, and one odd value must not lose a list: nothing in a response is
//! required, sets of values are open, and formats, patterns, limits and defaults are not kept.

pub(crate) mod idents;
pub(crate) mod model;
mod naming;
mod needs;
mod operation;
pub(crate) mod render;
mod schema;
mod view;
pub(crate) mod words;

use std::collections::HashSet;

use crate::{
    api::Need,
    bindings::{Bindings, Source},
    diagnostic::{Diagnostic, Report},
    document::Document,
    path, select,
};
use model::Model;
pub(crate) use naming::variants;
use operation::Operations;
use schema::Schemas;
use view::Viewer;

/// The documents of one source: those that the environment names, or the project's own.
pub(crate) struct Documents {
    pub documents: Vec<Document>,
    /// The project's own document, where others are in its place.
    pub own: Option<Document>,
}

/// Lowers the selected operations of all sources to one module of bindings.
///
/// # Errors
///
/// A [`Report`] when a builder's table cannot be read, when documents expand without end, or when places
/// that were given one name are of different kinds.
pub(crate) fn lower(bindings: &Bindings, sources: &[Documents]) -> Result<Model, Report> {
    let mistakes = bindings.sources.iter().flat_map(|source| &source.mistakes);
    let mistakes: Vec<Diagnostic> = mistakes.map(|mistake| table_problem(mistake)).collect();
    if !mistakes.is_empty() {
        return Err(Report {
            document: format!("the table of `{}`", bindings.name),
            diagnostics: mistakes,
        });
    }
    let all: Vec<Vec<&Document>> = sources
        .iter()
        .map(|source| source.documents.iter().collect())
        .collect();
    let mut model = lower_these(bindings, &all)?;
    let lacking = sources.iter().any(|source| source.own.is_some());
    let own = if lacking {
        let own = sources.iter().map(|source| match &source.own {
            Some(own) => vec![own],
            None => source.documents.iter().collect(),
        });
        let own: Vec<_> = own.collect();
        let mut own_model = lower_these(bindings, &own)?;
        needs::pin(bindings, &mut own_model)
            .map_err(|diagnostics| in_documents(&own, diagnostics))?;
        needs::coerce(bindings, &mut own_model);
        Some(own_model)
    } else {
        None
    };
    let mut imported = needs::Imported::new();
    if let Some(own) = &own {
        needs::unwrap(bindings, &mut model, own, &mut imported);
    }
    needs::pin(bindings, &mut model).map_err(|diagnostics| in_documents(&all, diagnostics))?;
    if let Some(own) = &own {
        needs::overlay(bindings, &mut model, own, &mut imported);
    }
    needs::coerce(bindings, &mut model);
    needs::offers(bindings, &mut model);
    naming::assign(&mut model);
    describe(bindings, &all, &mut model);
    Ok(model)
}

fn table_problem(mistake: &str) -> Diagnostic {
    Diagnostic {
        pointer: String::new(),
        expected: "a table that can be read".to_owned(),
        found: mistake.to_owned(),
        advice: "mend the call in the build script".to_owned(),
    }
}

fn in_documents(documents: &[Vec<&Document>], diagnostics: Vec<Diagnostic>) -> Report {
    Report {
        document: name_of(documents),
        diagnostics,
    }
}

fn name_of(documents: &[Vec<&Document>]) -> String {
    let mut names: Vec<&str> = documents
        .iter()
        .flatten()
        .map(|document| document.name())
        .collect();
    names.dedup();
    names.join(", ")
}

fn lower_these(bindings: &Bindings, sources: &[Vec<&Document>]) -> Result<Model, Report> {
    // One document that several sources name is one.
    let mut documents: Vec<&Document> = Vec::new();
    for document in sources.iter().flatten() {
        if !documents
            .iter()
            .any(|known| known.name() == document.name())
        {
            documents.push(document);
        }
    }
    let place = |document: &Document| {
        documents
            .iter()
            .position(|known| known.name() == document.name())
            .unwrap_or(0)
    };
    let mut schemas = Schemas::new(Viewer {
        documents: &documents,
    });
    let mut operations = Vec::new();
    for (source, candidates) in bindings.sources.iter().zip(sources) {
        for (document, found, pin) in selected(source, candidates) {
            let mut reader = Operations {
                schemas: &mut schemas,
                document: place(document),
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
        return Err(in_documents(sources, vec![diagnostic]));
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

/// An operation, the document that has it, and what is pinned of it.
type Chosen<'s, 'd> = (&'d Document, select::Found<'d>, Option<Pin<'s>>);

/// What an operation is called in place of its own names.
#[derive(Clone, Copy)]
pub(super) struct Pin<'s> {
    pub id: &'s str,
    /// The path, with its variables.
    pub path: &'s str,
}

/// The operations that a source selects, each from the first document that has it.
fn selected<'s, 'd>(source: &'s Source, candidates: &[&'d Document]) -> Vec<Chosen<'s, 'd>> {
    let mut chosen: Vec<Chosen<'s, 'd>> = Vec::new();
    let mut known = HashSet::new();
    let mut is_new =
        |found: &select::Found<'_>| known.insert((found.method, path::template(&found.path)));
    for each in &source.selected {
        let found = candidates.iter().find_map(|document| {
            let found = select::find(document, &each.call.method, &each.call.path);
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
                    path: &each.call.path,
                });
                chosen.push((document, found, pin));
            }
        }
    }
    if source.all {
        for document in candidates {
            for found in select::generated(document) {
                if is_new(&found) {
                    chosen.push((*document, found, None));
                }
            }
        }
    }
    chosen
}

/// Says of what the client is one.
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
        [one] => words::clean(&info(one, "description")),
        _ => None,
    };
    model.description = one.or_else(|| {
        let list = described
            .iter()
            .map(|(title, version)| format!("- {title}, version {version}"));
        words::clean(&format!(
            "From these documents:\n\n{}",
            list.collect::<Vec<_>>().join("\n")
        ))
    });
}

/// Whether all that is needed is there: what is lacking of essential operations is a problem.
pub(crate) fn missing_operations(source: &Source, candidates: &[&Document]) -> Vec<Diagnostic> {
    let lacking = source.selected.iter().filter(|each| {
        each.need == Need::Required
            && !candidates.iter().any(|document| {
                !select::find(document, &each.call.method, &each.call.path).is_empty()
            })
    });
    lacking
        .map(|each| {
            let id = each
                .id
                .as_ref()
                .map_or_else(String::new, |id| format!(" ({id})"));
            Diagnostic {
                pointer: "/paths".to_owned(),
                expected: format!("the operation `{}`{id}", each.call),
                found: "no such operation".to_owned(),
                advice: crate::check::ADVICE_MISSING.to_owned(),
            }
        })
        .collect()
}

//! The documents in `specs/` say what the vendors' own documents say.

use std::path::{Path, PathBuf};

use org_invitations_codegen::{Api, Document, Surface, check, generate};
use serde_json::Value;

/// The vendors' own documents, for checkouts that have them at hand.
fn upstream(api: &Api) -> Option<PathBuf> {
    let name = match api.module {
        "clickhouse" => "clickhouse-cloud.json",
        _ => api.document,
    };
    let path = root().join("../shared/upstream").join(name);
    if !path.exists() {
        eprintln!(
            "skipped: the vendor's own document of {} is not here",
            api.title
        );
        return None;
    }
    Some(path)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn ours(api: &Api) -> Document {
    Document::read(&root().join("specs").join(api.document)).unwrap()
}

/// Where two values differ, one line a place.
fn differences(ours: &Value, theirs: &Value, at: &str, found: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(one), Value::Object(other)) => {
            let mut keys: Vec<_> = one.keys().chain(other.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let (one, other) = (&ours[key], &theirs[key]);
                differences(one, other, &format!("{at}/{key}"), found);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                differences(one, other, &format!("{at}/{index}"), found);
            }
        }
        _ if ours == theirs => {}
        _ => found.push(format!("{at}: ours {ours}, the vendor's {theirs}")),
    }
}

fn assert_faithful(api: &Api) {
    let Some(path) = upstream(api) else { return };
    let theirs = Document::read(&path).unwrap();
    let ours = Surface::new(&ours(api), api).unwrap();
    let theirs = Surface::new(&theirs, api).unwrap();
    let mut found = Vec::new();
    differences(ours.value(), theirs.value(), "", &mut found);
    assert!(
        found.is_empty(),
        "{} differs:\n{}",
        api.title,
        found.join("\n")
    );
}

#[test]
fn our_confluent_document_says_what_the_vendors_does() {
    assert_faithful(&org_invitations_codegen::api::CONFLUENT);
}

#[test]
fn our_confluent_sts_document_says_what_the_vendors_does() {
    assert_faithful(&org_invitations_codegen::api::CONFLUENT_STS);
}

#[test]
fn our_clickhouse_document_says_what_the_vendors_does() {
    assert_faithful(&org_invitations_codegen::api::CLICKHOUSE);
}

#[test]
fn our_document_and_the_vendors_generate_the_same_client() {
    for api in Api::ALL {
        let ours = generate(&ours(api), api).unwrap();
        let Some(path) = upstream(api) else { continue };
        let theirs = generate(&Document::read(&path).unwrap(), api).unwrap();
        assert_eq!(ours, theirs, "{}", api.title);
    }
}

/// A surface that lost something would make the comparisons above pass for nothing.
#[test]
fn the_surface_keeps_every_operation_status_and_header() {
    for (api, statuses, headers) in [
        (&org_invitations_codegen::api::CONFLUENT, 29, 63),
        (&org_invitations_codegen::api::CONFLUENT_STS, 4, 7),
        (&org_invitations_codegen::api::CLICKHOUSE, 12, 0),
    ] {
        let surface = Surface::new(&ours(api), api).unwrap();
        check(&surface, api).unwrap();
        let operations = || {
            let paths = surface.value()["paths"].as_object().unwrap().values();
            paths.flat_map(|item| item.as_object().unwrap().values())
        };
        let responses =
            || operations().flat_map(|op| op["responses"].as_object().unwrap().values());
        let named = responses().filter_map(|response| response["headers"].as_object());
        assert_eq!(operations().count(), api.operations.len(), "{}", api.title);
        assert_eq!(responses().count(), statuses, "statuses of {}", api.title);
        assert_eq!(
            named.map(|headers| headers.len()).sum::<usize>(),
            headers,
            "headers of {}",
            api.title
        );
    }
}

/// The snapshots show in review what a change of `specs/` or `codegen/` means; `specs/README.md` says
/// how to renew them.
#[test]
fn the_snapshots_are_what_the_documents_say() {
    for api in Api::ALL {
        let surface = Surface::new(&ours(api), api).unwrap();
        let now = serde_json::to_string_pretty(surface.value()).unwrap() + "\n";
        let stem = Path::new(api.document).file_stem().unwrap();
        let path = root()
            .join("tests/snapshots")
            .join(stem)
            .with_extension("json");
        let committed = std::fs::read_to_string(&path).unwrap();
        assert!(
            committed == now,
            "{} is not current; see specs/README.md",
            path.display()
        );
    }
}

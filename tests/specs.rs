//! The documents in `specs/` say what the vendors' own documents say.

use std::path::{Path, PathBuf};

use org_invitations_codegen::{Api, Bindings, Document, Surface, check};
use serde_json::Value;

#[path = "../build.rs"]
#[allow(dead_code)]
mod tables;

/// Every API of the tables.
fn apis() -> Vec<Api> {
    let mut apis = tables::confluent().apis();
    apis.extend(tables::clickhouse().apis());
    apis
}

/// The API whose document in `specs/` has this name.
fn api(name: &str) -> Api {
    let mut apis = apis().into_iter();
    apis.find(|api| stem(api) == name).unwrap()
}

fn stem(api: &Api) -> &str {
    let file = Path::new(&api.document).file_stem();
    file.and_then(|stem| stem.to_str()).unwrap()
}

/// The vendors' own documents, for checkouts that have them at hand.
fn upstream(api: &Api) -> Option<PathBuf> {
    let name = match stem(api) {
        "clickhouse-cloud-v1" => "clickhouse-cloud.json".to_owned(),
        name => format!("{name}.yaml"),
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
    Document::read(&root().join(&api.document)).unwrap()
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

fn assert_faithful(name: &str) {
    let api = api(name);
    let Some(path) = upstream(&api) else { return };
    let theirs = Document::read(&path).unwrap();
    let ours = Surface::new(&ours(&api), &api).unwrap();
    let theirs = Surface::new(&theirs, &api).unwrap();
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
fn our_iam_document_says_what_the_vendors_does() {
    assert_faithful("confluent-iam-v2");
}

#[test]
fn our_apikeys_document_says_what_the_vendors_does() {
    assert_faithful("confluent-apikeys-v2");
}

#[test]
fn our_mds_document_says_what_the_vendors_does() {
    assert_faithful("confluent-mds-v2");
}

#[test]
fn our_org_document_says_what_the_vendors_does() {
    assert_faithful("confluent-org-v2");
}

#[test]
fn our_sts_document_says_what_the_vendors_does() {
    assert_faithful("confluent-sts-v1");
}

#[test]
fn our_clickhouse_document_says_what_the_vendors_does() {
    assert_faithful("clickhouse-cloud-v1");
}

/// The bindings differ in words and in the names of types that nobody pinned, and in nothing else.
#[test]
fn our_documents_and_the_vendors_make_the_same_bindings() {
    for bindings in [tables::confluent(), tables::clickhouse()] {
        let apis = bindings.apis();
        let own: Vec<Document> = apis.iter().map(ours).collect();
        let paths: Vec<Option<PathBuf>> = apis.iter().map(upstream).collect();
        if paths.iter().all(Option::is_none) {
            continue;
        }
        // Where one of the vendor's documents is not here, ours stands in for it.
        let theirs = paths.iter().zip(&own).map(|(path, own)| match path {
            Some(path) => Document::read(path).unwrap(),
            None => own.clone(),
        });
        let theirs: Vec<Document> = theirs.collect();
        let ours = lowered(&bindings, &own, &own);
        let theirs = lowered(&bindings, &theirs, &own);
        assert_eq!(method_names(&ours), method_names(&theirs));
        for name in pinned_names(&bindings) {
            for document in [&ours, &theirs] {
                let schemas = &document["components"]["schemas"];
                assert!(schemas.get(&name).is_some(), "no {name}");
            }
        }
        for api in apis {
            let surface = |value: &Value| {
                let document = Document::parse("lowered", value.to_string().as_bytes()).unwrap();
                Surface::new(&document, &api).unwrap()
            };
            let mut found = Vec::new();
            differences(
                surface(&ours).value(),
                surface(&theirs).value(),
                "",
                &mut found,
            );
            assert!(
                found.is_empty(),
                "{} differs:\n{}",
                api.title,
                found.join("\n")
            );
        }
    }
}

/// The document that says the same as the bindings.
fn lowered(bindings: &Bindings, documents: &[Document], own: &[Document]) -> Value {
    let generated = bindings.generate_from(documents, own);
    generated
        .unwrap_or_else(|report| panic!("{report}"))
        .document
}

fn method_names(lowered: &Value) -> Vec<&str> {
    let items = lowered["paths"].as_object().unwrap().values();
    let operations = items.flat_map(|item| item.as_object().unwrap().values());
    let mut names: Vec<&str> = operations
        .filter_map(|it| it["operationId"].as_str())
        .collect();
    names.sort_unstable();
    names
}

fn pinned_names(bindings: &Bindings) -> Vec<String> {
    let description: Value = serde_json::from_str(&bindings.description()).unwrap();
    let sources = description["sources"].as_array().unwrap().iter();
    let pins = sources.flat_map(|source| source["names"].as_array().unwrap());
    pins.map(|pin| pin["name"].as_str().unwrap().to_owned())
        .collect()
}

/// A surface that lost something would make the comparisons above pass for nothing.
#[test]
fn the_surface_keeps_every_operation_status_and_header() {
    for (name, operations, statuses, headers) in [
        ("confluent-iam-v2", 8, 59, 126),
        ("confluent-apikeys-v2", 2, 13, 29),
        ("confluent-mds-v2", 4, 27, 33),
        ("confluent-org-v2", 3, 23, 48),
        ("confluent-sts-v1", 1, 4, 7),
        ("clickhouse-cloud-v1", 17, 51, 0),
    ] {
        let api = api(name);
        assert_eq!(api.operations.len(), operations, "operations of {name}");
        let surface = Surface::new(&ours(&api), &api).unwrap();
        check(&surface, &api).unwrap();
        let found = || {
            let paths = surface.value()["paths"].as_object().unwrap().values();
            paths.flat_map(|item| item.as_object().unwrap().values())
        };
        let responses = || found().flat_map(|op| op["responses"].as_object().unwrap().values());
        let named = responses().filter_map(|response| response["headers"].as_object());
        assert_eq!(found().count(), operations, "operations of {name}");
        assert_eq!(responses().count(), statuses, "statuses of {name}");
        assert_eq!(
            named.map(|headers| headers.len()).sum::<usize>(),
            headers,
            "headers of {name}"
        );
    }
}

/// The snapshots show in review what a change of `specs/` or `codegen/` means; `specs/README.md` says
/// how to renew them.
#[test]
fn the_snapshots_are_what_the_documents_say() {
    for api in apis() {
        let surface = Surface::new(&ours(&api), &api).unwrap();
        let now = serde_json::to_string_pretty(surface.value()).unwrap() + "\n";
        let path = root()
            .join("tests/snapshots")
            .join(stem(&api))
            .with_extension("json");
        let committed = std::fs::read_to_string(&path).unwrap();
        assert!(
            committed == now,
            "{} is not current; see specs/README.md",
            path.display()
        );
    }
}

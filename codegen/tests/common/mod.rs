//! Fixtures of the tests: the tables of the library's build script, the project's documents, and a parser of generated
//! code.
#![allow(dead_code)]

pub mod output;
#[path = "../../../build.rs"]
mod tables;
pub mod used_part;

use std::{
    path::{Path, PathBuf},
    slice,
    sync::OnceLock,
};

use org_invitations_codegen::{Api, Bindings, Document, Generated, Report, Surface};
use serde_json::Value;
pub use tables::{clickhouse, confluent};

/// One source of the tables: an API, bindings of it alone, and the project's document of it.
pub struct Fixture {
    /// The name of the document in `specs/`, without its extension.
    pub name: &'static str,
    pub api: Api,
    pub bindings: Bindings,
    /// The project's document, parsed.
    pub own: Document,
    /// The project's document as JSON.
    pub value: Value,
    /// The name of the vendor's own document in `../shared/upstream`.
    upstream: &'static str,
}

/// Every source of the tables, in their order.
pub fn fixtures() -> &'static [Fixture] {
    static FIXTURES: OnceLock<Vec<Fixture>> = OnceLock::new();
    FIXTURES.get_or_init(|| {
        vec![
            Fixture::new(confluent(), "confluent-iam-v2", "confluent-iam-v2.yaml"),
            Fixture::new(
                confluent(),
                "confluent-apikeys-v2",
                "confluent-apikeys-v2.yaml",
            ),
            Fixture::new(confluent(), "confluent-mds-v2", "confluent-mds-v2.yaml"),
            Fixture::new(confluent(), "confluent-org-v2", "confluent-org-v2.yaml"),
            Fixture::new(confluent(), "confluent-sts-v1", "confluent-sts-v1.yaml"),
            Fixture::new(clickhouse(), "clickhouse-cloud-v1", "clickhouse-cloud.json"),
        ]
    })
}

fn fixture(name: &str) -> &'static Fixture {
    let mut all = fixtures().iter();
    all.find(|fixture| fixture.name == name).unwrap()
}

/// Confluent's invitations and users.
pub fn iam() -> &'static Fixture {
    fixture("confluent-iam-v2")
}

/// Confluent's API keys.
pub fn api_keys() -> &'static Fixture {
    fixture("confluent-apikeys-v2")
}

/// Confluent's role bindings.
pub fn role_bindings() -> &'static Fixture {
    fixture("confluent-mds-v2")
}

/// Confluent's organisations.
pub fn organizations() -> &'static Fixture {
    fixture("confluent-org-v2")
}

/// Confluent's exchange of tokens.
pub fn sts() -> &'static Fixture {
    fixture("confluent-sts-v1")
}

/// All that is selected of ClickHouse.
pub fn clickhouse_cloud() -> &'static Fixture {
    fixture("clickhouse-cloud-v1")
}

impl Fixture {
    fn new(of: Bindings, name: &'static str, upstream: &'static str) -> Self {
        let apis = of.apis();
        let api = apis.into_iter().find(|api| stem(&api.document) == name);
        let api = api.unwrap_or_else(|| panic!("the tables have no {name}"));
        let path = root().join(&api.document);
        Self {
            name,
            own: Document::read(&path).unwrap(),
            value: read_value(&path).unwrap(),
            bindings: alone(&of, &api.document),
            upstream,
            api,
        }
    }

    /// Generates from a document in place of the project's own one.
    pub fn generate(&self, document: &Document) -> Result<Generated, Report> {
        self.bindings
            .generate_from(slice::from_ref(document), slice::from_ref(&self.own))
    }

    /// The surface of a document.
    pub fn surface(&self, document: &Document) -> Result<Surface, Report> {
        Surface::new(document, &self.api)
    }

    /// The vendor's own document, if the checkout has it.
    pub fn upstream(&self) -> Option<PathBuf> {
        let path = upstream().join(self.upstream);
        if path.exists() {
            return Some(path);
        }
        eprintln!("skipped: no {}", path.display());
        None
    }
}

/// The root of the package that the tables belong to.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The folder of the vendors' own documents.
pub fn upstream() -> PathBuf {
    root().join("../shared/upstream")
}

/// The project's own documents of these bindings.
pub fn own_documents(bindings: &Bindings) -> Vec<Document> {
    let own = |api: &Api| Document::read(&root().join(&api.document)).unwrap();
    bindings.apis().iter().map(own).collect()
}

/// A document of JSON or YAML as a value; `None` if the file is absent.
pub fn read_value(path: &Path) -> Option<Value> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(match path.extension().and_then(|it| it.to_str()) {
        Some("json") => serde_json::from_str(&text).unwrap(),
        _ => serde_norway::from_str(&text).unwrap(),
    })
}

/// The document as the crate reads it.
pub fn parsed(name: &str, value: &Value) -> Document {
    Document::parse(name, value.to_string().as_bytes()).unwrap_or_else(|report| panic!("{report}"))
}

/// The bindings with one of their sources only.
fn alone(bindings: &Bindings, document: &str) -> Bindings {
    let mut description: Value = serde_json::from_str(&bindings.description()).unwrap();
    let sources = description["sources"].as_array_mut().unwrap();
    sources.retain(|source| source["document"] == document);
    Bindings::from_description(&description.to_string()).unwrap()
}

fn stem(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or_default();
    file.split_once('.').map_or(file, |(stem, _)| stem)
}

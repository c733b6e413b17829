//! The documents that are mutated: ours and, where they are at hand, the vendors' own.

use std::path::Path;

use org_invitations_codegen::{Api, Document, Surface};
use serde_json::Value;

use crate::pruned::pruned;

/// One document of one API.
pub struct Specimen {
    pub api: &'static Api,
    /// The file's name, below `specs` or `upstream`.
    pub name: String,
    pub value: Value,
}

/// The used part of every document of `api` that is there.
pub fn specimens(api: &'static Api) -> Vec<Specimen> {
    let specimen = |(name, whole)| {
        let value = pruned(&whole, api);
        Specimen { api, name, value }
    };
    whole(api).into_iter().map(specimen).collect()
}

/// Every document of `api` that is there, by its name.
pub fn whole(api: &Api) -> Vec<(String, Value)> {
    let upstream = match api.module {
        "confluent" => "confluent-iam-v2.yaml",
        "confluent_sts" => "confluent-sts-v1.yaml",
        _ => "clickhouse-cloud.json",
    };
    let crate_root = env!("CARGO_MANIFEST_DIR");
    let files = [
        ("specs", format!("{crate_root}/../specs/{}", api.document)),
        (
            "upstream",
            format!("{crate_root}/../../shared/upstream/{upstream}"),
        ),
    ];
    let mut documents = Vec::new();
    for (folder, path) in files {
        let Ok(text) = std::fs::read_to_string(&path) else {
            assert_eq!(folder, "upstream", "{path} is missing");
            eprintln!("skipped: no {path}");
            continue;
        };
        let value = if path.ends_with(".json") {
            serde_json::from_str(&text).unwrap()
        } else {
            serde_norway::from_str(&text).unwrap()
        };
        let file = Path::new(&path).file_name().unwrap().to_str().unwrap();
        let name = format!("{folder}/{file}");
        documents.push((name, value));
    }
    documents
}

/// The document as the crate reads it.
pub fn parsed(name: &str, value: &Value) -> Document {
    Document::parse(name, value.to_string().as_bytes()).unwrap_or_else(|report| panic!("{report}"))
}

/// What the crate makes of the document.
pub fn surface(name: &str, value: &Value, api: &Api) -> Surface {
    Surface::new(&parsed(name, value), api).unwrap_or_else(|report| panic!("{report}"))
}

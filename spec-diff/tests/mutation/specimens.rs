//! The documents that are mutated: ours and, where they are at hand, the vendors' own.

use org_invitations_codegen::Surface;
use serde_json::Value;

use crate::common::{self, Fixture, pruned::pruned, read_value};

/// One document of one API.
pub struct Specimen {
    pub fixture: &'static Fixture,
    /// The file's name, below `specs` or `upstream`.
    pub name: String,
    pub value: Value,
}

/// The used part of every document of an API that is there.
pub fn specimens(fixture: &'static Fixture) -> Vec<Specimen> {
    let specimen = |(name, whole)| {
        let value = pruned(&whole, &fixture.api);
        Specimen {
            fixture,
            name,
            value,
        }
    };
    whole(fixture).into_iter().map(specimen).collect()
}

/// Every document of an API that is there, by its name.
pub fn whole(fixture: &Fixture) -> Vec<(String, Value)> {
    let mut documents = vec![(format!("specs/{}", fixture.name), fixture.value.clone())];
    if let Some(path) = fixture.upstream() {
        let value = read_value(&path).unwrap();
        documents.push((format!("upstream/{}", fixture.name), value));
    }
    documents
}

/// What the crate makes of the document.
pub fn surface(name: &str, value: &Value, fixture: &Fixture) -> Surface {
    let document = common::parsed(name, value);
    fixture
        .surface(&document)
        .unwrap_or_else(|report| panic!("{report}"))
}

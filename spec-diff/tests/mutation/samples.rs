//! The documents that are mutated: the project's and, if the checkout has them, the vendors' own.

use org_invitations_codegen::Surface;
use serde_json::Value;

use crate::common::{self, Fixture, read_value, used_part::used_part};

/// One document of one API.
pub struct Sample {
    pub fixture: &'static Fixture,
    /// The file's name, below `specs` or `upstream`.
    pub name: String,
    pub value: Value,
}

/// The used part of every document of an API that is there.
pub fn samples(fixture: &'static Fixture) -> Vec<Sample> {
    let sample = |(name, whole)| {
        let value = used_part(&whole, &fixture.api);
        Sample {
            fixture,
            name,
            value,
        }
    };
    whole(fixture).into_iter().map(sample).collect()
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

/// The surface of the document.
pub fn surface(name: &str, value: &Value, fixture: &Fixture) -> Surface {
    let document = common::parsed(name, value);
    fixture
        .surface(&document)
        .unwrap_or_else(|report| panic!("{report}"))
}

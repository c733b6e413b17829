//! Bindings as JSON, from which a program knows what a compiled library needs.

use org_invitations_codegen::{Bindings, Source, Type};

use crate::common::{clickhouse, confluent, own_documents};

#[test]
fn a_description_reads_back_as_the_same_bindings() {
    for bindings in [confluent(), clickhouse()] {
        let read = Bindings::from_description(&bindings.description()).unwrap();
        assert_eq!(read.description(), bindings.description());
        assert_eq!(
            format!("{:?}", read.apis()),
            format!("{:?}", bindings.apis())
        );
        let own = own_documents(&bindings);
        let generated = |bindings: &Bindings| bindings.generate_from(&own, &own).unwrap();
        let (one, other) = (generated(&bindings), generated(&read));
        assert!(one.rust == other.rust);
        assert_eq!(one.document, other.document);
        assert_eq!(one.notes, other.notes);
    }
}

#[test]
fn every_part_of_a_builder_is_described() {
    let bindings = Bindings::new("pets")
        .title("Pets")
        .module("crate::pets")
        .support("crate::support")
        .env("PETS_SPEC")
        .source(
            Source::new("specs/pets.yaml")
                .title("Pets v1")
                .all()
                .envelope("result")
                .operation("GET /pets", "listPets")
                .offer_operation("DELETE /pets/{id}", "deletePet")
                .operations(["* /pets/{id}"])
                .name("GET /pets#response/data/*", "Pet")
                .name("POST /pets#form", "NewPet")
                .name("POST /pets#failure", "Problem")
                .require("Pet.id", Type::Text)
                .offer("Pet.born.at", Type::DateTime)
                .offer("Pet.tags", Type::TextList)
                .offer("Pet.owner", Type::Named)
                .send("GET /pets?limit", Type::Integer)
                .offer("GET /pets?kind", Type::Text),
        )
        .source(Source::new("specs/others.yaml").operations(["GET /others"]));
    let description = bindings.description();
    let read = Bindings::from_description(&description).unwrap();
    assert_eq!(read.description(), description);
    assert_eq!(format!("{read:?}"), format!("{bindings:?}"));
}

#[test]
fn a_text_that_is_no_description_is_refused() {
    let whole = confluent().description();
    for text in [
        "",
        "{}",
        "[]",
        "null",
        "words",
        "{\"name\": 5}",
        &whole[1..],
        &whole.replace("\"always\"", "\"never\""),
    ] {
        let report = Bindings::from_description(text).unwrap_err();
        assert!(
            report.to_string().contains("a description of bindings"),
            "{report}"
        );
    }
}

#[test]
fn a_description_with_an_invalid_call_is_refused_when_used() {
    let text = clickhouse().description().replace(
        "\"GET /v1/organizations/{organizationId}/roles\"",
        "\"nonsense\"",
    );
    assert_ne!(text, clickhouse().description());
    let read = Bindings::from_description(&text);
    let own = own_documents(&clickhouse());
    let report = read
        .and_then(|bindings| bindings.generate_from(&own, &own))
        .unwrap_err();
    assert!(report.to_string().contains("nonsense"), "{report}");
}

//! Invalid arguments of a builder, and builders that do not match a document.

use org_invitations_codegen::{Bindings, Generated, Report, Source, Type};
use serde_json::{Value, json};

use crate::small_documents::{document, generate, object, output as output_of};

#[test]
fn every_invalid_argument_of_a_builder_is_listed() {
    let bindings = Bindings::new("api")
        .source(
            Source::new("small.json")
                .operation("nonsense", "x")
                .offer_operation("GET users", "y")
                .operations(["* x"])
                .name("nonsense", "A")
                .name("GET /x#nowhere", "B")
                .name("GET /x", "C")
                .require("nonsense", Type::Text)
                .offer("what?limit", Type::Integer),
        )
        .source(Source::new("other.json").name("bad#response", "D"));
    let report = generate(&bindings, &document("3.0.3", json!({}), json!({}))).unwrap_err();
    let text = report.to_string();
    assert_eq!(report.diagnostics.len(), 9, "{text}");
    for mistake in [
        "`nonsense` is not an operation",
        "`GET users` is not an operation",
        "`* x` is not an operation",
        "`nonsense` names no place",
        "`GET /x#nowhere` names no place",
        "`GET /x` names no place",
        "`nonsense` is neither a parameter",
        "`what` is not an operation",
        "`bad` is not an operation",
    ] {
        assert!(text.contains(mistake), "{mistake} in {text}");
    }
}

fn json_body(schema: Value) -> Value {
    json!({ "content": { "application/json": { "schema": schema } } })
}

/// Two operations, whose successes are these.
fn two(one: Value, other: Value) -> Value {
    let get = |id: &str, schema: Value| {
        let mut response = json_body(schema);
        response["description"] = json!("");
        json!({ "get": { "operationId": id, "responses": { "200": response } } })
    };
    document(
        "3.0.3",
        json!({ "/one": get("one", one), "/other": get("other", other) }),
        json!({}),
    )
}

/// Bindings of two operations with one name for the property `thing` of both.
fn pinned(one: Value, other: Value) -> Result<Generated, Report> {
    let bindings = Bindings::new("api").source(
        Source::new("small.json")
            .operations(["GET /one", "GET /other"])
            .name("GET /one#response/thing", "Thing")
            .name("GET /other#response/thing", "Thing"),
    );
    let holder = |thing: Value| object(json!({ "thing": thing }));
    generate(&bindings, &two(holder(one), holder(other)))
}

/// The pointer of the property `thing` of an operation.
fn place(path: &str) -> String {
    format!("/paths/~1{path}/get/responses/200/content/application~1json/schema/properties/thing")
}

#[test]
fn types_of_different_kinds_under_one_name_are_refused() {
    let thing = object(json!({ "a": { "type": "string" } }));
    let set = json!({ "type": "string", "enum": ["a", "b"] });
    for (one, other) in [(thing.clone(), set.clone()), (set, thing)] {
        let text = pinned(one, other).unwrap_err().to_string();
        for words in [place("one"), place("other"), "`Thing`".to_owned()] {
            assert!(text.contains(&words), "{words} in {text}");
        }
    }
}

#[test]
fn an_object_and_a_plain_type_under_one_name_are_refused() {
    let thing = || object(json!({ "a": { "type": "string" } }));
    for other in [
        json!({ "type": "string" }),
        json!({ "type": "array", "items": thing() }),
    ] {
        for (one, other) in [(thing(), other.clone()), (other.clone(), thing())] {
            let refused = pinned(one, other.clone())
                .err()
                .map(|report| report.to_string());
            let text = refused.unwrap_or_else(|| panic!("accepted beside {other}"));
            assert!(text.contains("`Thing`"), "{text}");
        }
    }
}

#[test]
fn objects_under_one_name_are_unified() {
    let one = object(json!({ "a": { "type": "string" }, "n": { "type": "integer" } }));
    let other = object(json!({ "b": { "type": "string" }, "n": { "type": "number" } }));
    let output = output_of(&pinned(one, other).unwrap());
    let fields = output.object("Thing").fields;
    assert_eq!(fields.keys().collect::<Vec<_>>(), ["a", "b", "extra", "n"]);
    assert_eq!(fields["n"].of, "Option<f64>");
    for holder in ["OneResponse", "OtherResponse"] {
        assert_eq!(output.field(holder, "thing").of, "Option<Thing>");
    }
}

#[test]
fn sets_under_one_name_are_unified() {
    let set = |values: Value| json!({ "type": "string", "enum": values });
    let output = output_of(&pinned(set(json!(["a", "b"])), set(json!(["b", "c"]))).unwrap());
    let values = output.set("Thing").values;
    assert_eq!(
        values
            .iter()
            .map(|(_, value)| value.as_str())
            .collect::<Vec<_>>(),
        ["a", "b", "c"]
    );
}

#[test]
fn plain_types_under_one_name_are_an_alias() {
    let output =
        output_of(&pinned(json!({ "type": "string" }), json!({ "type": "string" })).unwrap());
    assert_eq!(output.aliases()["Thing"], "String");
}

#[test]
fn a_pinned_name_is_given_once() {
    // A component has the name that the builder gives to another type.
    let mut document = two(
        object(json!({ "a": { "type": "string" } })),
        json!({ "$ref": "#/components/schemas/Thing" }),
    );
    document["components"]["schemas"]["Thing"] = object(json!({ "theirs": { "type": "string" } }));
    let bindings = Bindings::new("api").source(
        Source::new("small.json")
            .operations(["GET /one", "GET /other"])
            .name("GET /one#response", "Thing"),
    );
    let output = output_of(&generate(&bindings, &document).unwrap());
    assert!(output.object("Thing").fields.contains_key("a"));
    let other = output.call("other").success;
    assert_ne!(other, "Thing");
    assert!(output.object(&other).fields.contains_key("theirs"));
    assert_eq!(output.notes().len(), 1);
}

#[test]
fn one_type_may_have_two_pinned_names() {
    let bindings = Bindings::new("api").source(
        Source::new("small.json")
            .operations(["GET /one", "GET /other"])
            .name("GET /one#response", "Thing")
            .name("GET /other#response", "Other"),
    );
    let mut document = two(
        json!({ "$ref": "#/components/schemas/T" }),
        json!({ "$ref": "#/components/schemas/T" }),
    );
    document["components"]["schemas"]["T"] = object(json!({ "a": { "type": "string" } }));
    let output = output_of(&generate(&bindings, &document).unwrap());
    assert!(output.object("Thing").fields.contains_key("a"));
    assert_eq!(output.aliases()["Other"], "Thing");
}

#[test]
fn a_missing_required_operation_is_refused() {
    let bindings = Bindings::new("api").source(
        Source::new("small.json")
            .operation("GET /one", "one")
            .operation("GET /gone", "gone")
            .operations(["GET /lost"]),
    );
    let report = generate(&bindings, &two(json!({}), json!({}))).unwrap_err();
    let text = report.to_string();
    assert_eq!(report.diagnostics.len(), 2, "{text}");
    assert!(
        text.contains("`GET /gone` (gone), found no such operation"),
        "{text}"
    );
    assert!(
        text.contains("`GET /lost`, found no such operation"),
        "{text}"
    );
}

#[test]
fn a_document_of_nothing_has_no_operations() {
    for paths in [
        json!({}),
        Value::Null,
        json!([]),
        json!({ "/x": {} }),
        json!({ "/x": { "$ref": "#/nowhere" } }),
    ] {
        let bindings = Bindings::new("api").source(Source::new("small.json").all());
        let report = generate(&bindings, &document("3.0.3", paths, json!({}))).unwrap_err();
        assert!(
            report.to_string().contains("found none of them"),
            "{report}"
        );
    }
}

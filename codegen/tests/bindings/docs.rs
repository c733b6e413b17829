//! Descriptions become documentation, and cannot break the code.

use serde_json::{Value, json};

use crate::small_documents::{
    all, both_ways, document, object, received, reference, with_parameters,
};

#[test]
fn deprecated_items_are_marked() {
    let schemas = json!({ "X": { "type": "object", "description": "An X.", "deprecated": true, "properties": {
        "old": { "type": "string", "deprecated": true, "description": "Old." },
        "bare": { "type": "string", "deprecated": true },
        "set": { "type": "string", "deprecated": true, "enum": ["a"] },
        "reference": { "deprecated": true, "allOf": [reference("Y")] },
        "within": { "allOf": [{ "type": "string", "deprecated": true }] },
        "new": { "type": "string" },
    } }, "Y": object(json!({ "y": { "type": "string" } })) });
    let output = all(&received("3.0.3", reference("X"), schemas));
    assert_eq!(output.object("X").docs, "An X.\n\n**Deprecated.**");
    assert_eq!(output.field("X", "old").docs, "Old.\n\n**Deprecated.**");
    for field in ["bare", "set", "reference", "within"] {
        assert!(
            output.field("X", field).docs.contains("**Deprecated.**"),
            "{field}"
        );
    }
    assert_eq!(output.field("X", "new").docs, "");
    assert_eq!(output.object("Y").docs.matches("Deprecated").count(), 0);

    let mut document = with_parameters(json!([
        { "in": "query", "name": "old", "deprecated": true, "description": "Old.", "schema": { "type": "string" } },
    ]));
    document["paths"]["/x/{id}"]["get"]["deprecated"] = json!(true);
    document["paths"]["/x/{id}"]["get"]["description"] = json!("Gets an X.");
    let docs = all(&document).call("get_x").docs;
    assert!(docs.starts_with("Gets an X.\n\n**Deprecated.**"), "{docs}");
    let parameter = docs.split("- `old`: ").nth(1).unwrap();
    assert!(
        parameter.starts_with("Old.\n\n  **Deprecated.**")
            || parameter.starts_with("Old.\n  \n  **Deprecated.**"),
        "{docs}"
    );
}

#[test]
fn every_description_becomes_documentation() {
    let schemas = json!({ "X": { "type": "object", "description": "Of a component.", "properties": {
        "field": { "type": "string", "description": "Of a property." },
        "set": { "type": "string", "enum": ["a"], "description": "Of a set." },
        "list": { "type": "array", "description": "Of a list.", "items": { "type": "object", "description": "Of an item.", "properties": { "a": { "type": "string" } } } },
    } } });
    let mut document = both_ways("3.0.3", reference("X"), schemas);
    document["info"]["description"] = json!("Of the API.");
    let operation = &mut document["paths"]["/x"]["post"];
    operation["summary"] = json!("Of an operation, shortly.");
    operation["description"] = json!("Of an operation, at length.");
    operation["parameters"] = json!([
        { "in": "query", "name": "q", "description": "Of a parameter.", "schema": { "type": "string" } },
        { "in": "query", "name": "r", "schema": { "type": "string", "description": "Of its schema." } },
    ]);
    let output = all(&document);
    assert_eq!(output.object("X").docs, "Of a component.");
    assert_eq!(output.field("X", "field").docs, "Of a property.");
    assert_eq!(output.field("X", "list").docs, "Of a list.");
    assert_eq!(output.object("XListItem").docs, "Of an item.");
    assert!(output.set("XSet").docs.contains("Of a set."));
    assert!(
        output.client_docs().contains("Of the API."),
        "{}",
        output.client_docs()
    );
    let docs = output.call("exchange").docs;
    for words in [
        "Of an operation, shortly.",
        "Of an operation, at length.",
        "`q`: Of a parameter.",
        "`r`: Of its schema.",
    ] {
        assert!(docs.contains(words), "{words} in {docs}");
    }
}

#[test]
fn a_shared_description_occurs_once() {
    let schemas = json!({
        "X": object(json!({ "y": reference("Y"), "ys": { "type": "array", "items": reference("Y") } })),
        "Y": { "type": "object", "description": "Said of Y.", "properties": { "y": { "type": "string" } } },
    });
    let output = all(&received("3.0.3", reference("X"), schemas));
    assert_eq!(output.object("Y").docs, "Said of Y.");
    assert_eq!(output.field("X", "y").docs, "");
}

/// A description with code that rustdoc would run.
const CODE: &str = "Text.\n\n    let indented = undefined();\n\n```\nplain\n```\n\n```rust\nlet rust = undefined();\n```\n\n\
                    - item\n\n        in_an_item();\n\n-      beside_a_mark();\n\n> quote\n>\n>     in_a_quote();\n>\n> ```\n> \
                    fenced();\n> ```\n\n1. ```sh\n   curl\n   ```\n\n~~~\ntilde\n~~~\n\n```never\nends";

/// The lines of documentation that rustdoc would take for a test: indented ones, and those in a fence without
/// another language. `.ci/whole-apis` asks rustdoc itself.
fn tests_in(docs: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut fence: Option<(&str, bool)> = None;
    // Descriptions of parameters are list items, which are indented by two spaces.
    let mut deep = 4;
    for line in docs.lines() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("- `") {
            deep = 6;
        }
        let indented = line.len() - trimmed.len() >= deep;
        let text = trimmed.trim_start_matches(['>', '-', ' ']);
        let mark = ["```", "~~~"]
            .into_iter()
            .find(|mark| text.starts_with(mark));
        match (fence, mark) {
            (Some((open, _)), Some(mark)) if open == mark => fence = None,
            (Some((_, true)), _) => found.push(line),
            (Some(_), _) => {}
            (None, Some(mark)) => {
                fence = Some((mark, !["text", "ignore"].contains(&text[3..].trim())))
            }
            (None, None) if (indented || trimmed.contains(">     ")) && !trimmed.is_empty() => {
                found.push(line)
            }
            (None, None) => {}
        }
    }
    assert!(fence.is_none(), "a fence that does not end: {docs}");
    found
}

#[test]
fn code_in_a_description_is_no_test() {
    let schemas = json!({ "X": { "type": "object", "description": CODE, "properties": {
        "field": { "type": "string", "description": CODE },
        "set": { "type": "string", "enum": ["a", "```", "\n    x"], "description": CODE },
    } } });
    let mut document = both_ways("3.0.3", reference("X"), schemas);
    document["info"]["description"] = json!(CODE);
    let operation = &mut document["paths"]["/x"]["post"];
    operation["description"] = json!(CODE);
    operation["summary"] = json!(CODE);
    operation["parameters"] = json!([{ "in": "query", "name": "q", "description": CODE, "schema": { "type": "string" } }]);
    let output = all(&document);
    let docs = [
        output.client_docs(),
        output.object("X").docs,
        output.field("X", "field").docs,
        output.set("XSet").docs,
        output.call("exchange").docs,
    ];
    for docs in docs {
        assert!(docs.contains("indented = undefined()"), "{docs}");
        assert_eq!(tests_in(&docs), [""; 0], "{docs}");
    }
}

#[test]
fn notes_point_to_what_is_left_out() {
    let mut document = with_parameters(json!([
        { "in": "cookie", "name": "session", "schema": { "type": "string" } },
        { "in": "header", "name": "not a name", "schema": { "type": "string" } },
        { "$ref": "#/components/parameters/Nowhere" },
    ]));
    document["paths"]["/x/{id}"]["get"]["responses"]["200"] = json!({ "description": "", "content": { "application/json": {
        "schema": object(json!({ "nowhere": reference("Nowhere"), "elsewhere": { "$ref": "https://example.com/x.json" } })),
    } } });
    document["paths"]["/y"] = json!({ "$ref": "#/components/pathItems/Nowhere" });
    let output = all(&document);
    let at = "/paths/~1x~1{id}/get";
    for (place, what) in [
        (format!("{at}/parameters/0"), "session"),
        (format!("{at}/parameters/1"), "not a name"),
        (format!("{at}/parameters/2"), "leads nowhere"),
        (
            format!("{at}/responses/200/content/application~1json/schema/properties/nowhere"),
            "leads nowhere",
        ),
        (
            format!("{at}/responses/200/content/application~1json/schema/properties/elsewhere"),
            "leads nowhere",
        ),
        ("/paths/~1y".to_owned(), "leads nowhere"),
    ] {
        let noted = output
            .notes()
            .iter()
            .any(|note| note.starts_with(&format!("{place}:")) && note.contains(what));
        assert!(noted, "{place} in {:#?}", output.notes());
    }
    let fields = output.object("GetXResponse").fields;
    assert_eq!(fields["nowhere"].of, "Option<Value>");
    assert_eq!(fields["elsewhere"].of, "Option<Value>");
}

#[test]
fn notes_are_lines_whatever_is_in_a_name() {
    let name = "a\ncargo::rustc-env=EVIL=1\r\u{2028}\u{202e}";
    let document = received(
        "3.0.3",
        object(json!({ name: { "oneOf": [{ "type": "string" }, { "type": "integer" }] } })),
        json!({}),
    );
    let bindings = org_invitations_codegen::Bindings::new("api")
        .source(org_invitations_codegen::Source::new("small.json").all());
    let generated = crate::small_documents::generate(&bindings, &document).unwrap();
    let [note] = &generated.notes[..] else {
        panic!("{:?}", generated.notes)
    };
    assert!(
        !note.contains(|letter: char| letter.is_control()
            || letter == '\u{2028}'
            || letter == '\u{202e}'),
        "{note:?}"
    );
    assert!(
        generated
            .rust
            .lines()
            .next()
            .unwrap()
            .starts_with("// note: ")
    );
    assert!(!generated.rust.contains('\u{202e}'));
}

/// Every note is in the output and in `Generated::notes`.
#[test]
fn notes_are_in_the_output_and_beside_it() {
    let parameters: Value =
        json!([{ "in": "cookie", "name": "session", "schema": { "type": "string" } }]);
    let document = with_parameters(parameters);
    let bindings = org_invitations_codegen::Bindings::new("api")
        .source(org_invitations_codegen::Source::new("small.json").all());
    let generated = crate::small_documents::generate(&bindings, &document).unwrap();
    assert_eq!(
        crate::small_documents::output(&generated).notes(),
        generated.notes
    );
    assert_eq!(generated.notes.len(), 1);
    let nothing = document_without_notes();
    assert_eq!(
        crate::small_documents::generate(&bindings, &nothing)
            .unwrap()
            .notes,
        [""; 0]
    );
}

fn document_without_notes() -> Value {
    let operation =
        json!({ "operationId": "get_x", "responses": { "200": { "description": "" } } });
    document("3.0.3", json!({ "/x": { "get": operation } }), json!({}))
}

//! Documents that are small files and expand to large values.

use std::{fmt::Write, path::Path};

use org_invitations_codegen::{Document, MAX_DOCUMENT_BYTES, MAX_YAML_BYTES};
use serde_json::{Map, Value, json};

use crate::{
    common::{clickhouse_cloud, iam},
    harness::{self, assert_compared, guarded, outcome, put, vendored},
};

const INVITATION: &str = "/components/schemas/iam.v2.Invitation/properties";
const LIST: &str = "/paths/~1iam~1v2~1invitations/get";

/// Checks for a clear error or a client, and for a comparison with the vendored document that ends.
fn assert_sound(what: &str, document: Value) {
    guarded(what, move || {
        let text = document.to_string();
        assert!(text.len() < MAX_DOCUMENT_BYTES, "{} bytes", text.len());
        drop(harness::assert_sound(text.as_bytes(), iam()));
    });
}

fn text_sound(what: &str, text: String) {
    guarded(what, move || drop(outcome(text.as_bytes(), iam())));
}

fn values(prefix: &str, count: usize) -> Value {
    (0..count)
        .map(|index| json!(format!("{prefix}{index}")))
        .collect()
}

/// The invitation with these properties besides.
fn with_properties(count: usize, property: impl Fn(usize) -> Value) -> Value {
    let mut document = vendored(iam());
    let properties = document
        .pointer_mut(INVITATION)
        .unwrap()
        .as_object_mut()
        .unwrap();
    properties.extend((0..count).map(|index| (format!("unknown{index}"), property(index))));
    document
}

#[test]
fn yaml_aliases_that_multiply_are_refused() {
    let mut laughs = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    let mut maps = String::from("a0: &a0 {a: lol}\n");
    for level in 1..40 {
        let above = level - 1;
        writeln!(
            laughs,
            "a{level}: &a{level} [{}]",
            vec![format!("*a{above}"); 9].join(", ")
        )
        .unwrap();
        writeln!(maps, "a{level}: &a{level} {{a: *a{above}, b: *a{above}}}").unwrap();
    }
    for bomb in [laughs, maps] {
        let text = format!("openapi: 3.0.3\npaths: {{}}\n{bomb}");
        let report = guarded("laughs", move || {
            outcome(text.as_bytes(), iam()).unwrap_err()
        });
        assert!(report.to_string().contains("a YAML document"), "{report}");
    }
}

#[test]
fn a_yaml_alias_of_a_long_text_stays_in_bounds() {
    let long = "x".repeat(1 << 20);
    let text = format!(
        "openapi: 3.0.3\na: &a {long}\nb: [{}]\n",
        vec!["*a"; 1500].join(", ")
    );
    text_sound("a megabyte 1500 times", text);
}

#[test]
fn ten_thousand_levels_are_refused() {
    let levels = 10_000;
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
        let deep = format!("{}1{}", open.repeat(levels), close.repeat(levels));
        text_sound("JSON", format!("{{\"openapi\":\"3.0.3\",\"a\":{deep}}}"));
        text_sound("flow YAML", format!("openapi: 3.0.3\na: {deep}"));
        text_sound(
            "open JSON",
            format!("{{\"openapi\":\"3.0.3\",\"a\":{}", open.repeat(levels)),
        );
        text_sound(
            "open YAML",
            format!("openapi: 3.0.3\na: {}", open.repeat(levels)),
        );
        text_sound("bare", deep);
    }
    for step in ["- ", "? ", "!a ", "&a ", "- ? "] {
        text_sound(
            step,
            format!("openapi: 3.0.3\na:\n{}x", step.repeat(levels)),
        );
    }
    let mut block = String::from("openapi: 3.0.3\n");
    for level in 0..5_000 {
        writeln!(block, "{}a:", " ".repeat(level)).unwrap();
    }
    text_sound("block YAML", block);
}

#[test]
fn a_hundred_levels_of_schemas_are_no_harm() {
    let mut schema = json!({ "type": "string" });
    for level in 0..25 {
        schema = match level % 3 {
            0 => json!({ "items": schema }),
            1 => json!({ "properties": { "a": schema } }),
            _ => json!({ "allOf": [schema, { "anyOf": [{ "type": "null" }, {}] }] }),
        };
    }
    let mut document = vendored(iam());
    put(&mut document, &format!("{INVITATION}/unknown"), schema);
    assert_sound("nested schemas", document);
}

#[test]
fn an_enumeration_of_200_000_values_stays_in_bounds() {
    let mut document = vendored(iam());
    put(
        &mut document,
        &format!("{INVITATION}/auth_type"),
        json!({ "type": "string", "enum": values("v", 200_000) }),
    );
    assert_sound("an enumeration", document);
}

#[test]
fn an_enumeration_that_is_mentioned_many_times_stays_in_bounds() {
    let mut document = with_properties(40, |_| json!({ "$ref": "#/components/schemas/Huge" }));
    document["components"]["schemas"]["Huge"] =
        json!({ "type": "string", "enum": values("v", 200_000) });
    assert_sound("an enumeration, 40 times", document);
}

#[test]
fn enumerations_that_are_merged_stay_in_bounds() {
    let part = |prefix: &str| json!({ "type": "string", "enum": values(prefix, 100_000) });
    let mut document = vendored(iam());
    put(
        &mut document,
        &format!("{INVITATION}/unknown"),
        json!({ "allOf": [part("a"), part("b")] }),
    );
    assert_sound("two enumerations in allOf", document);
}

#[test]
fn enumerations_that_are_compared_stay_in_bounds() {
    let with = |count: usize, last: &str| {
        let mut document = vendored(iam());
        let mut values = values("v", count);
        values.as_array_mut().unwrap().push(json!(last));
        let schema = json!({ "type": "string", "enum": values });
        put(&mut document, &format!("{INVITATION}/auth_type"), schema);
        document
    };
    for count in [10_000, 30_000, 100_000] {
        let (old, new) = (with(count, "y"), with(count, "z").to_string());
        guarded(&format!("{count} values, one of them another"), move || {
            assert_compared(&old, new.as_bytes(), iam());
        });
    }
}

#[test]
fn many_properties_stay_in_bounds() {
    for count in [2_000, 12_000] {
        let old = with_properties(count, |_| json!({ "type": "string" }));
        let changed = json!({ "type": "integer", "deprecated": true });
        let mut new = with_properties(count, |_| changed.clone());
        let names: Value = (0..count)
            .map(|index| json!(format!("unknown{index}")))
            .collect();
        new["components"]["schemas"]["iam.v2.Invitation"]["required"] = names;
        let text = new.to_string();
        guarded(&format!("{count} properties that changed"), move || {
            assert_compared(&old, text.as_bytes(), iam());
        });
        assert_sound(&format!("{count} properties, required"), new);
    }
}

#[test]
fn many_required_names_stay_in_bounds() {
    let mut document = vendored(clickhouse_cloud());
    document["components"]["schemas"]["InvitationPostRequest"]["required"] =
        values("name", 100_000);
    guarded("100 000 required names", move || {
        assert!(outcome(document.to_string().as_bytes(), clickhouse_cloud()).is_err());
    });
}

#[test]
fn many_parameters_stay_in_bounds() {
    let mut document = vendored(iam());
    let more = (0..40_000).map(|index| json!({ "in": "query", "name": format!("p{index}"), "schema": { "type": "string" } }));
    let parameters = document.pointer_mut(&format!("{LIST}/parameters")).unwrap();
    parameters.as_array_mut().unwrap().extend(more);
    assert_sound("40 000 parameters", document);
}

#[test]
fn many_statuses_of_one_large_response_stay_in_bounds() {
    let mut document = vendored(iam());
    let headers: Map<String, Value> = (0..3_000)
        .map(|index| (format!("X-{index}"), json!({})))
        .collect();
    document["components"]["responses"]["Large"] = json!({ "description": "", "headers": headers });
    let responses = document
        .pointer_mut(&format!("{LIST}/responses"))
        .unwrap()
        .as_object_mut()
        .unwrap();
    responses.extend((1_000..4_000).map(|status| {
        (
            format!("X{status}"),
            json!({ "$ref": "#/components/responses/Large" }),
        )
    }));
    assert_sound("3 000 statuses with 3 000 headers", document);
}

#[test]
fn a_large_security_scheme_used_often_stays_in_bounds() {
    let mut document = vendored(iam());
    let scopes: Map<String, Value> = (0..20_000)
        .map(|index| (format!("scope{index}"), json!("words")))
        .collect();
    document["components"]["securitySchemes"]["large"] = json!({ "type": "oauth2", "flows": { "clientCredentials": { "tokenUrl": "https://example.com", "scopes": scopes } } });
    let ways: Vec<Value> = (0..4_000)
        .map(|index| json!({ "large": [format!("scope{index}")] }))
        .collect();
    put(&mut document, &format!("{LIST}/security"), json!(ways));
    assert_sound("4 000 ways of 20 000 scopes", document);
}

#[test]
fn long_names_above_many_places_stay_in_bounds() {
    let long = "n".repeat(1 << 20);
    let inner: Map<String, Value> = (0..1_500)
        .map(|index| (format!("p{index}"), json!({ "type": "string" })))
        .collect();
    let mut document = vendored(iam());
    document.pointer_mut(INVITATION).unwrap()[long] =
        json!({ "type": "object", "properties": inner });
    assert_sound("a property's name of a megabyte", document);
}

#[test]
fn a_long_variable_in_a_path_stays_in_bounds() {
    let mut document = with_properties(1_500, |_| json!({ "type": "string" }));
    let item = document["paths"]["/iam/v2/invitations/{id}"].take();
    let paths = document["paths"].as_object_mut().unwrap();
    paths.remove("/iam/v2/invitations/{id}");
    paths.insert(
        format!("/iam/v2/invitations/{{{}}}", "n".repeat(1 << 20)),
        item,
    );
    assert_sound("a variable's name of a megabyte", document);
}

#[test]
fn a_reference_to_a_large_non_schema_stays_in_bounds() {
    let mut document = with_properties(1_000, |_| json!({ "$ref": "#/info" }));
    document["info"] = json!({ "title": "", "version": "1", "large": values("v", 20_000) });
    assert_sound("1 000 references to 20 000 values", document);
}

#[test]
fn a_document_just_below_the_limit_stays_in_bounds() {
    let filler = |length: usize| vec!["0"; length / 2 - 1024].join(",");
    let json = format!(
        "{{\"openapi\":\"3.0.3\",\"x\":[{}]}}",
        filler(MAX_DOCUMENT_BYTES)
    );
    guarded("32 MiB of JSON", move || {
        Document::parse("spec", json.as_bytes()).is_ok()
    });
}

#[test]
fn yaml_just_below_the_limit_stays_in_bounds() {
    let room = MAX_YAML_BYTES - 64;
    // The forms that take the parser longest and the most memory.
    for piece in ["0,", "[]"] {
        let text = format!("openapi: 3.0.3\nx: [{}", piece.repeat(room / piece.len()));
        guarded(piece, move || {
            Document::parse("spec", text.as_bytes()).is_ok()
        });
    }
}

#[test]
fn yaml_is_read_up_to_the_limit_and_refused_beyond() {
    let mut document = vendored(iam());
    let words = "words that somebody wrote, line after line, of what it is for\n";
    document["info"]["description"] = json!(words.repeat(5 << 14));
    let yaml = serde_norway::to_string(&document).unwrap();
    assert!(yaml.len() > 5 << 20, "{} bytes", yaml.len());
    let refused = format!("{yaml}# {}", "x".repeat(MAX_YAML_BYTES - yaml.len()));
    let client = guarded("5 MiB of YAML", move || outcome(yaml.as_bytes(), iam()));
    assert!(client.is_ok());
    let report = outcome(refused.as_bytes(), iam()).unwrap_err();
    assert!(
        report.to_string().contains("convert it to JSON"),
        "{report}"
    );
}

#[test]
fn brackets_that_are_never_closed_end_at_once() {
    for open in ["[", "[\n", "{a: ", "[{\"a\":", "- ", "? "] {
        let text = format!("openapi: 3.0.3\na:\n  {}", open.repeat(300_000));
        text_sound(open, text);
    }
}

#[test]
fn small_maps_of_json_stay_in_bounds() {
    let maps = vec!["{\"\":0}"; MAX_DOCUMENT_BYTES / 7 - 64].join(",");
    text_sound(
        "4 million maps",
        format!("{{\"openapi\":\"3.0.3\",\"x\":[{maps}]}}"),
    );
}

#[test]
fn reading_from_a_device_or_pipe_is_bounded() {
    if Path::new("/dev/zero").exists() {
        let report = guarded("a device", || {
            Document::read(Path::new("/dev/zero")).unwrap_err()
        });
        assert!(report.to_string().contains("at most"), "{report}");
    }
}

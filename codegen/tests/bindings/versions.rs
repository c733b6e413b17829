//! Versions of OpenAPI, servers with and without a path, and paths that end with a slash.

use org_invitations_codegen::{Bindings, Document, Source, Surface, check};
use serde_json::{Value, json};

use crate::{
    common::parsed,
    small_documents::{all, document, generate, object, of},
};

fn get(id: &str) -> Value {
    let content =
        json!({ "application/json": { "schema": object(json!({ "a": { "type": "string" } })) } });
    json!({ "get": { "operationId": id, "responses": { "200": { "description": "", "content": content } } } })
}

#[test]
fn every_minor_version_is_read() {
    for version in ["3.0.0", "3.0.3", "3.1.0", "3.1.1", "3.2.0"] {
        let output = all(&document(version, json!({ "/x": get("get_x") }), json!({})));
        assert_eq!(output.call("get_x").success, "GetXResponse", "{version}");
    }
    for version in ["2.0", "3.3.0", "4.0.0"] {
        let text = document(version, json!({}), json!({})).to_string();
        let report = Document::parse("spec.json", text.as_bytes()).unwrap_err();
        assert!(report.to_string().contains("3.0, 3.1 or 3.2"), "{report}");
    }
}

#[test]
fn parts_of_32_only_are_left_out_with_a_note() {
    let mut item = get("get_x");
    let stream = json!({ "text/event-stream": { "itemSchema": object(json!({ "a": { "type": "string" } })) } });
    item["get"]["responses"]["200"]["content"] = stream;
    item["get"]["parameters"] =
        json!([{ "in": "querystring", "name": "all", "content": { "application/json": {} } }]);
    item["query"] =
        json!({ "operationId": "query_x", "responses": { "200": { "description": "" } } });
    item["additionalOperations"] =
        json!({ "COPY": { "responses": { "200": { "description": "" } } } });
    let output = all(&document("3.2.0", json!({ "/x": item }), json!({})));
    assert_eq!(output.call("get_x").success, "ByteStream");
    for left_out in [
        "querystring",
        "/paths/~1x/query",
        "/paths/~1x/additionalOperations",
    ] {
        assert!(
            output.notes().iter().any(|note| note.contains(left_out)),
            "{left_out}: {:?}",
            output.notes()
        );
    }
}

#[test]
fn methods_that_no_client_has_are_left_out_with_a_note() {
    let mut item = get("get_x");
    for method in ["options", "trace", "head"] {
        item[method] =
            json!({ "operationId": method, "responses": { "200": { "description": "" } } });
    }
    let output = all(&document("3.0.3", json!({ "/x": item }), json!({})));
    assert_eq!(
        output.methods(),
        ["get_x", "head"].map(str::to_owned).into()
    );
    assert_eq!(output.notes().len(), 2, "{:?}", output.notes());
}

/// Bindings of one operation, selected by its whole path.
fn selected(call: &str) -> Bindings {
    Bindings::new("api").source(Source::new("spec.json").operation(call, "getX"))
}

fn with_server(url: &str, path: &str) -> Value {
    let mut document = document("3.0.3", json!({ path: get("theirs") }), json!({}));
    document["servers"] = json!([{ "url": url }]);
    document
}

#[test]
fn an_operation_is_found_below_the_path_of_the_server() {
    for (url, path) in [
        ("https://h/v1", "/x"),
        ("https://h/v1/", "/x"),
        ("/v1", "/x"),
        ("https://h", "/v1/x"),
        ("https://h/v1?a=b", "/x/"),
        ("https://h/elsewhere", "/v1/x"),
    ] {
        let document = with_server(url, path);
        let bindings = selected("GET /v1/x");
        let output = of(&bindings, &[parsed("spec.json", &document)]);
        let call = output.call("get_x");
        assert!(
            call.texts.iter().any(|text| text.starts_with("{}/v1/x")),
            "{url}: {:?}",
            call.texts
        );
        let api = bindings.apis().remove(0);
        let document = parsed("spec.json", &document);
        assert!(api.is_described_by(&document), "{url}");
        let surface = Surface::new(&document, &api).unwrap();
        assert_eq!(check(&surface, &api), Ok(()), "{url}");
    }
}

#[test]
fn an_operation_of_another_path_is_not_found() {
    for (url, path) in [
        ("https://h/v2", "/x"),
        ("https://h/v1", "/y"),
        ("https://h", "/x"),
        ("https://h/{v}", "/x"),
    ] {
        let document = with_server(url, path);
        let report = generate(&selected("GET /v1/x"), &document)
            .unwrap_err()
            .to_string();
        assert!(
            report.contains("expected the operation `GET /v1/x` (getX), found no such operation"),
            "{report}"
        );
    }
}

#[test]
fn all_operations_have_the_paths_of_the_document() {
    let output = all(&with_server("https://h/v1", "/x"));
    let call = output.call("theirs");
    assert!(call.texts.contains("{}/x"), "{:?}", call.texts);
}

#[test]
fn a_trailing_slash_is_ignored() {
    for (wanted, path) in [("GET /x", "/x/"), ("GET /x/", "/x"), ("GET /x/", "/x/")] {
        let output = of(
            &selected(wanted),
            &[parsed(
                "spec.json",
                &document("3.0.3", json!({ path: get("a") }), json!({})),
            )],
        );
        // The request has the path of the document.
        let expected = format!("{{}}{path}");
        assert!(
            output.call("get_x").texts.contains(&expected),
            "{wanted} {path}"
        );
    }
}

#[test]
fn one_of_two_equal_paths_is_left_out_with_a_note() {
    let paths = json!({ "/x": get("plain"), "/x/": get("with_slash"), "/y/{a}": get("one"), "/y/{b}": get("other") });
    let output = all(&document("3.0.3", paths, json!({})));
    assert_eq!(output.methods(), ["one", "plain"].map(str::to_owned).into());
    assert_eq!(output.notes().len(), 2, "{:?}", output.notes());
    assert!(
        output.notes()[0].contains("/paths/~1x~1/get"),
        "{:?}",
        output.notes()
    );
}

#[test]
fn every_method_of_a_path_is_selected_by_a_star() {
    let mut item = get("get_x");
    item["delete"] =
        json!({ "operationId": "delete_x", "responses": { "204": { "description": "" } } });
    let document = document(
        "3.0.3",
        json!({ "/x/{id}": item, "/y": get("get_y") }),
        json!({}),
    );
    let bindings =
        Bindings::new("api").source(Source::new("spec.json").operations(["* /x/{other}"]));
    let output = of(&bindings, &[parsed("spec.json", &document)]);
    assert_eq!(
        output.methods(),
        ["delete_x", "get_x"].map(str::to_owned).into()
    );
}

#[test]
fn a_star_selects_no_method_that_no_client_has() {
    let mut item = get("get_x");
    item["options"] =
        json!({ "operationId": "options_x", "responses": { "200": { "description": "" } } });
    let mut document = document(
        "3.0.3",
        json!({ "/x": item, "/y": { "trace": {} } }),
        json!({}),
    );
    document["servers"] = json!([{ "url": "https://h/v1" }]);
    for call in ["* /x", "* /v1/x"] {
        let bindings = Bindings::new("api").source(Source::new("spec.json").operations([call]));
        let output = of(&bindings, &[parsed("spec.json", &document)]);
        assert_eq!(output.methods(), ["get_x"].map(str::to_owned).into());
        let [note] = &output.notes()[..] else {
            panic!("{:?}", output.notes())
        };
        assert!(note.starts_with("/paths/~1x/options: "), "{note}");
    }
    let bindings = Bindings::new("api").source(Source::new("spec.json").operations(["OPTIONS /x"]));
    let report = generate(&bindings, &document).unwrap_err().to_string();
    assert!(
        report.contains("no client can be generated for `OPTIONS /x`"),
        "{report}"
    );
}

#[test]
fn a_document_without_a_title_or_version_is_read() {
    for info in [
        json!({}),
        json!({ "title": 5, "version": 1.5 }),
        Value::Null,
        json!("words"),
    ] {
        let mut document = document("3.0.3", json!({ "/x": get("get_x") }), json!({}));
        document["info"] = info;
        assert!(all(&document).methods().contains("get_x"));
    }
}

#[test]
fn a_version_that_is_no_header_does_no_harm() {
    let mut document = document("3.0.3", json!({ "/x": get("get_x") }), json!({}));
    document["info"]["version"] = json!("2024 \u{2013} \u{3b2}\n1");
    let output = all(&document);
    let start = output.text.find("fn api_version()").unwrap();
    let line = output.text[start..].lines().nth(1).unwrap().trim();
    assert_eq!(line, "\"2024  1\"");
}

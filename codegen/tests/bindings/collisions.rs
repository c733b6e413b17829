//! Names that collide in Rust are changed, and the names on the wire stay the same.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    common::output::{Call, Output},
    small_documents::{all, both_ways, document, object, received, reference, with_parameters},
};

/// The fields of an object with these properties, each with its name on the wire.
fn fields(names: &[&str]) -> Vec<(String, String)> {
    let properties: Value = names
        .iter()
        .map(|name| ((*name).to_owned(), json!({ "type": "string" })))
        .collect();
    let output = all(&both_ways(
        "3.0.3",
        reference("X"),
        json!({ "X": object(properties) }),
    ));
    let mut fields = output.object("X").fields;
    let extra = fields.remove("extra").unwrap();
    assert_eq!(extra.of, "Map<String,Value>");
    fields
        .into_iter()
        .map(|(name, field)| (name, field.wire))
        .collect()
}

#[track_caller]
fn assert_fields(expected: &[(&str, &str)]) {
    let wire: Vec<&str> = expected.iter().map(|(_, wire)| *wire).collect();
    let expected: BTreeSet<_> = expected
        .iter()
        .map(|(name, wire)| ((*name).to_owned(), (*wire).to_owned()))
        .collect();
    assert_eq!(fields(&wire).into_iter().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn a_property_called_extra() {
    assert_fields(&[("extra_property", "extra")]);
    assert_fields(&[("extra_property", "Extra"), ("extra_property_2", "extra")]);
}

#[test]
fn properties_with_a_dash_and_an_underscore() {
    assert_fields(&[
        ("a_b", "a-b"),
        ("a_b_property", "aB"),
        ("a_b_property_2", "a_b"),
    ]);
}

#[test]
fn one_name_in_camel_and_snake_case() {
    assert_fields(&[
        ("created_at", "createdAt"),
        ("created_at_property", "created_at"),
    ]);
}

#[test]
fn names_that_are_empty_or_begin_with_something_else() {
    let found = fields(&["", "$x", "x", "1st", "@type", "-", "日本", "🚀", "type"]);
    let wire: BTreeSet<&str> = found.iter().map(|(_, wire)| wire.as_str()).collect();
    assert_eq!(
        wire,
        BTreeSet::from(["", "$x", "x", "1st", "@type", "-", "日本", "🚀", "type"])
    );
    let of = |wire: &str| found.iter().find(|(_, it)| it == wire).unwrap().0.as_str();
    assert_eq!(of("1st"), "x1st");
    assert_eq!(of("日本"), "日本");
}

#[test]
fn required_properties_keep_their_names_on_the_wire() {
    let schema = json!({ "type": "object", "required": ["a-b", "a_b"], "properties": {
        "a-b": { "type": "string" }, "a_b": { "type": "integer" },
    } });
    let output = all(&both_ways("3.0.3", schema, json!({})));
    let sent = output.object("ExchangeRequest").fields;
    let types: BTreeSet<_> = sent
        .values()
        .map(|field| (field.wire.as_str(), field.of.as_str()))
        .collect();
    assert!(
        types.contains(&("a-b", "String")) && types.contains(&("a_b", "i64")),
        "{types:?}"
    );
}

/// The methods of operations with these ids.
fn methods(ids: &[Value]) -> Output {
    let operations = ids.iter().enumerate().map(|(index, id)| {
        let mut operation = json!({ "responses": { "200": { "description": "" } } });
        if !id.is_null() {
            operation["operationId"] = id.clone();
        }
        (format!("/x{index}/{{id}}"), json!({ "get": operation }))
    });
    all(&document("3.0.3", operations.collect(), json!({})))
}

#[test]
fn operations_named_like_items_of_the_client() {
    let ids = [
        "new",
        "baseurl",
        "client",
        "post",
        "error",
        "exec",
        "pre",
        "api_version",
        "newWithClient",
    ];
    let output = methods(&ids.map(Value::from));
    let expected = ids.map(|id| {
        format!(
            "{}_operation",
            if id == "newWithClient" {
                "new_with_client"
            } else {
                id
            }
        )
    });
    assert_eq!(output.methods(), BTreeSet::from(expected));
}

#[test]
fn operations_without_an_id() {
    let output = methods(&[Value::Null, json!("")]);
    assert_eq!(
        output.methods(),
        BTreeSet::from(["get_x0_by_id", "get_x1_by_id"].map(str::to_owned))
    );
}

#[test]
fn several_operations_with_one_id() {
    let output = methods(&["same", "same", "same"].map(Value::from));
    assert_eq!(
        output.methods(),
        BTreeSet::from(["same", "same_2", "same_3"].map(str::to_owned))
    );
    assert_eq!(output.notes().len(), 2);
    assert!(
        output.notes()[0].contains("GET /x1/{id}"),
        "{:?}",
        output.notes()
    );
    // Each calls its own path.
    for (method, path) in [
        ("same", "{}/x0/{}"),
        ("same_2", "{}/x1/{}"),
        ("same_3", "{}/x2/{}"),
    ] {
        assert!(output.call(method).texts.contains(path), "{method}");
    }
}

#[test]
fn operations_whose_builders_would_collide() {
    let output = methods(&["getA", "get_a", "get_a2", "get_a_2"].map(Value::from));
    let methods = output.methods();
    assert_eq!(methods.len(), 4, "{methods:?}");
    let paths: BTreeSet<_> = output.calls().into_values().map(path_of).collect();
    assert_eq!(paths.len(), 4, "{paths:?}");
}

fn path_of(call: Call) -> String {
    let mut texts = call.texts.into_iter();
    texts.find(|text| text.starts_with("{}/")).unwrap()
}

#[test]
fn operations_named_like_keywords() {
    let output = methods(&["type", "self", "async", "r#fn", "1st", "日本"].map(Value::from));
    let expected = ["type_", "self_", "async_", "r_fn", "x1st", "日本"];
    assert_eq!(
        output.methods(),
        BTreeSet::from(expected.map(str::to_owned))
    );
}

fn query(name: &str) -> Value {
    json!({ "in": "query", "name": name, "schema": { "type": "string" } })
}

#[test]
fn parameters_named_like_items_of_a_builder() {
    let names = [
        "body",
        "self",
        "client",
        "info",
        "type",
        "value",
        "result",
        "header_map",
        "url",
        "request",
        "response",
    ];
    let mut document = with_parameters(names.iter().map(|name| query(name)).collect());
    document["paths"]["/x/{id}"]["get"]["requestBody"] = json!({ "content": { "application/json": { "schema": object(json!({ "a": { "type": "string" } })) } } });
    let call = all(&document).call("get_x");
    let keywords = [("self", "self_"), ("type", "type_")];
    for name in names {
        let plain = keywords
            .iter()
            .find(|(keyword, _)| *keyword == name)
            .map(|(_, ident)| (*ident).to_owned());
        let ident = plain.unwrap_or_else(|| format!("{name}_query"));
        assert_eq!(
            call.setters.get(&ident).map(String::as_str),
            Some("String"),
            "{ident} in {:?}",
            call.setters
        );
        assert!(call.texts.contains(name), "{name} is not sent");
    }
    assert_eq!(call.setters["body"], "GetXRequest");
}

#[test]
fn one_name_in_several_places() {
    let place = |location: &str| json!({ "in": location, "name": "id", "required": location == "path", "schema": { "type": "string" } });
    let call = all(&with_parameters(json!([
        place("query"),
        place("path"),
        place("header")
    ])))
    .call("get_x");
    let setters: BTreeSet<&str> = call.setters.keys().map(String::as_str).collect();
    assert_eq!(setters, BTreeSet::from(["id", "id_header", "id_query"]));
    assert!(call.required.contains("id") && call.required.len() == 1);
    assert!(call.texts.contains("id"));
}

#[test]
fn one_parameter_twice_in_one_place_is_one() {
    let mut document = with_parameters(json!([query("q")]));
    document["paths"]["/x/{id}"]["parameters"] = json!([
        { "in": "query", "name": "q", "schema": { "type": "integer" } },
        { "in": "query", "name": "r", "schema": { "type": "integer" } },
    ]);
    // The operation overrides the path item.
    let call = all(&document).call("get_x");
    assert_eq!(call.setters["q"], "String");
    assert_eq!(call.setters["r"], "i64");
}

#[test]
fn parameters_that_would_collide() {
    let names = [
        "page-size",
        "page_size",
        "pageSize",
        "page.size",
        "filter[name]",
        "filter_name",
        "$top",
        "top",
    ];
    let call = all(&with_parameters(
        names.iter().map(|name| query(name)).collect(),
    ))
    .call("get_x");
    // The path variable, which is not declared, is a setter too.
    assert_eq!(call.setters.len(), names.len() + 1, "{:?}", call.setters);
    for name in names {
        assert!(call.texts.contains(name), "{name} is not sent");
    }
}

#[test]
fn a_list_of_a_set_in_a_header() {
    let schema = json!({ "type": "array", "items": { "type": "string", "enum": ["a", "b"] } });
    let header = json!({ "in": "header", "name": "X-Sets", "schema": schema });
    let output = all(&with_parameters(json!([header])));
    assert_eq!(output.call("get_x").setters["x_sets"], "String");
    assert!(output.notes()[0].contains("X-Sets"), "{:?}", output.notes());
}

#[test]
fn components_named_like_types_of_rust() {
    let names = [
        "String", "Option", "Result", "Box", "Vec", "Default", "Self", "Error", "Client", "Value",
    ];
    let schemas = names.iter().map(|name| {
        (
            (*name).to_owned(),
            object(json!({ *name: { "type": "string" } })),
        )
    });
    let mut schemas: Value = schemas.collect();
    schemas["All"] = object(
        names
            .iter()
            .map(|name| (format!("a{name}"), reference(name)))
            .collect(),
    );
    let output = all(&received("3.0.3", reference("All"), schemas));
    for name in names {
        let changed = format!("{name}Type");
        let is_plain = ["Error", "Client", "Value"].contains(&name);
        let expected = if is_plain { name } else { changed.as_str() };
        assert!(
            output.types().contains(expected),
            "{expected} in {:?}",
            output.types()
        );
    }
}

#[test]
fn values_of_a_set_that_would_collide() {
    let values = [
        "a", "A", "a-b", "aB", "a_b", "Other", "Self", "", " ", "+1", "-1", "1", "Err", "日本",
        "🚀", ">=", "<=",
    ];
    let schema = json!({ "type": "string", "enum": values });
    let output = all(&received(
        "3.0.3",
        reference("X"),
        json!({ "X": object(json!({ "field": schema })) }),
    ));
    let set = output.set("XField").values;
    let names: BTreeSet<&str> = set.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.len(), values.len(), "{set:?}");
    assert!(
        !names.contains("Other") && !names.contains("Self"),
        "{set:?}"
    );
    assert_eq!(
        set.iter()
            .map(|(_, value)| value.as_str())
            .collect::<Vec<_>>(),
        values
    );
}

#[test]
fn several_variables_in_one_step_of_a_path() {
    let operation =
        json!({ "operationId": "get_file", "responses": { "200": { "description": "" } } });
    let document = document(
        "3.0.3",
        json!({ "/files/{name}.{ext}/{a}{b}:run/{name}": { "get": operation } }),
        json!({}),
    );
    let call = all(&document).call("get_file");
    assert_eq!(
        call.setters.keys().collect::<Vec<_>>(),
        ["a", "b", "ext", "name"]
    );
    assert!(
        call.texts.contains("{}/files/{}.{}/{}{}:run/{}"),
        "{:?}",
        call.texts
    );
}

//! Forms of documents that progenitor does not accept, and what they become.

use serde_json::{Value, json};

use crate::small_documents::{
    all, both_ways, document, object, received, reference, with_parameters,
};

/// The type of the field that a property with this schema becomes.
fn field_of(version: &str, schema: Value, schemas: Value) -> String {
    let output = all(&received(version, reference("X"), {
        let mut schemas = schemas;
        schemas["X"] = object(json!({ "field": schema }));
        schemas
    }));
    output.field("X", "field").of
}

fn with_field(schema: Value) -> Value {
    json!({ "X": object(json!({ "field": schema })) })
}

#[test]
fn a_union_with_null_is_nullable() {
    let schemas = || json!({ "Y": object(json!({ "y": { "type": "string" } })) });
    for (schema, of) in [
        (json!({ "type": ["string", "null"] }), "Option<String>"),
        (
            json!({ "oneOf": [{ "type": "integer" }, { "type": "null" }] }),
            "Option<i64>",
        ),
        (
            json!({ "anyOf": [{ "type": "null" }, { "type": "boolean" }] }),
            "Option<bool>",
        ),
        (
            json!({ "anyOf": [reference("Y"), { "type": "null" }] }),
            "Option<Y>",
        ),
        (
            json!({ "oneOf": [{ "const": null }, { "type": "number" }] }),
            "Option<f64>",
        ),
        (
            json!({ "type": ["array", "null"], "items": reference("Y") }),
            "Option<Vec<Y>>",
        ),
    ] {
        assert_eq!(field_of("3.1.0", schema.clone(), schemas()), of, "{schema}");
    }
    let nullable = json!({ "nullable": true, "allOf": [reference("Y")] });
    assert_eq!(field_of("3.0.3", nullable, schemas()), "Option<Y>");
}

#[test]
fn a_constant_is_a_set_of_one_value() {
    let output = all(&received(
        "3.1.0",
        reference("X"),
        with_field(json!({ "const": "only" })),
    ));
    assert_eq!(output.field("X", "field").of, "Option<XField>");
    assert_eq!(
        output.set("XField").values,
        [("Only".to_owned(), "only".to_owned())]
    );
}

#[test]
fn every_kind_of_reference_is_followed() {
    let mut document = document(
        "3.1.0",
        json!({ "/x": { "$ref": "#/components/pathItems/Item" } }),
        json!({ "Y": object(json!({ "y": { "type": "string" } })) }),
    );
    let json_of = |name| json!({ "application/json": { "schema": reference(name) } });
    let components = document["components"].as_object_mut().unwrap();
    components.extend(
        json!({
            "pathItems": { "Item": { "post": {
                "operationId": "send",
                "parameters": [{ "$ref": "#/components/parameters/Again" }],
                "requestBody": { "$ref": "#/components/requestBodies/Body" },
                "responses": {
                    "200": { "$ref": "#/components/responses/Done" },
                    "400": { "$ref": "#/components/responses/Wrong" },
                },
            } } },
            "parameters": {
                "Again": { "$ref": "#/components/parameters/Query" },
                "Query": { "in": "query", "name": "q", "required": true, "schema": { "type": "integer" } },
            },
            "requestBodies": { "Body": { "content": json_of("Y") } },
            "responses": {
                "Done": { "description": "", "headers": { "H": { "$ref": "#/components/headers/H" } }, "content": json_of("Y") },
                "Wrong": { "description": "", "content": json_of("Y") },
            },
            "headers": { "H": { "schema": { "type": "string" } } },
        })
        .as_object()
        .unwrap()
        .clone(),
    );
    let call = all(&document).call("send");
    assert_eq!(call.setters["q"], "i64");
    assert!(call.required.contains("q"));
    assert_eq!((call.success.as_str(), call.failure.as_str()), ("Y", "Y"));
    assert_eq!(call.setters["body"], "Y");
}

#[test]
fn parts_are_merged_property_by_property() {
    let output = all(&both_ways(
        "3.0.3",
        json!({ "allOf": [reference("X"), { "required": ["a"] }] }),
        json!({ "X": object(json!({ "a": { "type": "string" }, "b": { "type": "integer" } })) }),
    ));
    // A schema that only adds `required` is the component itself, whose properties are required in a request.
    let call = output.call("exchange");
    assert_eq!(call.success, "X");
    assert_eq!(output.field("X", "a").of, "Option<String>");
    assert_eq!(call.setters["body"], "XRequest");
    assert_eq!(output.field("XRequest", "a").of, "String");
    assert_eq!(output.field("XRequest", "b").of, "Option<i64>");

    let more = json!({ "allOf": [
        reference("X"),
        { "properties": { "a": { "description": "Said of a." }, "c": { "type": "boolean" } } },
    ] });
    let output = all(&received(
        "3.0.3",
        reference("Z"),
        json!({ "X": object(json!({ "a": { "type": "string" } })), "Z": more }),
    ));
    assert_eq!(output.field("Z", "a").of, "Option<String>");
    assert_eq!(output.field("Z", "a").docs, "Said of a.");
    assert_eq!(output.field("Z", "c").of, "Option<bool>");
}

#[test]
fn a_type_without_a_name_is_named_after_its_container() {
    let inner = object(json!({ "deep": object(json!({ "deeper": { "type": "string" } })) }));
    let list = json!({ "type": "array", "items": object(json!({ "a": { "type": "string" } })) });
    let schemas = json!({ "X": object(json!({ "inner": inner, "list": list })) });
    let output = all(&received("3.0.3", reference("X"), schemas));
    assert_eq!(output.field("X", "inner").of, "Option<XInner>");
    assert_eq!(output.field("XInner", "deep").of, "Option<XInnerDeep>");
    assert_eq!(output.field("XInnerDeep", "deeper").of, "Option<String>");
    assert_eq!(output.field("X", "list").of, "Option<Vec<XListItem>>");
    let whole = all(&received(
        "3.0.3",
        object(json!({ "a": { "type": "string" } })),
        json!({}),
    ));
    assert_eq!(whole.call("get_x").success, "GetXResponse");
}

#[test]
fn a_set_is_open_whatever_keyword_lists_it() {
    for keyword in ["enum", "x-extensible-enum"] {
        let schema =
            json!({ "type": "string", keyword: ["ON", "off-line", ""], "description": "Said." });
        let output = all(&received("3.0.3", reference("X"), with_field(schema)));
        let set = output.set("XField");
        let values = [("On", "ON"), ("OffLine", "off-line"), ("Empty", "")];
        assert_eq!(
            set.values,
            values.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert_eq!(set.docs, "Said.");
        assert!(output.text.contains("Other(::std::string::String)"));
    }
}

/// `Cat` and `Dog`, with this discriminator.
fn pets(tag: impl Fn(&str) -> Value) -> Value {
    let pet = |name: &str| object(json!({ "kind": tag(name), "name": { "type": "string" } }));
    json!({ "Cat": pet("cat"), "Dog": pet("dog") })
}

#[test]
fn tagged_alternatives_are_an_open_enum() {
    let branches = json!([reference("Cat"), reference("Dog")]);
    let mapping = json!({ "meow": "#/components/schemas/Cat", "woof": "Dog" });
    for (union, tag, values) in [
        (
            json!({ "oneOf": branches, "discriminator": { "propertyName": "kind", "mapping": mapping } }),
            json!({ "type": "string" }),
            ["meow", "woof"],
        ),
        (
            json!({ "anyOf": branches, "discriminator": { "propertyName": "kind" } }),
            json!({ "type": "string" }),
            ["Cat", "Dog"],
        ),
        (json!({ "oneOf": branches }), Value::Null, ["cat", "dog"]),
    ] {
        let tag = |name: &str| {
            if tag.is_null() {
                json!({ "const": name })
            } else {
                tag.clone()
            }
        };
        let mut schemas = pets(tag);
        schemas["Pet"] = union.clone();
        let output = all(&received("3.1.0", reference("Pet"), schemas));
        let union = output.union("Pet");
        assert_eq!(union.tag, "kind");
        let arms = union
            .arms
            .iter()
            .map(|(_, of, value)| (of.as_str(), value.as_str()));
        assert_eq!(
            arms.collect::<Vec<_>>(),
            [("Cat", values[0]), ("Dog", values[1])]
        );
        assert!(output.text.contains("Other(::serde_json::Value)"));
        assert_eq!(output.call("get_x").success, "Pet");
    }
}

#[test]
fn untagged_alternatives_are_any_json() {
    let union =
        json!({ "oneOf": [{ "type": "string" }, { "type": "integer" }, { "type": "array" }] });
    let output = all(&received("3.0.3", reference("X"), with_field(union)));
    assert_eq!(output.field("X", "field").of, "Option<Value>");
    let [note] = &output.notes()[..] else {
        panic!("{:?}", output.notes())
    };
    assert!(
        note.contains("/components/schemas/X/properties/field"),
        "{note}"
    );
    assert!(note.contains("any JSON"), "{note}");
}

#[test]
fn a_union_of_objects_in_a_response_is_merged() {
    let union = json!({ "oneOf": [
        object(json!({ "a": { "type": "string" }, "status": { "type": "integer" } })),
        object(json!({ "b": { "type": "string" }, "status": { "type": "number" } })),
    ] });
    let output = all(&received("3.0.3", union, json!({})));
    let object = output.object(&output.call("get_x").success);
    assert_eq!(object.fields["a"].of, "Option<String>");
    assert_eq!(object.fields["b"].of, "Option<String>");
    assert_eq!(object.fields["status"].of, "Option<f64>");
}

fn json_response(schema: Value) -> Value {
    json!({ "description": "", "content": { "application/json": { "schema": schema } } })
}

fn with_responses(responses: Value) -> Value {
    let operation = json!({ "operationId": "get_x", "responses": responses });
    document("3.0.3", json!({ "/x": { "get": operation } }), json!({}))
}

#[test]
fn several_successes_are_one() {
    let output = all(&with_responses(json!({
        "200": json_response(object(json!({ "a": { "type": "string" } }))),
        "201": json_response(object(json!({ "b": { "type": "integer" } }))),
        "202": { "description": "" },
    })));
    let success = output.object(&output.call("get_x").success);
    assert_eq!(success.fields["a"].of, "Option<String>");
    assert_eq!(success.fields["b"].of, "Option<i64>");
}

#[test]
fn failures_are_one_and_those_without_a_body_are_none() {
    let failure = |kind: &str| {
        json_response(object(
            json!({ "status": { "type": kind }, "error": { "type": "string" } }),
        ))
    };
    let output = all(&with_responses(json!({
        "200": { "description": "" },
        "400": failure("integer"),
        "404": { "description": "" },
        "500": failure("number"),
    })));
    let call = output.call("get_x");
    assert_eq!(call.success, "()");
    let failure = output.object(&call.failure);
    assert_eq!(failure.fields["status"].of, "Option<f64>");
    assert_eq!(failure.fields["error"].of, "Option<String>");

    let none = all(&with_responses(
        json!({ "200": { "description": "" }, "404": { "description": "" } }),
    ));
    assert_eq!(none.call("get_x").failure, "()");
}

#[test]
fn a_failure_unlike_the_others_is_left_out_with_a_note() {
    let output = all(&with_responses(json!({
        "200": { "description": "" },
        "400": json_response(object(json!({ "error": { "type": "string" } }))),
        "500": json_response(json!({ "type": "array", "items": { "type": "string" } })),
    })));
    let call = output.call("get_x");
    assert!(output.object(&call.failure).fields.contains_key("error"));
    assert!(output.notes()[0].contains("500"), "{:?}", output.notes());
}

#[test]
fn json_is_json_whatever_it_is_called() {
    for media_type in [
        "application/json; charset=utf-8",
        "application/vnd.example.v2+json",
        "application/problem+json",
        "*/*",
        "APPLICATION/JSON",
    ] {
        let response = json!({ "description": "", "content": { media_type: { "schema": object(json!({ "a": { "type": "string" } })) } } });
        let output = all(&with_responses(json!({ "200": response })));
        assert_eq!(output.call("get_x").success, "GetXResponse", "{media_type}");
    }
    let several = json!({ "description": "", "content": {
        "application/hal+json": { "schema": object(json!({ "hal": { "type": "string" } })) },
        "application/json": { "schema": object(json!({ "plain": { "type": "string" } })) },
        "text/csv": { "schema": { "type": "string" } },
    } });
    let output = all(&with_responses(json!({ "200": several })));
    let fields = output.object("GetXResponse").fields;
    assert_eq!(fields.keys().collect::<Vec<_>>(), ["extra", "plain"]);
}

#[test]
fn a_body_other_than_json_is_octets() {
    for media_type in [
        "image/png",
        "application/octet-stream",
        "text/csv",
        "text/plain",
    ] {
        let response = json!({ "description": "", "content": { media_type: { "schema": { "type": "string", "format": "binary" } } } });
        let output = all(&with_responses(json!({ "200": response })));
        assert_eq!(output.call("get_x").success, "ByteStream", "{media_type}");
    }
}

#[test]
fn a_body_of_parts_is_octets_with_a_note() {
    let body = json!({ "content": { "multipart/form-data": { "schema": object(json!({ "file": { "type": "string", "format": "binary" } })) } } });
    let operation = json!({ "operationId": "upload", "requestBody": body, "responses": { "200": { "description": "" } } });
    let output = all(&document(
        "3.0.3",
        json!({ "/x": { "post": operation } }),
        json!({}),
    ));
    assert!(output.call("upload").setters.contains_key("body"));
    let [note] = &output.notes()[..] else {
        panic!("{:?}", output.notes())
    };
    assert!(note.contains("multipart/form-data"), "{note}");
}

#[test]
fn a_form_is_sent_as_a_form() {
    let body = json!({ "content": { "application/x-www-form-urlencoded": { "schema": {
        "type": "object", "required": ["a"], "properties": { "a": { "type": "string" } },
    } } } });
    let operation = json!({ "operationId": "send", "requestBody": body, "responses": { "200": { "description": "" } } });
    let output = all(&document(
        "3.0.3",
        json!({ "/x": { "post": operation } }),
        json!({}),
    ));
    assert_eq!(output.call("send").setters["body"], "SendRequest");
    assert_eq!(output.field("SendRequest", "a").of, "String");
    assert!(output.text.contains(".form_urlencoded(&body)"));
}

#[test]
fn requests_and_responses_are_two_types() {
    let schema = json!({ "type": "object", "required": ["id", "name", "secret"], "properties": {
        "id": { "type": "string", "readOnly": true },
        "name": { "type": "string" },
        "secret": { "type": "string", "writeOnly": true },
    } });
    let output = all(&both_ways(
        "3.0.3",
        reference("User"),
        json!({ "User": schema }),
    ));
    let sent = output.object("UserRequest").fields;
    let received = output.object("User").fields;
    assert_eq!(sent.keys().collect::<Vec<_>>(), ["extra", "name", "secret"]);
    assert_eq!(received.keys().collect::<Vec<_>>(), ["extra", "id", "name"]);
    assert_eq!(sent["name"].of, "String");
    assert_eq!(received["name"].of, "Option<String>");
    // One type is enough where both are the same.
    let same = object(json!({ "name": { "type": "string" } }));
    let output = all(&both_ways(
        "3.0.3",
        reference("User"),
        json!({ "User": same }),
    ));
    assert_eq!(output.call("exchange").setters["body"], "User");
    assert_eq!(output.call("exchange").success, "User");
}

#[test]
fn an_object_of_read_only_properties_is_sent_as_a_map() {
    let meta = object(json!({ "self": { "type": "string", "readOnly": true } }));
    let schemas = json!({ "User": object(json!({ "meta": meta, "name": { "type": "string" } })) });
    let output = all(&both_ways("3.0.3", reference("User"), schemas));
    let sent = output.call("exchange").setters["body"].clone();
    assert_eq!(output.field(&sent, "meta").of, "Option<Map<String,Value>>");
    assert_eq!(output.field("UserMeta", "self_").wire, "self");
}

#[test]
fn components_of_one_short_name_stay_apart() {
    let schemas = json!({
        "X": object(json!({ "a": reference("a.v1.User"), "b": reference("b.v2.User"), "c": reference("c.v3.User") })),
        "a.v1.User": object(json!({ "a": { "type": "string" } })),
        "b.v2.User": object(json!({ "b": { "type": "string" } })),
        "c.v3.User": object(json!({ "c": { "type": "string" } })),
    });
    let output = all(&received("3.0.3", reference("X"), schemas));
    assert_eq!(output.field("X", "a").of, "Option<User>");
    assert_eq!(output.field("X", "b").of, "Option<Bv2User>");
    assert_eq!(output.field("X", "c").of, "Option<Cv3User>");
}

#[test]
fn a_description_beside_a_reference_is_the_fields() {
    let schemas = |schema| {
        json!({
            "X": object(json!({ "field": schema })),
            "Y": { "type": "object", "description": "Said of Y.", "properties": { "y": { "type": "string" } } },
        })
    };
    let beside = json!({ "$ref": "#/components/schemas/Y", "description": "Said here." });
    let around = json!({ "allOf": [reference("Y")], "description": "Said here." });
    for (version, schema) in [("3.1.0", beside), ("3.0.3", around)] {
        let output = all(&received(version, reference("X"), schemas(schema)));
        assert_eq!(output.field("X", "field").of, "Option<Y>");
        assert_eq!(output.field("X", "field").docs, "Said here.");
        assert_eq!(output.object("Y").docs, "Said of Y.");
    }
}

#[test]
fn restrictions_of_a_response_are_dropped() {
    let schemas = json!({ "X": {
        "type": "object",
        "required": ["short", "id", "size", "list"],
        "properties": {
            "short": { "type": "string", "minLength": 2, "maxLength": 3, "pattern": "^[a-z]+$", "default": "ab" },
            "id": { "type": "string", "format": "uuid" },
            "size": { "type": "integer", "format": "uint8", "minimum": 1, "maximum": 5, "default": 3 },
            "list": { "type": "array", "items": { "type": "string", "format": "ipv4" }, "minItems": 1, "maxItems": 1, "uniqueItems": true },
        },
    } });
    let output = all(&received("3.0.3", reference("X"), schemas));
    let fields = output.object("X").fields;
    let types: Vec<_> = fields.values().map(|field| field.of.as_str()).collect();
    assert_eq!(
        types,
        [
            "Map<String,Value>",
            "Option<String>",
            "Option<Vec<String>>",
            "Option<String>",
            "Option<i64>"
        ]
    );
}

#[test]
fn timestamps_may_be_a_type_of_the_support_module() {
    let document = received(
        "3.0.3",
        reference("X"),
        with_field(json!({ "type": "string", "format": "date-time" })),
    );
    assert_eq!(
        all(&document).field("X", "field").of,
        "Option<DateTime<Utc>>"
    );
    let bindings = org_invitations_codegen::Bindings::new("api")
        .support("crate::support")
        .source(org_invitations_codegen::Source::new("small.json").all());
    let output =
        crate::small_documents::of(&bindings, &[crate::common::parsed("small.json", &document)]);
    assert_eq!(output.field("X", "field").of, "Option<Timestamp>");
    assert!(!output.types().contains("TimestampOfSupport"));
}

#[test]
fn unknown_properties_are_kept_and_structs_can_grow() {
    let output = all(&received(
        "3.0.3",
        reference("X"),
        with_field(json!({ "type": "string" })),
    ));
    let object = output.object("X");
    assert_eq!(object.fields["extra"].of, "Map<String,Value>");
    assert!(
        object.attributes.contains(&"non_exhaustive".to_owned()),
        "{:?}",
        object.attributes
    );
    let derived = object
        .attributes
        .iter()
        .find(|it| it.starts_with("derive("))
        .unwrap();
    assert!(derived.contains("Default"), "{derived}");
}

#[test]
fn lists_in_a_query_are_repeated_or_text() {
    let list = |more: Value| {
        let mut parameter = json!({ "in": "query", "name": "ids", "schema": { "type": "array", "items": { "type": "string" } } });
        parameter
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        all(&with_parameters(json!([parameter])))
    };
    for repeated in [
        json!({}),
        json!({ "style": "form" }),
        json!({ "style": "form", "explode": true }),
    ] {
        let output = list(repeated.clone());
        assert_eq!(
            output.call("get_x").setters["ids"],
            "Vec<String>",
            "{repeated}"
        );
        assert_eq!(output.notes(), [""; 0]);
    }
    for joined in [
        json!({ "explode": false }),
        json!({ "style": "pipeDelimited" }),
        json!({ "style": "spaceDelimited" }),
    ] {
        let output = list(joined.clone());
        assert_eq!(output.call("get_x").setters["ids"], "String", "{joined}");
        assert_eq!(output.notes().len(), 1, "{joined}");
    }
}

#[test]
fn an_object_in_a_query_is_a_map() {
    let parameter = |required: bool| json!({ "in": "query", "name": "filter", "required": required, "schema": object(json!({ "a": { "type": "string" } })) });
    for required in [true, false] {
        let output = all(&with_parameters(json!([parameter(required)])));
        assert_eq!(output.call("get_x").setters["filter"], "Map<String,Value>");
        assert_eq!(output.call("get_x").required.contains("filter"), required);
        assert_eq!(output.notes().len(), 1);
    }
}

#[test]
fn values_of_several_types_are_any_json() {
    for schema in [
        json!({ "enum": ["a", 1, null] }),
        json!({ "type": ["string", "integer"], "enum": ["a", 1] }),
        json!({ "type": ["object", "array"], "properties": { "a": { "type": "string" } } }),
        json!({ "const": 5 }),
    ] {
        assert_eq!(
            field_of("3.1.0", schema.clone(), json!({})),
            "Option<Value>",
            "{schema}"
        );
    }
}

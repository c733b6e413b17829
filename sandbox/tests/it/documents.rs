//! The APIs' OpenAPI documents, to validate replies against.
//!
//! The documents are those that the library is built from: in `specs/`, or where the build's environment variables say.
//! Validation is stricter than the documents: an undocumented property is a problem, and so is a documented header that
//! a reply lacks.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use jsonschema::{Draft, Validator};
use org_invitations_sandbox::Provider;
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::api::Reply;

pub struct Document {
    root: Value,
    /// The schemas as JSON Schema 2020-12.
    schemas: Value,
}

pub fn of(provider: Provider) -> &'static Document {
    static CONFLUENT: OnceLock<Document> = OnceLock::new();
    static CLICKHOUSE: OnceLock<Document> = OnceLock::new();
    match provider {
        Provider::Confluent => CONFLUENT.get_or_init(|| {
            Document::load(
                "ORG_INVITATIONS_CONFLUENT_SPEC",
                "confluent-iam-v2.yaml",
                "/iam/v2/invitations",
            )
        }),
        Provider::ClickHouse => CLICKHOUSE.get_or_init(|| {
            Document::load(
                "ORG_INVITATIONS_CLICKHOUSE_SPEC",
                "clickhouse-cloud-v1.json",
                "/v1/organizations/{organizationId}/invitations",
            )
        }),
        other => panic!("no document for {other:?}"),
    }
}

/// The document of Confluent's token exchange.
pub fn of_sts() -> &'static Document {
    static STS: OnceLock<Document> = OnceLock::new();
    STS.get_or_init(|| {
        Document::load(
            "ORG_INVITATIONS_CONFLUENT_SPEC",
            "confluent-sts-v1.yaml",
            "/sts/v1/oauth2/token",
        )
    })
}

/// The document of Confluent's role bindings.
pub fn of_role_bindings() -> &'static Document {
    static MDS: OnceLock<Document> = OnceLock::new();
    MDS.get_or_init(|| {
        Document::load(
            "ORG_INVITATIONS_CONFLUENT_SPEC",
            "confluent-mds-v2.yaml",
            "/iam/v2/role-bindings",
        )
    })
}

/// The document of Confluent's API keys.
pub fn of_api_keys() -> &'static Document {
    static KEYS: OnceLock<Document> = OnceLock::new();
    KEYS.get_or_init(|| {
        Document::load(
            "ORG_INVITATIONS_CONFLUENT_SPEC",
            "confluent-apikeys-v2.yaml",
            "/iam/v2/api-keys",
        )
    })
}

/// The document of Confluent's organisations.
pub fn of_organizations() -> &'static Document {
    static ORG: OnceLock<Document> = OnceLock::new();
    ORG.get_or_init(|| {
        Document::load(
            "ORG_INVITATIONS_CONFLUENT_SPEC",
            "confluent-org-v2.yaml",
            "/org/v2/organizations",
        )
    })
}

/// The document of the admin API.
pub fn of_admin() -> &'static Document {
    static ADMIN: OnceLock<Document> = OnceLock::new();
    ADMIN.get_or_init(|| Document::read(include_str!("../../openapi.yaml"), "openapi.yaml"))
}

impl Document {
    /// The first document of the environment variable that has the path, or else ours.
    fn load(variable: &str, file: &str, path: &str) -> Self {
        let named = std::env::var_os(variable).unwrap_or_default();
        let named: Vec<PathBuf> = std::env::split_paths(&named).collect();
        let ours = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../specs")
            .join(file);
        for file in named.iter().filter(|file| !file.as_os_str().is_empty()) {
            let document = Self::open(file);
            if document.root["paths"].get(path).is_some() {
                return document;
            }
        }
        Self::open(&ours)
    }

    fn open(path: &Path) -> Self {
        let text = std::fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self::read(&text, &path.display().to_string())
    }

    fn read(text: &str, name: &str) -> Self {
        // JSON is YAML too.
        let root: Value =
            serde_norway::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut schemas = root["components"]["schemas"].clone();
        for schema in schemas
            .as_object_mut()
            .into_iter()
            .flat_map(Map::values_mut)
        {
            to_json_schema(schema);
        }
        Self { root, schemas }
    }

    /// Validates a reply, and returns whether the document has its operation and status.
    pub fn check(&self, method: &Method, path: &str, reply: &Reply) -> Result<bool, String> {
        let Some(operation) = self.operation(method, path) else {
            return Ok(false);
        };
        let Some(response) = operation["responses"].get(reply.status.to_string()) else {
            return Ok(false);
        };
        let response = self.resolve(response);
        self.check_headers(response, reply)?;
        self.check_body(response, reply)?;
        Ok(true)
    }

    /// Each path, with its methods in upper case.
    pub fn paths(&self) -> Vec<(&str, Vec<String>)> {
        let paths = self.root["paths"].as_object().unwrap().iter();
        paths
            .map(|(path, item)| {
                let methods = item.as_object().unwrap().keys();
                (path.as_str(), methods.map(|it| it.to_uppercase()).collect())
            })
            .collect()
    }

    fn operation(&self, method: &Method, path: &str) -> Option<&Value> {
        let fits = |template: &str| {
            let (template, path) = (template.split('/'), path.split('/'));
            template.clone().count() == path.clone().count()
                && template
                    .zip(path)
                    .all(|(t, p)| t.starts_with('{') || t == p)
        };
        let paths = self.root["paths"].as_object()?;
        let (_, item) = paths.iter().find(|(template, _)| fits(template))?;
        item.get(method.as_str().to_lowercase())
    }

    fn check_headers(&self, response: &Value, reply: &Reply) -> Result<(), String> {
        let headers = response["headers"].as_object();
        for (name, header) in headers.into_iter().flatten() {
            let schema = &self.resolve(header)["schema"];
            let value = reply
                .headers
                .get(name)
                .ok_or_else(|| format!("header {name} is missing"))?;
            let value = value.to_str().map_err(|error| error.to_string())?;
            let value = match schema["type"].as_str() {
                Some("integer" | "number") => {
                    serde_json::from_str(value).map_err(|error| format!("{name}: {error}"))?
                }
                _ => Value::from(value),
            };
            validate(self.validator(schema.clone()), &value)
                .map_err(|problem| format!("header {name}: {problem}"))?;
        }
        Ok(())
    }

    fn check_body(&self, response: &Value, reply: &Reply) -> Result<(), String> {
        let Some(content) = response["content"].as_object() else {
            return match reply.text.as_str() {
                "" => Ok(()),
                body => Err(format!("a body where none is documented: {body}")),
            };
        };
        let media_type = reply
            .headers
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let schema = content
            .get(media_type)
            .ok_or_else(|| format!("media type {media_type:?} is not documented"))?;
        let body = if media_type == "application/json" {
            reply.json()
        } else {
            Value::from(reply.text.as_str())
        };
        self.check_value(&schema["schema"], &body)
    }

    fn check_value(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let mut schema = schema.clone();
        to_json_schema(&mut schema);
        close(&mut schema);
        validate(self.validator(schema), value)
    }

    fn validator(&self, schema: Value) -> Validator {
        let root = json!({ "allOf": [schema], "components": { "schemas": self.schemas } });
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .build(&root)
            .unwrap()
    }

    /// Follows references between parts of the document other than schemas.
    fn resolve<'a>(&'a self, mut node: &'a Value) -> &'a Value {
        while let Some(reference) = node["$ref"].as_str() {
            let pointer = reference.strip_prefix('#').unwrap();
            node = self.root.pointer(pointer).unwrap();
        }
        node
    }
}

fn validate(validator: Validator, value: &Value) -> Result<(), String> {
    let problems: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.join("; "))
    }
}

/// Turns an OpenAPI 3.0 or 3.1 schema into JSON Schema that allows no undocumented properties in nested objects.
fn to_json_schema(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    object.retain(|keyword, _| !keyword.starts_with("x-") && keyword != "example");
    let is_nullable = object.remove("nullable") == Some(Value::Bool(true));
    if is_nullable && let Some(plain) = object.get("type").cloned() {
        object["type"] = json!([plain, "null"]);
    } else if is_nullable && let Some(parts) = object.remove("allOf") {
        // A reference that may be null.
        object.insert(
            "anyOf".to_owned(),
            json!([{ "type": "null" }, { "allOf": parts }]),
        );
    }
    let properties = object.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(Map::values_mut) {
        to_json_schema(property);
        close(property);
    }
    if let Some(items) = object.get_mut("items") {
        to_json_schema(items);
        close(items);
    }
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let branches = object.get_mut(keyword).and_then(Value::as_array_mut);
        branches.into_iter().flatten().for_each(to_json_schema);
    }
}

fn close(schema: &mut Value) {
    if let Some(object) = schema.as_object_mut() {
        object.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
    }
}

#[test]
fn an_undocumented_body_is_detected() {
    let invitation = json!({
        "api_version": "iam/v2",
        "kind": "Invitation",
        "id": "i-1",
        "email": "ada@example.com",
        "metadata": { "self": "http://localhost/iam/v2/invitations/i-1" },
        "accepted_at": null,
        "expires_at": "2025-01-02T03:04:05.678Z",
        "user": {
            "id": "u-1",
            "related": "http://localhost/iam/v2/users/u-1",
            "resource_name": "crn://confluent.cloud/user=u-1",
        },
    });
    let document = of(Provider::Confluent);
    let item = Method::GET;
    let operation = document
        .operation(&item, "/iam/v2/invitations/i-1")
        .unwrap();
    let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
    document.check_value(schema, &invitation).unwrap();

    for (pointer, wrong) in [
        ("/kind", json!("InvitationList")),
        ("/email", json!("ada")),
        ("/metadata", json!({})),
        ("/metadata/self", json!("/iam/v2/invitations/i-1")),
        ("/accepted_at", json!(0)),
        ("/expires_at", json!("2025-01-02 03:04:05")),
        ("/expires_at", Value::Null),
        ("/user", json!({ "id": "u-1" })),
        ("/user/related", json!("")),
    ] {
        let mut body = invitation.clone();
        *body.pointer_mut(pointer).unwrap() = wrong.clone();
        let checked = document.check_value(schema, &body);
        assert!(checked.is_err(), "{pointer} {wrong} passed");
    }
    for pointer in ["", "/metadata", "/user"] {
        let mut body = invitation.clone();
        body.pointer_mut(pointer).unwrap()["unnamed"] = json!(1);
        let checked = document.check_value(schema, &body);
        assert!(
            checked.is_err(),
            "an unnamed property in {pointer:?} passed"
        );
    }
}

//! What changed between two documents of one API, and what that means for the library and its users.

use std::{collections::BTreeSet, fmt};

use serde_json::{Map, Value, json};

use crate::{
    api::{Api, Field, Need, Object, Operation, Response},
    check::is_bare,
    document::escape,
    schema::Direction,
    schema_diff::SchemaDiff,
    surface::Surface,
};

/// What a change means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Nothing behaves differently.
    Cosmetic,
    /// There is something new, and all that was there still works.
    Additive,
    /// The library or its users would fail or lose data.
    Breaking,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it means.
    pub class: Class,
    /// JSON pointer to the place in the newer document, or in the older one for what is gone.
    pub pointer: String,
    /// What was there; null when there was nothing.
    pub before: Value,
    /// What is there now; null when it is gone.
    pub after: Value,
    /// The change in words, with the operations that it concerns.
    pub message: String,
}

impl Class {
    /// The word for it: `breaking`, `additive` or `cosmetic`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cosmetic => "cosmetic",
            Self::Additive => "additive",
            Self::Breaking => "breaking",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Headers that the library reads; losing another one loses nothing.
const HEADERS_READ: [&str; 7] = [
    "location",
    "retry-after",
    "www-authenticate",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
];

/// Compares what two documents say of `api`; the worst changes come first.
///
/// Moving a schema, inlining a reference, renaming a schema, changing words or the OpenAPI version is
/// no change. A change in a place that several operations share is one finding.
pub fn diff(old: &Surface, new: &Surface, api: &Api) -> Vec<Finding> {
    let mut changes = Changes {
        old,
        new,
        operation: "",
        changes: Vec::new(),
    };
    changes.server();
    for operation in api.operations {
        changes.operation(operation);
    }
    changes.into_findings()
}

/// A change before it is merged with the same one of other operations.
struct Change {
    class: Class,
    pointer: String,
    before: Value,
    after: Value,
    what: String,
    operation: &'static str,
}

/// The two surfaces, and what was found so far.
pub(crate) struct Changes<'a> {
    old: &'a Surface,
    new: &'a Surface,
    operation: &'static str,
    changes: Vec<Change>,
}

impl Changes<'_> {
    /// Records a change from the place `before` of the old surface to the place `after` of the new.
    pub fn record(
        &mut self,
        class: Class,
        before: (&str, Value),
        after: (&str, Value),
        what: impl Into<String>,
    ) {
        let came_or_went = before.1.is_null() || after.1.is_null();
        self.record_at(came_or_went, class, before, after, what);
    }

    /// As [`record`](Self::record); `at_use` names the place that uses a schema, and not the schema.
    pub fn record_at(
        &mut self,
        at_use: bool,
        class: Class,
        (old_at, before): (&str, Value),
        (new_at, after): (&str, Value),
        what: impl Into<String>,
    ) {
        let gone = after.is_null() && !before.is_null();
        let pointer = match (gone, at_use) {
            (true, _) => self.old.site(old_at),
            (false, true) => self.new.site(new_at),
            (false, false) => self.new.origin(new_at),
        };
        self.changes.push(Change {
            class,
            pointer: pointer.to_owned(),
            before,
            after,
            what: what.into(),
            operation: self.operation,
        });
    }

    fn server(&mut self) {
        let server = |surface: &Surface| surface.value()["servers"][0]["url"].clone();
        let (before, after) = (server(self.old), server(self.new));
        if before != after {
            // A document that names none says nothing of where the service is.
            let silent = before.is_null() || after.is_null();
            let class = if silent {
                Class::Cosmetic
            } else {
                Class::Breaking
            };
            self.changes.push(Change {
                class,
                pointer: "/servers/0/url".to_owned(),
                before,
                after,
                what: "the server moved".to_owned(),
                operation: "",
            });
        }
    }

    fn operation(&mut self, operation: &'static Operation) {
        self.operation = operation.id;
        let (old, new) = (self.old, self.new);
        let name = |path: &str| json!(format!("{} {path}", operation.method.to_uppercase()));
        match (old.operation(operation), new.operation(operation)) {
            (None, None) => {}
            (Some((at, path, _)), None) => {
                let what = "the operation is gone";
                self.record(Class::Breaking, (&at, name(path)), (&at, Value::Null), what);
            }
            (None, Some((at, path, _))) => {
                let what = "there is a new operation";
                self.record(Class::Additive, (&at, Value::Null), (&at, name(path)), what);
            }
            (Some((old_at, old_path, before)), Some((new_at, new_path, after))) => {
                if old_path != new_path {
                    let what = "a variable of the path has another name";
                    let (before, after) = (name(old_path), name(new_path));
                    self.record(Class::Cosmetic, (&old_at, before), (&new_at, after), what);
                }
                let (old, new) = ((&*old_at, old_path, before), (&*new_at, new_path, after));
                self.same_operation(operation, old, new);
            }
        }
    }

    fn same_operation(
        &mut self,
        operation: &'static Operation,
        (old_at, old_path, old): (&str, &str, &Value),
        (new_at, new_path, new): (&str, &str, &Value),
    ) {
        for (key, what) in [
            ("operationId", "the operation has another operationId"),
            ("deprecated", "the deprecation of the operation changed"),
        ] {
            if old.get(key) != new.get(key) {
                let (before, after) = (old[key].clone(), new[key].clone());
                self.record(Class::Cosmetic, (old_at, before), (new_at, after), what);
            }
        }
        self.security((old_at, old), (new_at, new));
        self.parameters(operation, (old_at, old_path, old), (new_at, new_path, new));
        self.request(operation, (old_at, old), (new_at, new));
        self.responses(operation, (old_at, old), (new_at, new));
    }

    /// Each way to authenticate by what it is, with the schemes spelt out.
    fn security(&mut self, (old_at, old): (&str, &Value), (new_at, new): (&str, &Value)) {
        let (old_at, new_at) = (format!("{old_at}/security"), format!("{new_at}/security"));
        let before = ways(self.old, old);
        let after = ways(self.new, new);
        let class = if after.is_empty() {
            Class::Additive
        } else {
            Class::Breaking
        };
        for way in before.difference(&after) {
            let what = "a way to authenticate is gone";
            let way = parsed(way);
            self.record(class, (&old_at, way), (&new_at, Value::Null), what);
        }
        // Where there was no need to, the library does not authenticate.
        let class = if before.is_empty() {
            Class::Breaking
        } else {
            Class::Additive
        };
        for way in after.difference(&before) {
            let what = "there is a new way to authenticate";
            let way = parsed(way);
            self.record(class, (&old_at, Value::Null), (&new_at, way), what);
        }
    }

    fn parameters(
        &mut self,
        operation: &Operation,
        (old_at, old_path, old): (&str, &str, &Value),
        (new_at, new_path, new): (&str, &str, &Value),
    ) {
        let (before, after) = (Parameters::new(old_at, old), Parameters::new(new_at, new));
        // Variables of the path go by their position, whatever they are called.
        for (name, other) in variables(old_path).zip(variables(new_path)) {
            match (before.variable(name), after.variable(other)) {
                (Some(old), Some(new)) => self.parameter(old, new),
                (Some((at, entry)), None) => {
                    let what =
                        format!("the variable `{name}` of the path is not declared any more");
                    let before = (&*at, entry.clone());
                    self.record(Class::Breaking, before, (new_at, Value::Null), what);
                }
                (None, Some((at, entry))) => {
                    let what = format!("the variable `{other}` of the path is declared now");
                    let after = (&*at, entry.clone());
                    self.record(Class::Additive, (old_at, Value::Null), after, what);
                }
                (None, None) => {}
            }
        }
        for (at, entry) in before.named() {
            let name = &entry["name"];
            if let Some(other) = after.by_name(name) {
                self.parameter((at, entry), other);
                continue;
            }
            let sent = operation
                .parameters
                .iter()
                .any(|parameter| *name == parameter.name);
            let class = if sent {
                Class::Breaking
            } else {
                Class::Cosmetic
            };
            let what = format!("the parameter {name} is gone");
            self.record(class, (&at, entry.clone()), (new_at, Value::Null), what);
        }
        for (at, entry) in after.named() {
            let name = &entry["name"];
            if before.by_name(name).is_some() {
                continue;
            }
            let demanded = entry["required"] == true;
            let class = if demanded {
                Class::Breaking
            } else {
                Class::Additive
            };
            let kind = if demanded { "required" } else { "new" };
            let what = format!("there is a {kind} parameter {name}");
            self.record(class, (old_at, Value::Null), (&at, entry.clone()), what);
        }
    }

    fn parameter(&mut self, (old_at, old): (String, &Value), (new_at, new): (String, &Value)) {
        let name = &new["name"];
        let mut changed = |key: &str, class: Class, what: &str| {
            if old.get(key) != new.get(key) {
                let what = format!("{what} of the parameter {name} changed");
                let (before, after) = (old[key].clone(), new[key].clone());
                self.record(
                    class,
                    (&old_at, or_absent(before)),
                    (&new_at, or_absent(after)),
                    what,
                );
            }
        };
        let demanded = new["required"] == true;
        changed("in", Class::Breaking, "the place");
        let class = if demanded {
            Class::Breaking
        } else {
            Class::Additive
        };
        changed("required", class, "the requirement");
        changed("deprecated", Class::Cosmetic, "the deprecation");
        for key in ["style", "explode", "content"] {
            changed(key, Class::Breaking, "the way of writing");
        }
        let label = format!("the parameter {name}");
        SchemaDiff::new(self, Direction::Request).schema(
            (&format!("{old_at}/schema"), &old["schema"]),
            (&format!("{new_at}/schema"), &new["schema"]),
            &label,
            None,
            Need::Optional,
        );
    }

    fn request(
        &mut self,
        operation: &'static Operation,
        (old_at, old): (&str, &Value),
        (new_at, new): (&str, &Value),
    ) {
        let (old_at, new_at) = (
            format!("{old_at}/requestBody"),
            format!("{new_at}/requestBody"),
        );
        let (before, after) = (&old["requestBody"], &new["requestBody"]);
        let Some(request) = &operation.request else {
            if before != after {
                let demanded = after["required"] == true;
                let class = if demanded {
                    Class::Breaking
                } else {
                    Class::Additive
                };
                let what = "the request body changed, of which there was no need";
                self.record(
                    class,
                    (&old_at, before.clone()),
                    (&new_at, after.clone()),
                    what,
                );
            }
            return;
        };
        if before.get("required") != after.get("required") {
            // The library always sends one.
            let what = "whether a request body is required changed";
            let (before, after) = (before["required"].clone(), after["required"].clone());
            let (before, after) = (or_absent(before), or_absent(after));
            self.record(Class::Cosmetic, (&old_at, before), (&new_at, after), what);
        }
        self.contents(
            (&old_at, before),
            (&new_at, after),
            request.media_type,
            Direction::Request,
            Some(request.body),
            None,
        );
    }

    fn responses(
        &mut self,
        operation: &'static Operation,
        (old_at, old): (&str, &Value),
        (new_at, new): (&str, &Value),
    ) {
        let map = |operation: &Value| operation["responses"].as_object().cloned();
        let (before, after) = (map(old).unwrap_or_default(), map(new).unwrap_or_default());
        let place = |at: &str, status: &str| format!("{at}/responses/{}", escape(status));
        let (success_before, success_after) = (success(&before), success(&after));
        match (success_before, success_after) {
            (Some(one), Some(other)) => {
                let (old_at, new_at) = (place(old_at, one), place(new_at, other));
                if one != other {
                    // Any 2xx is a success to the library.
                    let what = "the status of a success changed";
                    let (before, after) = (json!(one), json!(other));
                    self.record(Class::Cosmetic, (&old_at, before), (&new_at, after), what);
                }
                let (object, bare) = expected(operation);
                self.response(
                    (&old_at, &before[one]),
                    (&new_at, &after[other]),
                    object,
                    bare,
                    one,
                );
            }
            (Some(one), None) => {
                let what = "there is no successful response any more";
                let before = (&*place(old_at, one), json!(one));
                self.record(Class::Breaking, before, (new_at, Value::Null), what);
            }
            (None, Some(other)) => {
                let what = "there is a successful response now";
                let after = (&*place(new_at, other), json!(other));
                self.record(Class::Additive, (old_at, Value::Null), after, what);
            }
            (None, None) => {}
        }
        for (status, response) in &before {
            if Some(status) == success_before {
                continue;
            }
            let at = place(old_at, status);
            match after.get(status) {
                Some(other) => {
                    let new_at = place(new_at, status);
                    self.response((&at, response), (&new_at, other), None, None, status);
                }
                None if Some(status) == success_after => {}
                None => {
                    let what = "a status is no longer documented";
                    let before = (&*at, json!(status));
                    self.record(Class::Cosmetic, before, (new_at, Value::Null), what);
                }
            }
        }
        for status in after.keys() {
            if Some(status) != success_after && !before.contains_key(status) {
                let at = place(new_at, status);
                let what = "there is a new status";
                let after = (&*at, json!(status));
                self.record(Class::Additive, (old_at, Value::Null), after, what);
            }
        }
    }

    fn response(
        &mut self,
        (old_at, old): (&str, &Value),
        (new_at, new): (&str, &Value),
        object: Option<&'static Object>,
        bare: Option<&'static Field>,
        status: &str,
    ) {
        self.headers((old_at, old), (new_at, new), status);
        let media_type = "application/json";
        self.contents(
            (old_at, old),
            (new_at, new),
            media_type,
            Direction::Response,
            object,
            bare,
        );
    }

    fn headers(
        &mut self,
        (old_at, old): (&str, &Value),
        (new_at, new): (&str, &Value),
        status: &str,
    ) {
        let map = |response: &Value| response["headers"].as_object().cloned().unwrap_or_default();
        let (before, after) = (map(old), map(new));
        let place = |at: &str, name: &str| format!("{at}/headers/{}", escape(name));
        for (name, header) in &before {
            let at = place(old_at, name);
            let label = format!("the header `{name}` of {status}");
            let Some(other) = after.get(name) else {
                let read = HEADERS_READ.contains(&name.as_str());
                let class = if read {
                    Class::Breaking
                } else {
                    Class::Cosmetic
                };
                let what = format!("{label} is gone");
                self.record(class, (&at, header.clone()), (new_at, Value::Null), what);
                continue;
            };
            let new_at = place(new_at, name);
            for (key, class) in [
                ("required", Class::Cosmetic),
                ("deprecated", Class::Cosmetic),
                ("style", Class::Breaking),
                ("explode", Class::Breaking),
                ("content", Class::Breaking),
            ] {
                if header.get(key) != other.get(key) {
                    let what = format!("`{key}` of {label} changed");
                    let (before, after) = (header[key].clone(), other[key].clone());
                    let (before, after) = (or_absent(before), or_absent(after));
                    self.record(class, (&at, before), (&new_at, after), what);
                }
            }
            SchemaDiff::new(self, Direction::Response).schema(
                (&format!("{at}/schema"), &header["schema"]),
                (&format!("{new_at}/schema"), &other["schema"]),
                &label,
                None,
                Need::Optional,
            );
        }
        for (name, header) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
            let what = format!("there is a new header `{name}` of {status}");
            let after = (&*place(new_at, name), header.clone());
            self.record(Class::Additive, (old_at, Value::Null), after, what);
        }
    }

    /// The bodies by media type; `needed` is the one that the library uses.
    fn contents(
        &mut self,
        (old_at, old): (&str, &Value),
        (new_at, new): (&str, &Value),
        needed: &str,
        direction: Direction,
        object: Option<&'static Object>,
        bare: Option<&'static Field>,
    ) {
        let map = |body: &Value| body["content"].as_object().cloned().unwrap_or_default();
        let (before, after) = (map(old), map(new));
        for (media_type, content) in &before {
            let Some(other) = after.get(media_type) else {
                let class = if media_type == needed {
                    Class::Breaking
                } else {
                    Class::Cosmetic
                };
                let what = format!("the body of {media_type} is gone");
                let at = format!("{old_at}/content/{}", escape(media_type));
                self.record(class, (&at, json!(media_type)), (new_at, Value::Null), what);
                continue;
            };
            let place = |at: &str| format!("{at}/content/{}/schema", escape(media_type));
            let label = match direction {
                Direction::Request => "the request",
                Direction::Response => "the response",
            };
            let old = (&*place(old_at), &content["schema"]);
            let new = (&*place(new_at), &other["schema"]);
            let mut schemas = SchemaDiff::new(self, direction);
            match bare {
                Some(field) if is_bare(old.1, field) && is_bare(new.1, field) => {
                    schemas.schema(old, new, label, Some(&field.kind), field.need);
                }
                _ => schemas.body(old, new, label, object),
            }
        }
        for media_type in after
            .keys()
            .filter(|media_type| !before.contains_key(*media_type))
        {
            let what = format!("there is a body of {media_type}");
            let at = format!("{new_at}/content/{}", escape(media_type));
            let after = (&*at, json!(media_type));
            self.record(Class::Additive, (old_at, Value::Null), after, what);
        }
    }

    /// The same change at the same place is one finding, of the worst class.
    fn into_findings(self) -> Vec<Finding> {
        let mut merged: Vec<(Change, Vec<&'static str>)> = Vec::new();
        for change in self.changes {
            let same = merged.iter_mut().find(|(other, _)| {
                other.pointer == change.pointer
                    && other.before == change.before
                    && other.after == change.after
            });
            match same {
                Some((other, operations)) => {
                    if change.class > other.class {
                        other.class = change.class;
                        other.what = change.what;
                    }
                    if !operations.contains(&change.operation) {
                        operations.push(change.operation);
                    }
                }
                None => {
                    let operation = change.operation;
                    merged.push((change, vec![operation]));
                }
            }
        }
        // Stable, so changes of one class stay in the order of the operations.
        merged.sort_by_key(|(change, _)| std::cmp::Reverse(change.class));
        let finding = |(change, operations): (Change, Vec<&str>)| Finding {
            class: change.class,
            pointer: change.pointer,
            before: change.before,
            after: change.after,
            message: match operations.as_slice() {
                [""] => change.what,
                operations => format!("{} ({})", change.what, operations.join(", ")),
            },
        };
        merged.into_iter().map(finding).collect()
    }
}

/// A flag that is not there is false; null would look as if its owner were gone.
fn or_absent(value: Value) -> Value {
    if value.is_null() { json!(false) } else { value }
}

/// The parameters of one operation, with their places.
struct Parameters<'a> {
    at: &'a str,
    entries: &'a [Value],
}

impl<'a> Parameters<'a> {
    fn new(at: &'a str, operation: &'a Value) -> Self {
        let entries = operation["parameters"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        Self { at, entries }
    }

    fn all(&self) -> impl Iterator<Item = (String, &'a Value)> {
        let at = self.at;
        let numbered = self.entries.iter().enumerate();
        numbered.map(move |(index, entry)| (format!("{at}/parameters/{index}"), entry))
    }

    /// Those that travel under their name.
    fn named(&self) -> impl Iterator<Item = (String, &'a Value)> {
        self.all().filter(|(_, entry)| entry["in"] != "path")
    }

    fn by_name(&self, name: &Value) -> Option<(String, &'a Value)> {
        self.named().find(|(_, entry)| entry["name"] == *name)
    }

    fn variable(&self, name: &str) -> Option<(String, &'a Value)> {
        self.all()
            .find(|(_, entry)| entry["in"] == "path" && entry["name"] == name)
    }
}

/// The names in a path template, in order.
fn variables(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// The ways to authenticate, each written out with the meaning of its schemes; none is no way at all.
fn ways(surface: &Surface, operation: &Value) -> BTreeSet<String> {
    let schemes = &surface.value()["components"]["securitySchemes"];
    let spelt = |way: &Value| {
        let named = way.as_object().into_iter().flatten();
        let spelt = named.map(|(name, scopes)| {
            (
                name.clone(),
                json!({ "scheme": schemes[name], "scopes": scopes }),
            )
        });
        spelt.collect::<Value>().to_string()
    };
    operation["security"]
        .as_array()
        .into_iter()
        .flatten()
        .map(spelt)
        .collect()
}

fn success(responses: &Map<String, Value>) -> Option<&String> {
    responses
        .keys()
        .filter(|status| status.starts_with('2'))
        .min()
}

/// What the library reads of a success.
fn expected(operation: &'static Operation) -> (Option<&'static Object>, Option<&'static Field>) {
    match &operation.response {
        Response::Empty => (None, None),
        Response::Body(object) => (Some(object), None),
        Response::Enveloped { envelope, property } => {
            let field = envelope.fields.iter().find(|field| field.name == *property);
            (Some(envelope), field)
        }
    }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

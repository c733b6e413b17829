//! The builder: which operations of which documents become bindings, and what the code around them needs.

use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc};

use serde_json::{Map, Value, json};

use crate::{
    api::{Api, Call, Field, Kind, Need, Object, Operation, Parameter, Request, Response},
    diagnostic::{Diagnostic, Report},
    path, select,
};

/// One module of bindings, generated from one or several OpenAPI documents.
///
/// A `build.rs` describes it and calls [`generate`](Self::generate); the crate then includes
/// `$OUT_DIR/<name>.rs`.
///
/// ```no_run
/// use org_invitations_codegen::{Bindings, Source};
///
/// Bindings::new("pets")
///     .module("crate::pets")
///     .source(Source::new("specs/pets.yaml").operations(["GET /pets", "* /pets/{id}"]))
///     .generate();
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Bindings {
    pub(crate) name: String,
    pub(crate) module: String,
    pub(crate) title: Option<String>,
    pub(crate) variable: Option<String>,
    pub(crate) support: Option<String>,
    pub(crate) sources: Vec<Source>,
}

/// One document, what is selected from it, and what the code around the bindings needs of that.
#[derive(Clone, Debug)]
#[must_use]
pub struct Source {
    pub(crate) title: Option<String>,
    pub(crate) document: String,
    pub(crate) all: bool,
    pub(crate) selected: Vec<Selected>,
    pub(crate) names: Vec<(Role, String)>,
    pub(crate) needs: Vec<Requirement>,
    pub(crate) envelope: Option<String>,
    /// What the builder was given and cannot be read.
    pub(crate) mistakes: Vec<String>,
}

/// An operation, or with the method `*` all operations of a path.
#[derive(Clone, Debug)]
pub(crate) struct Selected {
    pub call: Call,
    /// The name that it gets, in place of the document's operationId.
    pub id: Option<String>,
    pub need: Need,
}

/// A place in the bodies of an operation: `GET /users#response/data/*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Role {
    pub call: Call,
    pub side: Side,
    /// Names of properties; `*` stands for the items of a list.
    pub steps: Vec<String>,
}

/// Which body of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// A request body of JSON.
    Request,
    /// A request body that is form-urlencoded.
    Form,
    /// The body of a success.
    Response,
    /// The body of a failure.
    Failure,
}

/// A parameter or property that the code around the bindings names.
#[derive(Clone, Debug)]
pub(crate) struct Requirement {
    pub target: Target,
    pub kind: Type,
    pub need: Need,
    /// Whether a parameter is sent with every request.
    pub always: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// `GET /users?page_size`
    Query(Call, String),
    /// `User.metadata.created_at`
    Property(String, Vec<String>),
}

/// The type that the code around the bindings expects of a parameter or property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Type {
    /// A string, whatever its format or set of values.
    Text,
    /// An RFC 3339 time.
    DateTime,
    /// An integer.
    Integer,
    /// A list of strings.
    TextList,
    /// The type that [`Source::name`] names there.
    Named,
}

impl Type {
    const ALL: [Self; 5] = [
        Self::Text,
        Self::DateTime,
        Self::Integer,
        Self::TextList,
        Self::Named,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::DateTime => "date-time",
            Self::Integer => "integer",
            Self::TextList => "text-list",
            Self::Named => "named",
        }
    }
}

impl Bindings {
    /// Bindings that are written to `$OUT_DIR/<name>.rs`.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            module: "crate::api".to_owned(),
            title: None,
            variable: None,
            support: None,
            sources: Vec::new(),
        }
    }

    /// The module that includes the output. Default: `crate::api`. Its path has to be absolute, since it
    /// stands in the output.
    pub fn module(mut self, path: impl Into<String>) -> Self {
        self.module = path.into();
        self
    }

    /// What the documentation of the client calls the API. Default: the document's own title.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// The environment variable that names other documents to build from: one, or several separated as in
    /// `PATH`. An operation is taken from the first that has it.
    pub fn env(mut self, variable: impl Into<String>) -> Self {
        self.variable = Some(variable.into());
        self
    }

    /// A module with the types that the output then uses in place of its own:
    ///
    /// - `Transport`, the state that the client holds, for which the crate implements
    ///   `progenitor_client::ClientHooks<Transport>` for the generated `Client`;
    /// - `OperationSpec`, of which the output has a table, `OPERATIONS`, for those hooks;
    /// - `Timestamp`, which reads RFC 3339.
    ///
    /// Without it the output stands alone.
    pub fn support(mut self, path: impl Into<String>) -> Self {
        self.support = Some(path.into());
        self
    }

    /// Adds a document.
    pub fn source(mut self, source: Source) -> Self {
        self.sources.push(source);
        self
    }

    /// What is needed of each document, for [`Surface`](crate::Surface), [`check()`](crate::check()) and
    /// comparisons.
    pub fn apis(&self) -> Vec<Api> {
        self.sources.iter().map(Source::api).collect()
    }
}

impl Source {
    /// Reads the document at this path, relative to the package's root.
    pub fn new(document: impl Into<String>) -> Self {
        Self {
            title: None,
            document: document.into(),
            all: false,
            selected: Vec::new(),
            names: Vec::new(),
            needs: Vec::new(),
            envelope: None,
            mistakes: Vec::new(),
        }
    }

    /// What messages call the API.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Selects every operation.
    pub fn all(mut self) -> Self {
        self.all = true;
        self
    }

    /// Selects operations, each written `GET /users/{id}`; the method `*` selects all of a path. Names of
    /// path variables are not compared.
    pub fn operations<C: AsRef<str>>(mut self, calls: impl IntoIterator<Item = C>) -> Self {
        for call in calls {
            self.select(call.as_ref(), None, Need::Required);
        }
        self
    }

    /// As [`operations`](Self::operations), but a document may lack them.
    pub fn offer_operations<C: AsRef<str>>(mut self, calls: impl IntoIterator<Item = C>) -> Self {
        for call in calls {
            self.select(call.as_ref(), None, Need::Optional);
        }
        self
    }

    /// Selects an operation and gives it a name that does not depend on the document. Where the document
    /// lacks the operation, the build fails.
    pub fn operation(mut self, call: &str, id: &str) -> Self {
        self.select(call, Some(id), Need::Required);
        self
    }

    /// As [`operation`](Self::operation). Where the document lacks the operation it is taken from the
    /// project's own document, marked as not offered.
    pub fn offer_operation(mut self, call: &str, id: &str) -> Self {
        self.select(call, Some(id), Need::Optional);
        self
    }

    /// Names the type of a place in an operation's bodies, whatever the document calls it. A place is an
    /// operation, `#request`, `#form`, `#response` or `#failure`, and the way to it: names of properties, and
    /// `*` for the items of a list, as in `GET /users#response/data/*`. Structures that meet under one name
    /// are united.
    pub fn name(mut self, role: &str, name: &str) -> Self {
        match role.parse() {
            Ok(role) => self.names.push((role, name.to_owned())),
            Err(mistake) => self.mistakes.push(mistake),
        }
        self
    }

    /// A parameter (`GET /users?page_size`) or property (`User.id`, `User.metadata.created_at`) that the
    /// code around the bindings cannot do without: where a document lacks it, the build fails.
    pub fn require(self, target: &str, kind: Type) -> Self {
        self.need(target, kind, Need::Required)
    }

    /// A parameter that the code around the bindings sends with every request, so that the document may
    /// require it.
    pub fn send(self, target: &str, kind: Type) -> Self {
        let mut source = self.need(target, kind, Need::Required);
        if let Some(need) = source.needs.last_mut() {
            need.always = true;
        }
        source
    }

    /// A parameter or property that the code around the bindings names and can do without: where a document
    /// lacks it, it is taken from the project's own document, marked as not offered.
    pub fn offer(self, target: &str, kind: Type) -> Self {
        self.need(target, kind, Need::Optional)
    }

    /// The property in which the API wraps its results. A document that describes them without the envelope
    /// is understood too.
    pub fn envelope(mut self, property: &str) -> Self {
        self.envelope = Some(property.to_owned());
        self
    }

    fn select(&mut self, call: &str, id: Option<&str>, need: Need) {
        match call.parse() {
            Ok(Call { method, .. }) if select::NOT_GENERATED.contains(&method.as_str()) => {
                self.mistakes
                    .push(format!("`{call}` is a call that no client has"));
            }
            Ok(call) => self.selected.push(Selected {
                call,
                id: id.map(str::to_owned),
                need,
            }),
            Err(mistake) => self.mistakes.push(mistake),
        }
    }

    fn need(mut self, target: &str, kind: Type, need: Need) -> Self {
        match target.parse() {
            Ok(target) => self.needs.push(Requirement {
                target,
                kind,
                need,
                always: false,
            }),
            Err(mistake) => self.mistakes.push(mistake),
        }
        self
    }

    /// The title in messages.
    pub(crate) fn shown_title(&self) -> String {
        self.title.clone().unwrap_or_else(|| self.document.clone())
    }

    /// Whether every method of a path is selected.
    pub(crate) fn selects_all_of(&self, path: &str) -> bool {
        let mut selected = self.selected.iter();
        selected.any(|each| each.call.method == "*" && path::is_same(&each.call.path, path))
    }

    /// What is needed of its document.
    pub(crate) fn api(&self) -> Api {
        let mut objects = Objects {
            source: self,
            made: BTreeMap::new(),
        };
        let selected = self.selected.iter().filter(|each| each.call.method != "*");
        Api {
            title: self.shown_title(),
            document: self.document.clone(),
            operations: selected.map(|each| objects.operation(each)).collect(),
        }
    }
}

/// Assembles the types that are needed from the names and requirements of a source.
struct Objects<'a> {
    source: &'a Source,
    made: BTreeMap<&'a str, Arc<Object>>,
}

impl<'a> Objects<'a> {
    fn operation(&mut self, selected: &Selected) -> Operation {
        let Selected { call, id, need } = selected;
        let variables = path::variables(&call.path).map(|name| Parameter {
            location: "path",
            name: name.to_owned(),
            kind: Kind::Text,
            need: Need::Required,
            always: true,
        });
        let query = |requirement: &Requirement| match &requirement.target {
            Target::Query(of, name) if of == call => Some(Parameter {
                location: "query",
                name: name.clone(),
                kind: requirement.kind.plain(),
                need: requirement.need,
                always: requirement.always,
            }),
            _ => None,
        };
        let parameters = variables.chain(self.source.needs.iter().filter_map(query));
        let parameters = parameters.collect();
        let request = [
            (Side::Request, "application/json"),
            (Side::Form, "application/x-www-form-urlencoded"),
        ];
        let request = request.into_iter().find_map(|(side, media_type)| {
            let body = self.at(call, side, &[])?;
            Some(Request { media_type, body })
        });
        let response = match (
            self.at(call, Side::Response, &[]),
            self.source.envelope.clone(),
        ) {
            (None, _) => Response::Empty,
            (Some(envelope), Some(property))
                if envelope.fields.iter().any(|field| field.name == property) =>
            {
                Response::Enveloped { envelope, property }
            }
            (Some(object), _) => Response::Body(object),
        };
        Operation {
            id: id.clone().unwrap_or_else(|| call.to_string()),
            method: call.method.clone(),
            path: call.path.clone(),
            need: *need,
            parameters,
            request,
            response,
        }
    }

    /// The named type at a place.
    fn at(&mut self, call: &Call, side: Side, steps: &[String]) -> Option<Arc<Object>> {
        let names = &self.source.names;
        let here = |role: &Role| role.call == *call && role.side == side && role.steps == steps;
        let (_, name) = names.iter().find(|(role, _)| here(role))?;
        Some(self.object(name))
    }

    fn object(&mut self, name: &'a str) -> Arc<Object> {
        if let Some(made) = self.made.get(name) {
            return Arc::clone(made);
        }
        let source = self.source;
        let needed = source.needs.iter().filter_map(|need| match &need.target {
            Target::Property(of, steps) if of == name => Some((&steps[..], need)),
            _ => None,
        });
        let needed: Vec<_> = needed.collect();
        let fields = self.fields(name, &needed);
        let object = Arc::new(Object {
            name: name.to_owned(),
            fields,
        });
        self.made.insert(name, Arc::clone(&object));
        object
    }

    fn fields(&mut self, owner: &'a str, needed: &[(&'a [String], &'a Requirement)]) -> Vec<Field> {
        let mut fields: Vec<Field> = Vec::new();
        for (steps, need) in needed {
            let Some((first, deeper)) = steps.split_first() else {
                continue;
            };
            if fields.iter().any(|field| field.name == *first) {
                continue;
            }
            let kind = if deeper.is_empty() {
                match need.kind {
                    Type::Named => self.named(owner, first),
                    kind => kind.plain(),
                }
            } else {
                let below = needed
                    .iter()
                    .filter(|(steps, _)| steps.first() == Some(first));
                let below: Vec<_> = below.map(|(steps, need)| (&steps[1..], *need)).collect();
                Kind::Nested(self.fields("", &below))
            };
            // What holds something essential is essential.
            let essential = needed
                .iter()
                .any(|(steps, need)| steps.first() == Some(first) && need.need == Need::Required);
            fields.push(Field {
                name: first.clone(),
                kind,
                need: if essential {
                    Need::Required
                } else {
                    Need::Optional
                },
            });
        }
        fields
    }

    /// The kind of a property whose type has a name: of itself, or of its items.
    fn named(&mut self, owner: &str, property: &str) -> Kind {
        let names = &self.source.names;
        for (holder, _) in names.iter().filter(|(_, name)| name == owner) {
            for (role, name) in names {
                if role.call != holder.call || role.side != holder.side {
                    continue;
                }
                match role.steps.strip_prefix(&holder.steps[..]) {
                    Some([one]) if one == property => return Kind::Object(self.object(name)),
                    Some([one, item]) if one == property && item == "*" => {
                        return Kind::Array(Box::new(Kind::Object(self.object(name))));
                    }
                    _ => {}
                }
            }
        }
        Kind::Nested(Vec::new())
    }
}

impl Type {
    fn plain(self) -> Kind {
        match self {
            Self::Text => Kind::Text,
            Self::DateTime => Kind::DateTime,
            Self::Integer => Kind::Integer,
            Self::TextList => Kind::TextList,
            Self::Named => Kind::Nested(Vec::new()),
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` names no place; write it like `GET /users#response/data/*`, with `#request`, \
                 `#form`, `#response` or `#failure`"
            )
        };
        let (call, place) = text.split_once('#').ok_or_else(wrong)?;
        let mut steps = place.split('/');
        let side = match steps.next() {
            Some("request") => Side::Request,
            Some("form") => Side::Form,
            Some("response") => Side::Response,
            Some("failure") => Side::Failure,
            _ => return Err(wrong()),
        };
        Ok(Self {
            call: call.parse()?,
            side,
            steps: steps.map(str::to_owned).collect(),
        })
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Request => "request",
            Side::Form => "form",
            Side::Response => "response",
            Side::Failure => "failure",
        };
        write!(f, "{}#{side}", self.call)?;
        self.steps.iter().try_for_each(|step| write!(f, "/{step}"))
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((call, name)) = text.split_once('?') {
            return Ok(Self::Query(call.parse()?, name.to_owned()));
        }
        match text.split_once('.') {
            Some((name, steps)) if !text.contains(' ') => Ok(Self::Property(
                name.to_owned(),
                steps.split('.').map(str::to_owned).collect(),
            )),
            _ => Err(format!(
                "`{text}` is neither a parameter (`GET /users?page_size`) nor a property (`User.id`)"
            )),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Query(call, name) => write!(f, "{call}?{name}"),
            Self::Property(name, steps) => write!(f, "{name}.{}", steps.join(".")),
        }
    }
}

/// As text, so that a program can tell what a library that was built needs of its documents.
impl Bindings {
    /// The description as JSON, which [`from_description`](Self::from_description) reads.
    pub fn description(&self) -> String {
        let need = |need: Need| need == Need::Required;
        let source = |source: &Source| {
            let selected = source.selected.iter().map(|each| {
                json!({ "call": each.call.to_string(), "id": each.id, "required": need(each.need) })
            });
            let names = source.names.iter();
            let names = names.map(|(role, name)| json!({ "role": role.to_string(), "name": name }));
            let needs = source.needs.iter().map(|each| {
                json!({
                    "target": each.target.to_string(),
                    "type": each.kind.as_str(),
                    "required": need(each.need),
                    "always": each.always,
                })
            });
            json!({
                "title": source.title,
                "document": source.document,
                "all": source.all,
                "operations": selected.collect::<Value>(),
                "names": names.collect::<Value>(),
                "needs": needs.collect::<Value>(),
                "envelope": source.envelope,
            })
        };
        json!({
            "name": self.name,
            "module": self.module,
            "title": self.title,
            "env": self.variable,
            "support": self.support,
            "sources": self.sources.iter().map(source).collect::<Value>(),
        })
        .to_string()
    }

    /// Reads a description.
    ///
    /// # Errors
    ///
    /// A [`Report`] with one problem when the text is no description.
    pub fn from_description(text: &str) -> Result<Self, Report> {
        read_description(text).ok_or_else(|| {
            let diagnostic = Diagnostic {
                pointer: String::new(),
                expected: "a description of bindings".to_owned(),
                found: "something else".to_owned(),
                advice: "take it from the library's generated bindings".to_owned(),
            };
            Report::single("description", diagnostic)
        })
    }
}

fn read_description(text: &str) -> Option<Bindings> {
    let value: Value = serde_json::from_str(text).ok()?;
    let text = |value: &Map<String, Value>, key: &str| {
        value.get(key).and_then(Value::as_str).map(str::to_owned)
    };
    let root = value.as_object()?;
    let mut bindings = Bindings::new(text(root, "name")?).module(text(root, "module")?);
    bindings.title = text(root, "title");
    bindings.variable = text(root, "env");
    bindings.support = text(root, "support");
    for source in root.get("sources")?.as_array()? {
        let source = source.as_object()?;
        let list = |key: &str| source.get(key)?.as_array();
        let mut read = Source::new(text(source, "document")?);
        read.title = text(source, "title");
        read.all = source.get("all")?.as_bool()?;
        read.envelope = text(source, "envelope");
        let need = |entry: &Map<String, Value>| match entry.get("required")?.as_bool()? {
            true => Some(Need::Required),
            false => Some(Need::Optional),
        };
        for entry in list("operations")? {
            let entry = entry.as_object()?;
            read.select(
                &text(entry, "call")?,
                text(entry, "id").as_deref(),
                need(entry)?,
            );
        }
        for entry in list("names")? {
            let entry = entry.as_object()?;
            read = read.name(&text(entry, "role")?, &text(entry, "name")?);
        }
        for entry in list("needs")? {
            let entry = entry.as_object()?;
            let kind = text(entry, "type")?;
            let kind = Type::ALL.into_iter().find(|each| each.as_str() == kind)?;
            read = read.need(&text(entry, "target")?, kind, need(entry)?);
            if let Some(last) = read.needs.last_mut() {
                last.always = entry.get("always")?.as_bool()?;
            }
        }
        bindings = bindings.source(read);
    }
    Some(bindings)
}

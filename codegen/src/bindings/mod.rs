//! The builder: which operations of which documents become bindings, and which parts of them are required.

mod description;
mod requirements;
mod target;

use crate::{
    api::{Api, Endpoint, Need},
    path, select,
};
pub(crate) use target::{BodyKind, BodyPath, Target};

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

/// One document, the operations that are selected from it, and the parts that are required of it.
#[derive(Clone, Debug)]
#[must_use]
pub struct Source {
    pub(crate) title: Option<String>,
    pub(crate) document: String,
    pub(crate) all: bool,
    pub(crate) selected: Vec<Selection>,
    pub(crate) names: Vec<(BodyPath, String)>,
    pub(crate) requirements: Vec<Requirement>,
    pub(crate) envelope: Option<String>,
    /// Invalid arguments of the builder's methods.
    pub(crate) errors: Vec<String>,
}

/// A selected operation, or with the method `*` all operations of a path.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    pub endpoint: Endpoint,
    /// The name that replaces the document's operationId.
    pub id: Option<String>,
    pub need: Need,
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
    /// A type that [`Source::name`] names.
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
    /// Creates bindings that are written to `$OUT_DIR/<name>.rs`.
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

    /// Sets the module that includes the output. Default: `crate::api`. The path has to be absolute, because the
    /// output contains it.
    pub fn module(mut self, path: impl Into<String>) -> Self {
        self.module = path.into();
        self
    }

    /// Sets the title of the API in the documentation of the client. Default: the document's own title.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets the environment variable that names other documents to build from: one, or several separated as in
    /// `PATH`. An operation is taken from the first document that has it.
    pub fn env(mut self, variable: impl Into<String>) -> Self {
        self.variable = Some(variable.into());
        self
    }

    /// Sets a module whose types the output uses in place of its own:
    ///
    /// - `Transport`, the state that the client holds, for which the crate implements
    ///   `progenitor_client::ClientHooks<Transport>` for the generated `Client`;
    /// - `OperationSpec`, of which the output has a table, `OPERATIONS`, for those hooks;
    /// - `Timestamp`, which reads RFC 3339;
    /// - `SourceDocument`, of which the output has a table, `DOCUMENTS`: the documents that it was generated from.
    ///
    /// `PROPERTIES` is what the documents say of the properties of the types that [`Source::name`] names: type, property
    /// and text.
    ///
    /// A crate whose clients have the transport of `org-invitations` names `::org_invitations::kit`.
    ///
    /// Without this module the output is self-contained.
    pub fn support(mut self, path: impl Into<String>) -> Self {
        self.support = Some(path.into());
        self
    }

    /// Adds a document.
    pub fn source(mut self, source: Source) -> Self {
        self.sources.push(source);
        self
    }

    /// Returns what is required of each document, for [`Surface`](crate::Surface), [`check()`](crate::check()) and
    /// comparisons.
    pub fn apis(&self) -> Vec<Api> {
        self.sources.iter().map(Source::api).collect()
    }
}

impl Source {
    /// Creates a source for the document at this path, relative to the package's root.
    pub fn new(document: impl Into<String>) -> Self {
        Self {
            title: None,
            document: document.into(),
            all: false,
            selected: Vec::new(),
            names: Vec::new(),
            requirements: Vec::new(),
            envelope: None,
            errors: Vec::new(),
        }
    }

    /// Sets the title of the API in messages.
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
    pub fn operations<C: AsRef<str>>(mut self, operations: impl IntoIterator<Item = C>) -> Self {
        for operation in operations {
            self.select(operation.as_ref(), None, Need::Required);
        }
        self
    }

    /// As [`operations`](Self::operations), but a document may lack them.
    pub fn offer_operations<C: AsRef<str>>(
        mut self,
        operations: impl IntoIterator<Item = C>,
    ) -> Self {
        for operation in operations {
            self.select(operation.as_ref(), None, Need::Optional);
        }
        self
    }

    /// Selects an operation and gives it a name that does not depend on the document. Where the document
    /// lacks the operation, the build fails.
    pub fn operation(mut self, operation: &str, id: &str) -> Self {
        self.select(operation, Some(id), Need::Required);
        self
    }

    /// As [`operation`](Self::operation). Where the document lacks the operation it is taken from the
    /// project's own document, marked as not offered.
    pub fn offer_operation(mut self, operation: &str, id: &str) -> Self {
        self.select(operation, Some(id), Need::Optional);
        self
    }

    /// Names the type of a body or of a part of it, whatever the document calls the type. `path` consists of an
    /// operation, `#request`, `#form`, `#response` or `#failure`, and names of properties, with `*` for the items
    /// of a list: `GET /users#response/data/*`. Types with the same name are unified.
    pub fn name(mut self, path: &str, name: &str) -> Self {
        match path.parse() {
            Ok(body_path) => self.names.push((body_path, name.to_owned())),
            Err(error) => self.errors.push(error),
        }
        self
    }

    /// Requires a parameter (`GET /users?page_size`) or property (`User.id`, `User.metadata.created_at`): if a
    /// document lacks it, the build fails.
    pub fn require(self, target: &str, kind: Type) -> Self {
        self.need(target, kind, Need::Required)
    }

    /// Requires a parameter that the code around the bindings sends with every request, so that a document may
    /// require it too.
    pub fn send(self, target: &str, kind: Type) -> Self {
        let mut source = self.need(target, kind, Need::Required);
        if let Some(need) = source.requirements.last_mut() {
            need.always = true;
        }
        source
    }

    /// Declares an optional parameter or property: if a document lacks it, the parameter or property is taken from
    /// the project's own document, marked as not offered.
    pub fn offer(self, target: &str, kind: Type) -> Self {
        self.need(target, kind, Need::Optional)
    }

    /// Sets the property in which the API wraps its results. A document that describes results without the
    /// envelope is accepted too.
    pub fn envelope(mut self, property: &str) -> Self {
        self.envelope = Some(property.to_owned());
        self
    }

    fn select(&mut self, operation: &str, id: Option<&str>, need: Need) {
        match operation.parse() {
            Ok(Endpoint { method, .. }) if select::NOT_GENERATED.contains(&method.as_str()) => {
                self.errors
                    .push(format!("no client can be generated for `{operation}`"));
            }
            Ok(endpoint) => self.selected.push(Selection {
                endpoint,
                id: id.map(str::to_owned),
                need,
            }),
            Err(error) => self.errors.push(error),
        }
    }

    fn need(mut self, target: &str, kind: Type, need: Need) -> Self {
        match target.parse() {
            Ok(target) => self.requirements.push(Requirement {
                target,
                kind,
                need,
                always: false,
            }),
            Err(error) => self.errors.push(error),
        }
        self
    }

    /// Returns the title in messages.
    pub(crate) fn display_title(&self) -> String {
        self.title.clone().unwrap_or_else(|| self.document.clone())
    }

    /// Whether every method of a path is selected.
    pub(crate) fn selects_all_of(&self, path: &str) -> bool {
        let mut selected = self.selected.iter();
        selected.any(|each| each.endpoint.method == "*" && path::is_same(&each.endpoint.path, path))
    }
}

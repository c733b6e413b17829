//! What a library needs of an API: operations, and the parameters and properties that its code names.
//!
//! These are built by [`Source`](crate::Source) from the tables in somebody's `build.rs`. They hold no
//! vendor's schema: [`check()`](crate::check()) compares a document with them, and what a document has
//! besides becomes bindings all the same. What is [`Required`](Need::Required) ends the build where a
//! document lacks it; what is [`Optional`](Need::Optional) may be absent.

use std::{fmt, str::FromStr, sync::Arc};

use serde_json::Value;

/// One API, as far as the library's own code names parts of it.
#[derive(Clone, Debug)]
pub struct Api {
    /// What messages call it.
    pub title: String,
    /// The document that the project keeps of it, relative to the package's root.
    pub document: String,
    /// The operations that are selected.
    pub operations: Vec<Operation>,
}

/// One selected operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The operationId; it names the generated method, whatever the document calls it.
    pub id: String,
    /// The HTTP method, lower case.
    pub method: String,
    /// The path template; the names of its variables are not compared.
    pub path: String,
    /// Whether the library can do without the operation.
    pub need: Need,
    /// The parameters that the library sends.
    pub parameters: Vec<Parameter>,
    /// The body that the library sends.
    pub request: Option<Request>,
    /// The body of a success that the library reads.
    pub response: Response,
}

/// A parameter that the library sends.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// `path` or `query`.
    pub location: &'static str,
    /// Its name on the wire.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// Whether the library can do without.
    pub need: Need,
    /// Whether the library sends it with every request, so that a document may require it.
    pub always: bool,
}

/// A request body.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its media type.
    pub media_type: &'static str,
    /// Its properties.
    pub body: Arc<Object>,
}

/// The body of a successful response.
#[derive(Clone, Debug)]
pub enum Response {
    /// Nothing that the library reads.
    Empty,
    /// The object itself.
    Body(Arc<Object>),
    /// The value in one property of an envelope; documents without the envelope are accepted too.
    Enveloped {
        /// The envelope.
        envelope: Arc<Object>,
        /// The property of it that holds the value.
        property: String,
    },
}

/// An object type that the library's code names.
#[derive(Clone, Debug)]
pub struct Object {
    /// The name of the generated type.
    pub name: String,
    /// The properties that the library reads or writes.
    pub fields: Vec<Field>,
}

/// A property that the library reads or writes.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name on the wire.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// Whether the library can do without.
    pub need: Need,
}

impl Field {
    /// Whether `schema` describes the value of this property of an envelope without the envelope, as older
    /// documents do.
    pub fn is_bare(&self, schema: &Value) -> bool {
        let has = |name: &String| schema["properties"].get(name).is_some();
        match &self.kind {
            _ if has(&self.name) => false,
            Kind::Object(object) => object.fields.iter().any(|field| has(&field.name)),
            Kind::Array(_) => schema["type"] == "array",
            _ => false,
        }
    }
}

/// The type of a property or parameter.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A string, whatever its format or set of values.
    Text,
    /// An RFC 3339 time.
    DateTime,
    /// An integer.
    Integer,
    /// A list of strings.
    TextList,
    /// An object with a name of its own.
    Object(Arc<Object>),
    /// A list.
    Array(Box<Kind>),
    /// An object whose type the library's code does not name.
    Nested(Vec<Field>),
}

/// What it means when a document lacks something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The library cannot work without: the build fails.
    Required,
    /// The document does not offer it: using it is refused at run time.
    Optional,
}

/// `GET /iam/v2/invitations/{id}`: what selects an operation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Endpoint {
    /// Lower case.
    pub method: String,
    pub path: String,
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().split_once(' ') {
            Some((method, path)) if path.trim().starts_with('/') => Ok(Self {
                method: method.to_ascii_lowercase(),
                path: path.trim().to_owned(),
            }),
            _ => Err(format!(
                "`{text}` is not an operation; write it like `GET /users/{{id}}`"
            )),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.to_ascii_uppercase(), self.path)
    }
}

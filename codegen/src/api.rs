//! The requirements of a library on an API: operations, and the parameters and properties that its code names.
//!
//! [`Source`](crate::Source) builds these types from the calls in a `build.rs`, and [`check()`](crate::check())
//! compares a document with them. They do not limit the bindings: everything that a document has becomes bindings.
//! A document without a [`Required`](Need::Required) part ends the build; an [`Optional`](Need::Optional) part may
//! be absent.

use std::{fmt, str::FromStr, sync::Arc};

use serde_json::Value;

/// One API, with the parts that the library's code names.
#[derive(Clone, Debug)]
pub struct Api {
    /// The title in messages.
    pub title: String,
    /// The path of the project's own document, relative to the package's root.
    pub document: String,
    /// The operations that are selected.
    pub operations: Vec<Operation>,
}

/// One selected operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The operationId, which names the generated method whatever the document calls the operation.
    pub id: String,
    /// The HTTP method, lower case.
    pub method: String,
    /// The path template; the names of its variables are not compared.
    pub path: String,
    /// Whether the library requires the operation.
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
    /// The name on the wire.
    pub name: String,
    /// The type.
    pub kind: Kind,
    /// Whether the library requires it.
    pub need: Need,
    /// Whether the library sends the parameter with every request, so that a document may require it.
    pub always: bool,
}

/// A request body.
#[derive(Clone, Debug)]
pub struct Request {
    /// The media type.
    pub media_type: &'static str,
    /// The properties.
    pub body: Arc<Object>,
}

/// The body of a successful response.
#[derive(Clone, Debug)]
pub enum Response {
    /// The library reads no body.
    Empty,
    /// The object itself.
    Body(Arc<Object>),
    /// The value in one property of an envelope; documents without the envelope are accepted too.
    Enveloped {
        /// The envelope.
        envelope: Arc<Object>,
        /// The property of the envelope that contains the value.
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
    /// The name on the wire.
    pub name: String,
    /// The type.
    pub kind: Kind,
    /// Whether the library requires it.
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
    /// An object with a pinned name.
    Object(Arc<Object>),
    /// A list.
    Array(Box<Kind>),
    /// An object whose type the library's code does not name.
    Nested(Vec<Field>),
}

/// Whether a document may lack a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The build fails without the part.
    Required,
    /// The part may be absent; using it then is refused at run time.
    Optional,
}

/// A method and path, which select an operation: `GET /iam/v2/invitations/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Endpoint {
    /// The method in lower case.
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

//! The model that Rust is generated from: operations, and the types of their parameters and bodies.

use crate::{api::Endpoint, path};

/// The bindings of one module, before code is generated.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub title: String,
    pub version: String,
    pub description: Option<String>,
    pub types: Vec<NamedType>,
    pub operations: Vec<Operation>,
    /// Aliases of types.
    pub aliases: Vec<(String, Node)>,
    /// Notes on what was left out or changed, each with its pointer.
    pub notes: Vec<String>,
    /// Names of constants (`LIST_USERS_EMAIL`), and whether a document offers the part.
    pub offers: Vec<(String, bool)>,
}

/// The index of a [`NamedType`].
pub(crate) type Id = usize;

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub shape: Shape,
    pub nullable: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Any,
    Text,
    DateTime,
    Integer,
    Number,
    Boolean,
    List(Box<Node>),
    Map(Box<Node>),
    Named(Id),
}

/// A type with a name.
#[derive(Clone, Debug)]
pub(crate) struct NamedType {
    /// The Rust name; assigned by `naming`.
    pub name: String,
    pub docs: Docs,
    pub body: Body,
    /// Where the type is described.
    pub origin: Origin,
}

#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// The index of the document.
    pub document: usize,
    pub pointer: String,
    /// Whether the type is part of a request.
    pub in_request: bool,
    /// The name that the builder gives the type.
    pub pinned: Option<String>,
    /// The type that contains this one, and the property that does.
    pub parent: Option<(Id, String)>,
    /// The name of a type that has no other one.
    pub fallback_name: String,
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    Object(Vec<Property>),
    Enum(Vec<String>),
    Union(Union),
}

/// A union of objects that are distinguished by the value of one property.
#[derive(Clone, Debug)]
pub(crate) struct Union {
    pub discriminator: String,
    /// The values of the discriminator, and the objects.
    pub arms: Vec<(String, Node)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Property {
    pub name: String,
    pub node: Node,
    pub required: bool,
    pub docs: Docs,
    /// Whether a document has it.
    pub offered: bool,
}

/// The documentation of one item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Docs {
    pub text: Option<String>,
    pub deprecated: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub id: String,
    /// The name of the method; assigned by `naming`.
    pub name: String,
    pub method: String,
    pub path: String,
    pub summary: Option<String>,
    pub docs: Docs,
    pub parameters: Vec<Parameter>,
    pub request: Option<Payload>,
    pub success: Option<Payload>,
    /// The statuses of failures with a JSON body, whose type is `failure`.
    pub failures: Vec<String>,
    pub failure: Option<Node>,
    /// Whether a document has it.
    pub offered: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    /// `path`, `query` or `header`.
    pub location: String,
    pub name: String,
    /// The Rust name; assigned by `naming`.
    pub ident: String,
    pub node: Node,
    pub required: bool,
    pub docs: Docs,
    pub offered: bool,
}

/// A body of a request or response.
#[derive(Clone, Debug)]
pub(crate) struct Payload {
    pub media: Media,
    pub node: Node,
    pub docs: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    Json,
    Form,
    Text,
    Octets,
}

impl Model {
    pub fn operation(&self, endpoint: &Endpoint) -> Option<&Operation> {
        let mut operations = self.operations.iter();
        operations.find(|op| op.is(endpoint))
    }

    pub fn operation_mut(&mut self, endpoint: &Endpoint) -> Option<&mut Operation> {
        let mut operations = self.operations.iter_mut();
        operations.find(|op| op.is(endpoint))
    }

    /// Returns the type with this pinned name.
    pub fn pinned_type(&self, name: &str) -> Option<Id> {
        let is = |named: &NamedType| named.origin.pinned.as_deref() == Some(name);
        let alias = || {
            let (_, node) = self.aliases.iter().find(|(alias, _)| alias == name)?;
            node.named()
        };
        self.types.iter().position(is).or_else(alias)
    }
}

impl Node {
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            nullable: false,
        }
    }

    pub fn any() -> Self {
        Self::new(Shape::Any)
    }

    pub fn named(&self) -> Option<Id> {
        match self.shape {
            Shape::Named(id) => Some(id),
            _ => None,
        }
    }

    /// Replaces every id.
    pub fn map_ids(&mut self, change: &mut impl FnMut(Id) -> Id) {
        match &mut self.shape {
            Shape::Named(id) => *id = change(*id),
            Shape::List(inner) | Shape::Map(inner) => inner.map_ids(change),
            _ => {}
        }
    }
}

impl NamedType {
    /// Replaces every id.
    pub fn map_ids(&mut self, change: &mut impl FnMut(Id) -> Id) {
        if let Some((id, _)) = &mut self.origin.parent {
            *id = change(*id);
        }
        match &mut self.body {
            Body::Object(properties) => {
                for property in properties {
                    property.node.map_ids(change);
                }
            }
            Body::Union(union) => union
                .arms
                .iter_mut()
                .for_each(|(_, node)| node.map_ids(change)),
            Body::Enum(_) => {}
        }
    }

    pub fn property(&self, name: &str) -> Option<&Property> {
        match &self.body {
            Body::Object(properties) => properties.iter().find(|property| property.name == name),
            _ => None,
        }
    }

    pub fn properties_mut(&mut self) -> Option<&mut Vec<Property>> {
        match &mut self.body {
            Body::Object(properties) => Some(properties),
            _ => None,
        }
    }
}

impl Operation {
    fn is(&self, endpoint: &Endpoint) -> bool {
        self.method == endpoint.method && path::is_same(&self.path, &endpoint.path)
    }

    /// Returns the types of the parameters and bodies.
    pub fn nodes_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        let bodies = self.request.iter_mut().chain(self.success.iter_mut());
        self.parameters
            .iter_mut()
            .map(|parameter| &mut parameter.node)
            .chain(bodies.map(|payload| &mut payload.node))
            .chain(self.failure.iter_mut())
    }

    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        let bodies = self.request.iter().chain(&self.success);
        self.parameters
            .iter()
            .map(|parameter| &parameter.node)
            .chain(bodies.map(|payload| &payload.node))
            .chain(&self.failure)
    }
}

//! What becomes Rust: operations, and the types that their parameters and bodies have.

use crate::{api::Endpoint, path};

/// The bindings of one module, before they are written down.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub title: String,
    pub version: String,
    pub description: Option<String>,
    pub types: Vec<NamedType>,
    pub operations: Vec<Operation>,
    /// Second names of types.
    pub aliases: Vec<(String, Node)>,
    /// What was left out or changed, each with its place.
    pub notes: Vec<String>,
    /// `LIST_USERS_EMAIL`, and whether a document has it.
    pub offers: Vec<(String, bool)>,
}

/// The index of a [`NamedType`] type.
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
    /// Assigned last.
    pub name: String,
    pub docs: Docs,
    pub body: Body,
    /// Where it is described.
    pub origin: Origin,
}

#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// The index of the document.
    pub document: usize,
    pub pointer: String,
    /// Whether it is what a request sends.
    pub in_request: bool,
    /// The name that code around the bindings gave it.
    pub pinned: Option<String>,
    /// The type that holds it, and the way to it there.
    pub parent: Option<(Id, String)>,
    /// What it is called where nothing else names it.
    pub fallback_name: String,
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    Object(Vec<Property>),
    Enum(Vec<String>),
    Union(Union),
}

/// Objects that are told apart by the value of one property.
#[derive(Clone, Debug)]
pub(crate) struct Union {
    pub discriminator: String,
    /// The values of the property, and the objects.
    pub arms: Vec<(String, Node)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Property {
    pub name: String,
    pub node: Node,
    pub required: bool,
    pub docs: Docs,
    /// Whether the document has it.
    pub offered: bool,
}

/// What a document says of something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Docs {
    pub text: Option<String>,
    pub deprecated: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub id: String,
    /// The name of the method; assigned last.
    pub name: String,
    pub method: String,
    pub path: String,
    pub summary: Option<String>,
    pub docs: Docs,
    pub parameters: Vec<Parameter>,
    pub request: Option<Payload>,
    pub success: Option<Payload>,
    /// The statuses of failures that have a body of JSON, and what all of them look like.
    pub failures: Vec<String>,
    pub failure: Option<Node>,
    /// Whether the document has it.
    pub offered: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    /// `path`, `query` or `header`.
    pub location: String,
    pub name: String,
    /// What it is called in Rust; assigned last.
    pub ident: String,
    pub node: Node,
    pub required: bool,
    pub docs: Docs,
    pub offered: bool,
}

/// A body.
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

    /// The type with this pinned name.
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

    /// Replaces ids, wherever they stand.
    pub fn map_ids(&mut self, change: &mut impl FnMut(Id) -> Id) {
        match &mut self.shape {
            Shape::Named(id) => *id = change(*id),
            Shape::List(inner) | Shape::Map(inner) => inner.map_ids(change),
            _ => {}
        }
    }
}

impl NamedType {
    /// Replaces ids, wherever they stand.
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

    /// Every node that stands at the operation itself.
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

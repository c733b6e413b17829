//! From schemas to types.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    model::{Body, Id, Model, Named, Node, Origin, Property, Shape, Union, Words},
    view::{Place, View, Viewer},
    words,
};

/// How much one module of bindings may look at, in schemas.
const MAX_COST: usize = 1_500_000;

/// How many types one module may have.
const MAX_TYPES: usize = 20_000;

/// How deep types may hold one another, so that nothing runs out of stack. Vendors' documents reach 13.
const MAX_DEPTH: usize = 128;

/// Makes the types of one module.
pub(super) struct Schemas<'a> {
    pub viewer: Viewer<'a>,
    pub model: Model,
    known: HashMap<(String, bool), Id>,
    /// What is being made and has no name, so that it cannot hold itself.
    open: HashSet<(String, bool)>,
    depth: usize,
    cost: usize,
}

/// Where a schema is met.
#[derive(Clone, Debug)]
pub(super) struct Context {
    /// Whether a request sends it.
    pub sent: bool,
    /// The type that holds it, and the way to it there.
    pub within: Option<(Id, String)>,
    /// What it is called where nothing else names it.
    pub fallback: String,
}

impl Context {
    fn item(&self, suffix: &str) -> Self {
        let mut inner = self.clone();
        match &mut inner.within {
            Some((_, way)) => way.push_str(suffix),
            None => inner.fallback.push_str(suffix),
        }
        inner
    }
}

impl<'a> Schemas<'a> {
    pub fn new(viewer: Viewer<'a>) -> Self {
        Self {
            viewer,
            model: Model::default(),
            known: HashMap::new(),
            open: HashSet::new(),
            depth: 0,
            cost: 0,
        }
    }

    /// Whether the documents expand to more than is looked at.
    pub fn exhausted(&self) -> bool {
        self.cost > MAX_COST || self.model.types.len() > MAX_TYPES
    }

    pub fn view(&mut self, places: &[Place<'a>]) -> View<'a> {
        let view = self.viewer.view(places);
        self.cost += view.cost;
        view
    }

    /// The type of a value to which all these schemas apply.
    pub fn node(&mut self, places: Vec<Place<'a>>, context: &Context) -> Node {
        if self.exhausted() {
            return Node::any();
        }
        let nullable = self.view(&places).nullable;
        let viewer = self.viewer;
        let mut definitions: Vec<Place<'a>> = Vec::new();
        for place in places {
            let definition = viewer.definition(place, context.sent);
            let known = |other: &Place| other.pointer == definition.pointer;
            if !definitions.iter().any(known) && says_anything(&definition) {
                definitions.push(definition);
            }
        }
        let pointers = definitions
            .iter()
            .map(|it| format!("{}{}", it.document, it.pointer));
        let key = (pointers.collect::<Vec<_>>().join(" "), context.sent);
        let shape = match self.known.get(&key) {
            Some(id) => Shape::Named(*id),
            None if definitions.is_empty() => Shape::Any,
            None if !self.open.insert(key.clone()) => {
                let place = &definitions[0].pointer;
                self.note(format!(
                    "{place}: it contains itself and has no properties; it is any JSON"
                ));
                Shape::Any
            }
            None if self.depth == MAX_DEPTH => {
                let place = &definitions[0].pointer;
                self.note(format!("{place}: it is nested too deeply; it is any JSON"));
                self.open.remove(&key);
                Shape::Any
            }
            None => {
                self.depth += 1;
                let shape = self.shape(&definitions, &key, context);
                self.depth -= 1;
                self.open.remove(&key);
                shape
            }
        };
        Node { shape, nullable }
    }

    pub fn note(&mut self, note: String) {
        if !self.model.notes.contains(&note) {
            self.model.notes.push(note);
        }
    }

    fn shape(
        &mut self,
        definitions: &[Place<'a>],
        key: &(String, bool),
        context: &Context,
    ) -> Shape {
        let view = self.view(definitions);
        for reference in &view.dangling {
            let place = &definitions[0].pointer;
            self.note(format!(
                "{place}: the reference {reference:?} leads nowhere inside the document; it is any JSON"
            ));
        }
        let is_object = view.types.is_empty() || view.is_only("object");
        if is_object && !view.properties.is_empty() {
            return self.object(definitions, key, view, context);
        }
        let union = view.unions.first().cloned();
        let list = view.is_only("array") || view.types.is_empty() && !view.items.is_empty();
        if list {
            let items = match view.items.is_empty() {
                true => Node::any(),
                false => self.node(view.items, &context.item("_item")),
            };
            return Shape::List(Box::new(items));
        }
        if view.types.len() > 1
            && !view
                .types
                .iter()
                .all(|name| ["integer", "number"].contains(name))
        {
            return Shape::Any;
        }
        if let Some(branches) = union {
            return self.union(branches, definitions, key, &view, context);
        }
        if !view.additional.is_empty() {
            let value = self.node(view.additional, &context.item("_value"));
            return Shape::Map(Box::new(value));
        }
        match view.types.first().copied() {
            Some("object") => Shape::Map(Box::new(Node::any())),
            Some("string") | None if view.is_set() => {
                let values = view.values.iter().map(|value| (*value).to_owned());
                let body = Body::Set(values.collect());
                Shape::Named(self.named(definitions, key, &view, body, context))
            }
            Some("string") if view.format == Some("date-time") => Shape::DateTime,
            Some("string") => Shape::Text,
            Some("integer") if view.types.len() == 1 => Shape::Integer,
            Some("integer" | "number") => Shape::Number,
            Some("boolean") => Shape::Boolean,
            _ => Shape::Any,
        }
    }

    fn object(
        &mut self,
        definitions: &[Place<'a>],
        key: &(String, bool),
        mut view: View<'a>,
        context: &Context,
    ) -> Shape {
        let hidden = if context.sent {
            View::is_read_only
        } else {
            View::is_write_only
        };
        let mut shown = Vec::new();
        for (name, places) in std::mem::take(&mut view.properties) {
            let said = self.view(&places);
            if !hidden(&said) {
                shown.push((name, places, said));
            }
        }
        // Nothing of it travels in this direction but what it does not describe.
        if shown.is_empty() {
            return Shape::Map(Box::new(Node::any()));
        }
        if !view.unions.is_empty()
            && view
                .unions
                .iter()
                .flatten()
                .any(|branch| has_properties(branch))
        {
            let place = &definitions[0].pointer;
            self.note(format!(
                "{place}: what only one of several alternatives has is not typed; it is in `extra`"
            ));
        }
        // It may hold itself.
        let id = self.named(definitions, key, &view, Body::Object(Vec::new()), context);
        let mut properties = Vec::new();
        for (name, places, said) in shown {
            let inner = Context {
                sent: context.sent,
                within: Some((id, name.to_owned())),
                fallback: String::new(),
            };
            let node = self.node(places, &inner);
            let text = self.own_words(&said.words, &node);
            properties.push(Property {
                name: name.to_owned(),
                node,
                required: context.sent && view.required.contains(name),
                words: Words {
                    text,
                    deprecated: said.deprecated,
                },
                offered: true,
            });
        }
        self.model.types[id].body = Body::Object(properties);
        Shape::Named(id)
    }

    /// What is said at a place, without what the documentation of its type says anyway.
    pub fn own_words(&self, said: &[&str], node: &Node) -> Option<String> {
        let shared = node.named().map(|id| &self.model.types[id]);
        let is_new = |text: &&&str| {
            let shared = shared.filter(|named| component(&named.origin.pointer).is_some());
            let shared = shared.and_then(|named| named.words.text.as_deref());
            !shared
                .is_some_and(|shared| words::clean(text).is_some_and(|text| shared.contains(&text)))
        };
        words::paragraphs(said.iter().filter(is_new).copied())
    }

    /// Alternatives: a set of values, objects that a property tells apart, or any JSON.
    fn union(
        &mut self,
        branches: Vec<Place<'a>>,
        definitions: &[Place<'a>],
        key: &(String, bool),
        view: &View<'a>,
        context: &Context,
    ) -> Shape {
        let views: Vec<View<'a>> = branches
            .iter()
            .map(|branch| self.view(std::slice::from_ref(branch)))
            .collect();
        let plain = |view: &View| {
            view.properties.is_empty() && view.unions.is_empty() && view.items.is_empty()
        };
        let all = |name: &str| views.iter().all(|view| plain(view) && (view.is_only(name)));
        let texts = views
            .iter()
            .all(|view| plain(view) && (view.is_only("string") || view.is_set()));
        if texts {
            let mut values: Vec<String> = Vec::new();
            for value in view
                .values
                .iter()
                .chain(views.iter().flat_map(|view| &view.values))
            {
                if !values.iter().any(|known| known == value) {
                    values.push((*value).to_owned());
                }
            }
            if values.is_empty() {
                return Shape::Text;
            }
            return Shape::Named(self.named(definitions, key, view, Body::Set(values), context));
        }
        for (name, shape) in [
            ("boolean", Shape::Boolean),
            ("integer", Shape::Integer),
            ("number", Shape::Number),
        ] {
            if all(name) {
                return shape;
            }
        }
        match self.tagged(&branches, &views, view) {
            Some((tag, values)) => {
                let body = Body::Union(Union {
                    tag: tag.clone(),
                    arms: Vec::new(),
                });
                let id = self.named(definitions, key, view, body, context);
                let mut arms = Vec::new();
                for (value, branch) in values.into_iter().zip(branches) {
                    let inner = Context {
                        sent: context.sent,
                        within: Some((id, value.clone())),
                        fallback: String::new(),
                    };
                    arms.push((value, self.node(vec![branch], &inner)));
                }
                self.model.types[id].body = Body::Union(Union { tag, arms });
                Shape::Named(id)
            }
            // What comes back is read as one object with the properties of all, none of which it has to have.
            None if !context.sent
                && views
                    .iter()
                    .all(|view| !view.properties.is_empty() || !view.unions.is_empty()) =>
            {
                self.merged(branches, definitions, key, context)
            }
            None => {
                let place = &definitions[0].pointer;
                self.note(format!(
                    "{place}: nothing tells its alternatives apart; it is any JSON"
                ));
                Shape::Any
            }
        }
    }

    fn merged(
        &mut self,
        branches: Vec<Place<'a>>,
        definitions: &[Place<'a>],
        key: &(String, bool),
        context: &Context,
    ) -> Shape {
        let branches = branches
            .into_iter()
            .map(|branch| self.node(vec![branch], context));
        let branches: Vec<Node> = branches.collect();
        let mut mixer = Mixer::new(&mut self.model);
        let merged = branches
            .into_iter()
            .reduce(|one, other| mixer.mix(&one, &other, context));
        let merged = merged.unwrap_or_else(Node::any);
        if let Some(id) = merged.named() {
            let origin = &mut self.model.types[id].origin;
            if origin.pointer.contains(' ') {
                origin.pointer.clone_from(&definitions[0].pointer);
            }
            self.known.insert(key.clone(), id);
        } else if merged.shape == Shape::Any {
            let place = &definitions[0].pointer;
            self.note(format!(
                "{place}: its alternatives have no form in common; it is any JSON"
            ));
        }
        merged.shape
    }

    /// The property that tells objects apart, and its value in each.
    fn tagged(
        &mut self,
        branches: &[Place<'a>],
        views: &[View<'a>],
        view: &View<'a>,
    ) -> Option<(String, Vec<String>)> {
        if views.iter().any(|view| view.properties.is_empty()) {
            return None;
        }
        let candidates: Vec<&str> = match view.tag {
            Some(tag) => vec![tag],
            None => views[0].properties.iter().map(|(name, _)| *name).collect(),
        };
        for tag in candidates {
            let mut values = Vec::new();
            for (branch, view_of) in branches.iter().zip(views) {
                let mapped = branch.node["$ref"].as_str().and_then(|reference| {
                    let same = |target: &str| {
                        reference == target || reference.rsplit('/').next() == Some(target)
                    };
                    view.mapping
                        .iter()
                        .find(|(_, target)| same(target))
                        .map(|(value, _)| *value)
                });
                let own = || {
                    let (_, places) = view_of.properties.iter().find(|(name, _)| *name == tag)?;
                    let said = self.viewer.view(places);
                    match said.values.as_slice() {
                        [one] => Some((*one).to_owned()),
                        _ => None,
                    }
                };
                let implied = || {
                    let name = branch.node["$ref"].as_str()?.rsplit('/').next()?;
                    view.tag
                        .filter(|_| view.mapping.is_empty())
                        .map(|_| name.to_owned())
                };
                match mapped.map(str::to_owned).or_else(own).or_else(implied) {
                    Some(value) if !values.contains(&value) => values.push(value),
                    _ => break,
                }
            }
            if values.len() == branches.len() {
                return Some((tag.to_owned(), values));
            }
        }
        None
    }

    fn named(
        &mut self,
        definitions: &[Place<'a>],
        key: &(String, bool),
        view: &View<'a>,
        body: Body,
        context: &Context,
    ) -> Id {
        let id = self.model.types.len();
        // What adds to a component and nothing else is called as the component is.
        let first = &definitions[0];
        let base = || {
            let parts = first.node.get("allOf")?.as_array()?;
            let mut references = parts.iter().filter_map(|part| part.get("$ref")?.as_str());
            let one = references.next()?;
            references
                .next()
                .is_none()
                .then(|| one.strip_prefix('#').map(str::to_owned))?
        };
        let is_component = component(&first.pointer).is_some();
        let pointer = match (is_component, base()) {
            (false, Some(base)) if context.sent && component(&base).is_some() => base,
            _ => first.pointer.clone(),
        };
        self.model.types.push(Named {
            name: String::new(),
            words: Words {
                text: words::paragraphs(view.words.iter().copied()),
                deprecated: view.deprecated,
            },
            body,
            origin: Origin {
                document: first.document,
                pointer,
                sent: context.sent,
                pinned: None,
                within: context.within.clone(),
                fallback: context.fallback.clone(),
            },
        });
        self.known.insert(key.clone(), id);
        id
    }
}

impl View<'_> {
    fn is_read_only(&self) -> bool {
        self.read_only
    }

    fn is_write_only(&self) -> bool {
        self.write_only
    }
}

/// The name of the component that stands at `pointer`.
pub(super) fn component(pointer: &str) -> Option<String> {
    let name = pointer.strip_prefix("/components/schemas/")?;
    (!name.contains('/')).then(|| name.replace("~1", "/").replace("~0", "~"))
}

/// A schema without any keyword that restricts says nothing.
fn says_anything(place: &Place) -> bool {
    const SILENT: [&str; 9] = [
        "description",
        "example",
        "examples",
        "title",
        "deprecated",
        "readOnly",
        "writeOnly",
        "nullable",
        "default",
    ];
    place.node.as_object().is_some_and(|node| {
        node.keys().any(|key| {
            !SILENT.contains(&key.as_str())
                && (!key.starts_with("x-") || key == "x-extensible-enum")
        })
    })
}

fn has_properties(place: &Place) -> bool {
    ["properties", "$ref", "allOf"]
        .iter()
        .any(|keyword| place.node.get(keyword).is_some())
}

/// What two types have in common, for one that stands for both.
pub(super) struct Mixer<'m> {
    pub model: &'m mut Model,
    mixed: BTreeMap<(Id, Id), Id>,
}

impl<'m> Mixer<'m> {
    pub fn new(model: &'m mut Model) -> Self {
        Self {
            model,
            mixed: BTreeMap::new(),
        }
    }

    /// A type for values of either; objects become a new one with the properties of both.
    pub fn mix(&mut self, one: &Node, other: &Node, at: &Context) -> Node {
        let nullable = one.nullable || other.nullable;
        let shape = match (&one.shape, &other.shape) {
            (one, other) if one == other => one.clone(),
            (Shape::List(one), Shape::List(other)) => {
                Shape::List(Box::new(self.mix(one, other, at)))
            }
            (Shape::Map(one), Shape::Map(other)) => Shape::Map(Box::new(self.mix(one, other, at))),
            (Shape::Integer, Shape::Number) | (Shape::Number, Shape::Integer) => Shape::Number,
            (Shape::DateTime, Shape::Text) | (Shape::Text, Shape::DateTime) => Shape::Text,
            (Shape::Text, Shape::Named(set)) | (Shape::Named(set), Shape::Text)
                if self.is_set(*set) =>
            {
                Shape::Named(*set)
            }
            (Shape::Named(one), Shape::Named(other)) => self.mix_named(*one, *other, at),
            _ => Shape::Any,
        };
        Node { shape, nullable }
    }

    fn is_set(&self, id: Id) -> bool {
        matches!(self.model.types[id].body, Body::Set(_))
    }

    fn mix_named(&mut self, one: Id, other: Id, at: &Context) -> Shape {
        if let Some(id) = self.mixed.get(&(one, other)) {
            return Shape::Named(*id);
        }
        let (first, second) = (
            self.model.types[one].clone(),
            self.model.types[other].clone(),
        );
        let id = self.model.types.len();
        let mut origin = first.origin.clone();
        // It is neither of the two.
        origin.pointer = format!("{} {}", first.origin.pointer, second.origin.pointer);
        origin.pinned = None;
        origin.within.clone_from(&at.within);
        origin.fallback.clone_from(&at.fallback);
        let words = Words {
            text: words::paragraphs(
                [&first.words.text, &second.words.text]
                    .into_iter()
                    .flatten()
                    .map(String::as_str),
            ),
            deprecated: first.words.deprecated && second.words.deprecated,
        };
        let named = |body| Named {
            name: String::new(),
            words,
            body,
            origin,
        };
        match (first.body, second.body) {
            (Body::Object(ours), Body::Object(theirs)) => {
                self.model.types.push(named(Body::Object(Vec::new())));
                self.mixed.insert((one, other), id);
                let properties = self.mix_properties(ours, theirs, id);
                self.model.types[id].body = Body::Object(properties);
                Shape::Named(id)
            }
            (Body::Set(mut values), Body::Set(others)) => {
                values.extend(
                    others
                        .into_iter()
                        .filter(|value| !values.contains(value))
                        .collect::<Vec<_>>(),
                );
                self.model.types.push(named(Body::Set(values)));
                self.mixed.insert((one, other), id);
                Shape::Named(id)
            }
            (Body::Union(union), Body::Object(_)) => self.flattened(union, other, at),
            (Body::Object(_), Body::Union(union)) => self.flattened(union, one, at),
            (Body::Union(union), Body::Union(others)) => match self.flattened(others, other, at) {
                Shape::Named(object) => self.flattened(union, object, at),
                _ => Shape::Any,
            },
            _ => Shape::Any,
        }
    }

    /// One object for the arms of a union and for `object`.
    fn flattened(&mut self, union: Union, object: Id, at: &Context) -> Shape {
        let first = Node::new(Shape::Named(object));
        let first = match self.model.types[object].body {
            Body::Object(_) => first,
            _ => {
                return match union
                    .arms
                    .into_iter()
                    .map(|(_, arm)| arm)
                    .reduce(|one, other| self.mix(&one, &other, at))
                {
                    Some(node) => node.shape,
                    None => Shape::Any,
                };
            }
        };
        let arms = union.arms.into_iter().map(|(_, arm)| arm);
        arms.fold(first, |mixed, arm| self.mix(&mixed, &arm, at))
            .shape
    }

    pub fn mix_properties(
        &mut self,
        mut ours: Vec<Property>,
        theirs: Vec<Property>,
        id: Id,
    ) -> Vec<Property> {
        for theirs in theirs {
            let Some(known) = ours.iter_mut().find(|known| known.name == theirs.name) else {
                ours.push(theirs);
                continue;
            };
            let at = Context {
                sent: self.model.types[id].origin.sent,
                within: Some((id, theirs.name.clone())),
                fallback: String::new(),
            };
            known.node = self.mix(&known.node, &theirs.node, &at);
            known.required &= theirs.required;
            known.offered |= theirs.offered;
            if known.words.text.is_none() {
                known.words = theirs.words;
            }
        }
        ours
    }
}

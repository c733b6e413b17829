//! One change of a document, and the pointers of the expected findings.

use serde_json::{Map, Value, json};

use crate::navigator::{METHODS, Place, find, property, required_list, split, token};

/// A change at an address.
#[derive(Clone, Debug)]
pub enum Edit {
    /// Sets a keyword.
    Set(&'static str, Value),
    /// Removes a keyword.
    Unset(&'static str),
    /// Adds a value to the list under a keyword.
    Push(&'static str, Value),
    /// Removes a value from the list under a keyword.
    Drop(&'static str, Value),
    /// Puts something new under a keyword.
    Put(&'static str, Value),
    /// Adds an element to the list itself.
    Append(Value),
    /// Allows null, in the spelling of the document's version.
    AllowNull,
    /// Removes the node.
    Remove,
    /// Replaces the node.
    Replace(Value),
    /// Copies the node under another name.
    Copy(&'static str),
    /// Renames the node.
    Rename(&'static str),
    /// Puts something new into the map (`properties`, `headers`, `responses`, `content`) of that name.
    Add(&'static str, &'static str, Value),
    /// Adds a required property.
    AddRequired(&'static str, Value),
    /// Adds a parameter.
    AddParameter(Value),
    /// Makes the property required.
    Require(&'static str),
    /// Makes the property optional.
    Unrequire(&'static str),
    /// Replaces a text in the path of the operation.
    MovePath(&'static str, &'static str),
    /// Renames a path variable, in the path and in the parameters.
    RenameVariable(&'static str, &'static str),
}

/// Expected pointers; each is a list of equivalent ones.
pub type Expected = Vec<Vec<String>>;

impl Edit {
    /// Changes the document at `place`, and returns the expected pointers.
    ///
    /// `None` where there is nothing to change, because the document does not have it.
    pub fn apply(&self, document: &mut Value, place: &Place) -> Option<Expected> {
        let bodies = bodies(document, &place.pointer);
        let mut expected = self.change(document, place)?;
        if matches!(
            self,
            Self::Remove | Self::Replace(_) | Self::Unset("content")
        ) {
            expected
                .iter_mut()
                .for_each(|spellings| spellings.extend_from_slice(&bodies));
        }
        for spellings in &mut expected {
            let wider: Vec<String> = spellings.iter().flat_map(|place| wider(place)).collect();
            spellings.extend(wider);
        }
        Some(expected)
    }

    fn change(&self, document: &mut Value, place: &Place) -> Option<Expected> {
        let pointer = place.pointer.clone();
        let here = vec![vec![pointer.clone()]];
        let mention = place.mention.clone().unwrap_or_else(|| pointer.clone());
        let is_31 = document["openapi"].as_str()?.starts_with("3.1");
        match self {
            Self::Set(keyword, value) => {
                let old = object(document, &pointer)?.insert((*keyword).to_owned(), value.clone());
                assert_ne!(
                    old.as_ref(),
                    Some(value),
                    "{pointer}/{keyword} is so already"
                );
                Some(here)
            }
            Self::Unset(keyword) => {
                object(document, &pointer)?.remove(*keyword)?;
                Some(here)
            }
            Self::Push(keyword, value) => {
                let list = object(document, &pointer)?.entry(*keyword);
                list.or_insert(json!([]))
                    .as_array_mut()?
                    .push(value.clone());
                Some(here)
            }
            Self::Drop(keyword, value) => {
                let list = object(document, &pointer)?
                    .get_mut(*keyword)?
                    .as_array_mut()?;
                let index = list.iter().position(|each| each == value)?;
                list.remove(index);
                Some(here)
            }
            Self::Put(keyword, value) => {
                let old = object(document, &pointer)?.insert((*keyword).to_owned(), value.clone());
                assert_ne!(
                    old.as_ref(),
                    Some(value),
                    "{pointer}/{keyword} is so already"
                );
                Some(vec![vec![format!("{pointer}/{keyword}")]])
            }
            Self::Append(value) => {
                let list = document.pointer_mut(&pointer)?.as_array_mut()?;
                list.push(value.clone());
                Some(vec![vec![format!("{pointer}/{}", list.len() - 1)]])
            }
            Self::AllowNull => {
                let node = object(document, &pointer)?;
                if !is_31 {
                    node.insert("nullable".to_owned(), json!(true));
                } else if let Some(kind) = node.get("type").cloned() {
                    node.insert("type".to_owned(), json!([kind, "null"]));
                } else {
                    let schema = std::mem::take(node);
                    node.insert("anyOf".to_owned(), json!([schema, { "type": "null" }]));
                }
                Some(here)
            }
            Self::Remove => {
                take(document, &mention)?;
                silence(document, place);
                Some(vec![spellings(&pointer, &mention)])
            }
            Self::Replace(value) => {
                *document.pointer_mut(&mention)? = value.clone();
                let mut places = spellings(&pointer, &mention);
                // What is wrong with a parameter or header may be said of its schema.
                places.extend([format!("{pointer}/schema"), format!("{mention}/schema")]);
                Some(vec![places])
            }
            Self::Copy(name) => {
                let (holder, _) = split(&mention);
                let value = document.pointer(&mention)?.clone();
                object(document, holder)?.insert((*name).to_owned(), value);
                let new = format!("{holder}/{}", token(name));
                Some(vec![spellings(&pointer, &new)])
            }
            Self::Rename(name) => {
                let (holder, _) = split(&mention);
                let new = format!("{holder}/{}", token(name));
                let value = take(document, &mention)?;
                silence(document, place);
                object(document, holder)?.insert((*name).to_owned(), value);
                Some(renamed(&pointer, &mention, new, name))
            }
            Self::Add(map, name, value) => {
                let entries = object(document, &pointer)?.entry(*map).or_insert(json!({}));
                let old = entries
                    .as_object_mut()?
                    .insert((*name).to_owned(), value.clone());
                assert_eq!(old, None, "{name} is there already");
                let new = format!("{pointer}/{map}/{}", token(name));
                let whole = (*map == "content").then(|| pointer.clone());
                Some(vec![std::iter::once(new).chain(whole).collect()])
            }
            Self::AddRequired(name, value) => {
                let added = Self::Add("properties", name, value.clone()).change(document, place)?;
                Self::Push("required", json!(name)).change(document, place)?;
                Some(added)
            }
            Self::AddParameter(parameter) => {
                let holder = object(document, &pointer)?;
                let list = holder
                    .entry("parameters")
                    .or_insert(json!([]))
                    .as_array_mut()?;
                list.push(parameter.clone());
                Some(vec![vec![format!(
                    "{pointer}/parameters/{}",
                    list.len() - 1
                )]])
            }
            Self::Require(name) => {
                let property = property(document, &pointer, name)?;
                let list = required_list(document, &pointer, None);
                let owner = list.unwrap_or_else(|| split(split(&property).0).0.to_owned());
                Self::Push("required", json!(name)).change(document, &Place::at(owner))?;
                Some(vec![vec![property]])
            }
            Self::Unrequire(name) => {
                let property = property(document, &pointer, name)?;
                let owner = required_list(document, &pointer, Some(name))?;
                Self::Drop("required", json!(name)).change(document, &Place::at(owner))?;
                Some(vec![vec![property]])
            }
            Self::MovePath(from, to) => move_path(document, &pointer, from, to),
            Self::RenameVariable(from, to) => {
                let operations = object(document, &pointer)?.clone();
                for operation in operations.values() {
                    let id = operation["operationId"].as_str().unwrap_or_default();
                    if let Some(variable) = find(document, &format!("{id} ?{from}")) {
                        Self::Set("name", json!(to)).change(document, &variable)?;
                    }
                }
                let (from, to) = (format!("{{{from}}}"), format!("{{{to}}}"));
                move_path(document, &pointer, &from, &to)
            }
        }
    }
}

fn object<'a>(document: &'a mut Value, pointer: &str) -> Option<&'a mut Map<String, Value>> {
    document.pointer_mut(pointer)?.as_object_mut()
}

/// Takes what stands at `pointer` out of the object or list that holds it.
fn take(document: &mut Value, pointer: &str) -> Option<Value> {
    let (holder, last) = split(pointer);
    match document.pointer_mut(holder)? {
        Value::Object(map) => map.remove(&last),
        Value::Array(list) => Some(list.remove(last.parse().ok()?)),
        _ => None,
    }
}

/// Takes out what other parts say of the same property, and what whoever adds to its schema says of it.
fn silence(document: &mut Value, place: &Place) {
    for echo in &place.echoes {
        take(document, echo);
    }
    let (holder, name) = split(&place.pointer);
    if let Some(schema) = holder.strip_suffix("/properties") {
        let reference = json!({ "$ref": format!("#{schema}") });
        silence_parts(document, &reference, &name);
    }
}

fn silence_parts(node: &mut Value, reference: &Value, name: &str) {
    match node {
        Value::Object(map) => {
            let parts = map.get_mut("allOf").and_then(Value::as_array_mut);
            let parts = parts.filter(|parts| parts.contains(reference));
            for part in parts.into_iter().flatten() {
                if let Some(properties) = part.get_mut("properties").and_then(Value::as_object_mut)
                {
                    properties.remove(name);
                }
            }
            map.values_mut()
                .for_each(|inner| silence_parts(inner, reference, name));
        }
        Value::Array(list) => list
            .iter_mut()
            .for_each(|inner| silence_parts(inner, reference, name)),
        _ => {}
    }
}

/// The bodies of a request or response, by media type: it is they that go with it.
fn bodies(document: &Value, pointer: &str) -> Vec<String> {
    let content = document.pointer(&format!("{pointer}/content"));
    let media_types = content.and_then(Value::as_object).into_iter().flatten();
    let place = |(name, _): (&String, _)| format!("{pointer}/content/{}", token(name));
    media_types.map(place).collect()
}

/// Pointers that are equivalent for a person: a list for its element, for example.
fn wider(place: &str) -> Vec<String> {
    let (holder, last) = split(place);
    let (owner, list) = split(holder);
    match (list.as_str(), last.as_str()) {
        ("security", _) => vec![holder.to_owned()],
        // The requirements of the document held until then.
        (_, "security") => vec!["/security".to_owned()],
        ("servers", "0") => vec![format!("{place}/url")],
        (_, "servers") if owner.is_empty() => vec![format!("{place}/0/url")],
        (_, "servers") => {
            let url = format!("{place}/0/url");
            vec![url, format!("{place}/0"), holder.to_owned()]
        }
        _ => Vec::new(),
    }
}

/// A thing that components define can be pointed to there and where it is mentioned.
fn spellings(pointer: &str, mention: &str) -> Vec<String> {
    vec![pointer.to_owned(), mention.to_owned()]
}

/// The old name is gone and the new one there; of a status or a media type either place will do,
/// for it is one thing that has another name.
fn renamed(pointer: &str, mention: &str, new: String, name: &str) -> Expected {
    let (holder, _) = split(mention);
    let (owner, map) = split(holder);
    let mut old = spellings(pointer, mention);
    match map.as_str() {
        "responses" => {
            old.push(new);
            vec![old]
        }
        "content" => {
            old.extend([new, owner.to_owned()]);
            vec![old]
        }
        // The operation moved to a method that nobody calls.
        _ if METHODS.contains(&name) => vec![old],
        _ => {
            let defined = (pointer != mention).then(|| pointer.to_owned());
            vec![old, std::iter::once(new).chain(defined).collect()]
        }
    }
}

/// Every operation of the path goes with it.
fn move_path(document: &mut Value, item: &str, from: &str, to: &str) -> Option<Expected> {
    let (_, path) = split(item);
    let moved = path.replace(from, to);
    if moved == path {
        return None;
    }
    let new = format!("/paths/{}", token(&moved));
    let value = take(document, item)?;
    let methods: Vec<&str> = METHODS
        .into_iter()
        .filter(|method| value.get(method).is_some())
        .collect();
    object(document, "/paths")?.insert(moved, value);
    let places = methods
        .iter()
        .map(|method| vec![format!("{item}/{method}"), format!("{new}/{method}")]);
    Some(places.collect())
}

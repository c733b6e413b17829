//! Assigns the names of types, methods and parameters.
//!
//! A pinned name takes precedence. Otherwise a component gets the last part of its name (`Invitation` of
//! `iam.v2.Invitation`), or its whole name if that is taken; a type of requests that differs from the type of responses
//! is called `…Request`. A type without a name in the document is called after the type that contains it. If every
//! candidate is taken, a number is appended, and a note is recorded.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap, HashSet},
};

use super::{
    idents,
    model::{Body, Id, Model, NamedType, Node, Operation, Shape},
    schema::component,
};

pub(super) fn assign(model: &mut Model) {
    deduplicate(model);
    remove_unreachable(model);
    types(model);
    operations(model);
}

/// Merges equal types: a component in requests and in responses, components of one name in several documents, and the
/// bodies of failures.
fn deduplicate(model: &mut Model) {
    let mut candidates: HashMap<String, Vec<Id>> = HashMap::new();
    let mut duplicates: HashMap<Id, Id> = HashMap::new();
    let mut failures: HashMap<Id, usize> = HashMap::new();
    let all: Vec<Id> = {
        let (in_request, received): (Vec<Id>, Vec<Id>) =
            (0..model.types.len()).partition(|id| model.types[*id].origin.in_request);
        received.into_iter().chain(in_request).collect()
    };
    for id in all {
        let origin = &model.types[id].origin;
        let key = match component(&origin.pointer) {
            Some(name) => name,
            None if is_failure(&model.types[id]) => FAILURE.to_owned(),
            None => continue,
        };
        let known = candidates.entry(key).or_default();
        match known
            .iter()
            .find(|known| equal(model, id, **known, &mut HashSet::new()))
        {
            Some(known) => {
                duplicates.insert(id, *known);
                *failures.entry(*known).or_default() += 1;
            }
            None => known.push(id),
        }
    }
    let mut replacement = |id: Id| duplicates.get(&id).copied().unwrap_or(id);
    for named in &mut model.types {
        named.map_ids(&mut replacement);
    }
    for node in model.operations.iter_mut().flat_map(Operation::nodes_mut) {
        node.map_ids(&mut replacement);
    }
    for (_, node) in &mut model.aliases {
        node.map_ids(&mut replacement);
    }
    // The most common body of failures is not named after one operation.
    let shared = failures
        .into_iter()
        .filter(|(id, _)| is_failure(&model.types[*id]));
    if let Some((id, _)) = shared.max_by_key(|(id, count)| (*count, Reverse(*id))) {
        FAILURE.clone_into(&mut model.types[id].origin.fallback_name);
    }
}

/// The name of the body that the failures of several operations share.
const FAILURE: &str = "Failure";

fn is_failure(named: &NamedType) -> bool {
    let origin = &named.origin;
    !origin.in_request
        && origin.parent.is_none()
        && origin.fallback_name.ends_with("_error")
        && component(&origin.pointer).is_none()
}

fn equal(model: &Model, one: Id, other: Id, assumed: &mut HashSet<(Id, Id)>) -> bool {
    if one == other || !assumed.insert((one, other)) {
        return true;
    }
    let (a, b) = (&model.types[one], &model.types[other]);
    if a.origin.pinned.is_some() && a.origin.pinned != b.origin.pinned {
        return false;
    }
    match (&a.body, &b.body) {
        (Body::Object(ours), Body::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().zip(theirs).all(|(a, b)| {
                    a.name == b.name
                        && a.required == b.required
                        && equal_nodes(model, &a.node, &b.node, assumed)
                })
        }
        (Body::Enum(ours), Body::Enum(theirs)) => ours == theirs,
        (Body::Union(ours), Body::Union(theirs)) => {
            ours.discriminator == theirs.discriminator
                && ours.arms.len() == theirs.arms.len()
                && ours
                    .arms
                    .iter()
                    .zip(&theirs.arms)
                    .all(|((a, one), (b, other))| a == b && equal_nodes(model, one, other, assumed))
        }
        _ => false,
    }
}

fn equal_nodes(model: &Model, one: &Node, other: &Node, assumed: &mut HashSet<(Id, Id)>) -> bool {
    one.nullable == other.nullable
        && match (&one.shape, &other.shape) {
            (Shape::Named(a), Shape::Named(b)) => equal(model, *a, *b, assumed),
            (Shape::List(a), Shape::List(b)) | (Shape::Map(a), Shape::Map(b)) => {
                equal_nodes(model, a, b, assumed)
            }
            (a, b) => a == b,
        }
}

/// Removes types that no operation refers to.
fn remove_unreachable(model: &mut Model) {
    let mut queue: Vec<Id> = Vec::new();
    let mut note = |node: &Node| collect_named(node, &mut queue);
    model
        .operations
        .iter()
        .flat_map(Operation::nodes)
        .for_each(&mut note);
    model.aliases.iter().for_each(|(_, node)| note(node));
    let mut reached = BTreeSet::new();
    while let Some(id) = queue.pop() {
        if !reached.insert(id) {
            continue;
        }
        match &model.types[id].body {
            Body::Object(properties) => properties
                .iter()
                .for_each(|it| collect_named(&it.node, &mut queue)),
            Body::Union(union) => union
                .arms
                .iter()
                .for_each(|(_, node)| collect_named(node, &mut queue)),
            Body::Enum(_) => {}
        }
    }
    let new_ids: HashMap<Id, Id> = reached
        .iter()
        .enumerate()
        .map(|(new, old)| (*old, new))
        .collect();
    // If the containing type was removed, the type is named by its fallback.
    let mut kept: Vec<NamedType> = reached.iter().map(|id| model.types[*id].clone()).collect();
    for named in &mut kept {
        if let Some((holder, member)) = &named.origin.parent
            && !new_ids.contains_key(holder)
        {
            named.origin.fallback_name =
                format!("{}_{member}", model.types[*holder].origin.fallback_name);
            named.origin.parent = None;
        }
        named.map_ids(&mut |id| new_ids[&id]);
    }
    model.types = kept;
    for node in model.operations.iter_mut().flat_map(Operation::nodes_mut) {
        node.map_ids(&mut |id| new_ids[&id]);
    }
    for (_, node) in &mut model.aliases {
        node.map_ids(&mut |id| new_ids[&id]);
    }
}

fn collect_named(node: &Node, found: &mut Vec<Id>) {
    match &node.shape {
        Shape::Named(id) => found.push(*id),
        Shape::List(inner) | Shape::Map(inner) => collect_named(inner, found),
        _ => {}
    }
}

fn types(model: &mut Model) {
    let mut taken: HashSet<String> = model.aliases.iter().map(|(name, _)| name.clone()).collect();
    let mut unnamed = Vec::new();
    for (id, named) in model.types.iter_mut().enumerate() {
        match &named.origin.pinned {
            Some(pinned) => {
                named.name.clone_from(pinned);
                taken.insert(pinned.clone());
            }
            None => unnamed.push(id),
        }
    }
    // Types of responses come first, components before types without a name, and components in an order that does not
    // depend on where they are used.
    let rank = |id: &Id| {
        let origin = &model.types[*id].origin;
        let own = component(&origin.pointer).is_some();
        (
            !own,
            own && origin.in_request,
            if own {
                origin.pointer.clone()
            } else {
                String::new()
            },
            *id,
        )
    };
    unnamed.sort_by_cached_key(rank);
    let number = |name: &str, count: usize| format!("{name}{count}");
    // A containing type is named before its parts, unless it contains itself.
    let mut rounds = 0;
    while !unnamed.is_empty() {
        rounds += 1;
        let mut later = Vec::new();
        for id in unnamed {
            let origin = &model.types[id].origin;
            let candidates = match (component(&origin.pointer), &origin.parent) {
                (Some(name), _) => component_names(&name, origin.in_request),
                (None, Some((holder, _)))
                    if model.types[*holder].name.is_empty() && rounds < 100 =>
                {
                    later.push(id);
                    continue;
                }
                (None, Some((holder, member))) => {
                    let holder = &model.types[*holder].name;
                    vec![idents::type_name(&format!("{holder}_{member}"))]
                }
                (None, None) => vec![idents::type_name(&origin.fallback_name)],
            };
            let name = idents::first_free(&taken, &candidates, number);
            if !candidates.contains(&name) {
                let pointer = &origin.pointer;
                model.notes.push(format!(
                    "{pointer}: another type is called `{}`; this one is `{name}`",
                    candidates.first().map_or("", String::as_str)
                ));
            }
            taken.insert(name.clone());
            model.types[id].name = name;
        }
        unnamed = later;
    }
}

fn component_names(name: &str, in_request: bool) -> Vec<String> {
    let short = name
        .rsplit(['.', '/', ':'])
        .next()
        .filter(|short| short.starts_with(|letter: char| letter.is_alphabetic()));
    let mut names: Vec<String> = short.into_iter().map(idents::type_name).collect();
    names.push(idents::type_name(name));
    if in_request {
        let request = names.iter().filter(|name| !name.ends_with("Request"));
        let request = request.map(|name| format!("{name}Request"));
        let request: Vec<String> = request.collect();
        names.truncate(1);
        names.extend(request);
    }
    names.dedup();
    names
}

/// Names methods and parameters. A name that the generated client or builder already has is changed.
fn operations(model: &mut Model) {
    let mut taken = HashSet::new();
    let number = |name: &str, count: usize| format!("{name}_{count}");
    for op in &mut model.operations {
        let mut name = idents::snake(&op.id);
        if idents::is_reserved_operation(&name) {
            name.push_str("_operation");
        }
        // Builders are types, and `get_a_2` and `get_a2` have the same one.
        let numbered = (2..).map(|count| number(&name, count));
        let mut candidates = std::iter::once(name.clone()).chain(numbered);
        let free = candidates
            .find(|name| !taken.contains(&idents::pascal(name)))
            .unwrap_or_default();
        if free != name {
            model.notes.push(format!(
                "{} {}: another operation is called `{name}`; this one is `{free}`",
                op.method.to_ascii_uppercase(),
                op.path
            ));
        }
        taken.insert(idents::pascal(&free));
        op.name = free;
        let mut idents_taken = HashSet::new();
        for param in &mut op.parameters {
            let plain = idents::snake(&param.name);
            let longer = format!("{}_{}", plain.trim_end_matches('_'), param.location);
            let candidates = if idents::is_reserved_parameter(&plain) {
                vec![longer]
            } else {
                vec![plain, longer]
            };
            param.ident = idents::first_free(&idents_taken, &candidates, number);
            idents_taken.insert(param.ident.clone());
        }
    }
}

/// Returns the names of variants. A value that would be `Other` becomes `OtherValue`.
pub(crate) fn variants(values: &[String]) -> Vec<String> {
    let mut taken = HashSet::from(["Other".to_owned(), "Self".to_owned()]);
    let mut names = Vec::new();
    for value in values {
        let plain = if value.is_empty() {
            "Empty".to_owned()
        } else {
            idents::pascal(value)
        };
        let plain = plain.trim_end_matches('_').to_owned();
        let longer = format!("{plain}Value");
        let name = idents::first_free(&taken, &[plain, longer], |name, count| {
            format!("{name}{count}")
        });
        taken.insert(name.clone());
        names.push(name);
    }
    names
}

//! Path templates.

/// Whether two templates describe the same path: names of variables and a `/` at the end do not matter.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let is_variable = |part: &str| part.starts_with('{') && part.ends_with('}');
    let mut others = trimmed(other).split('/');
    trimmed(one).split('/').all(|part| {
        others
            .next()
            .is_some_and(|other| part == other || is_variable(part) && is_variable(other))
    }) && others.next().is_none()
}

/// Returns a form that is equal for all templates of the same path, as defined by [`is_same`].
pub(crate) fn template(path: &str) -> String {
    let is_variable = |part: &str| part.starts_with('{') && part.ends_with('}');
    let parts = trimmed(path).split('/');
    let parts = parts.map(|part| if is_variable(part) { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

fn trimmed(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" => path,
        trimmed => trimmed,
    }
}

/// Returns the names of the variables in a path template, in order.
pub fn variables(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// Returns every variable of a template, including those that are only a part of a segment: `/{id}.json`.
pub(crate) fn every_variable(path: &str) -> Vec<String> {
    let parts = path.split('{').skip(1);
    parts
        .filter_map(|part| Some(part.split_once('}')?.0.to_owned()))
        .collect()
}

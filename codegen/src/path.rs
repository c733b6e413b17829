//! Path templates.

/// `GET /x/{id}` and `GET /x/{name}` are one operation, and so are those with and without a `/` at the end.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let is_variable = |part: &str| part.starts_with('{') && part.ends_with('}');
    let mut others = trimmed(other).split('/');
    trimmed(one).split('/').all(|part| {
        others
            .next()
            .is_some_and(|other| part == other || is_variable(part) && is_variable(other))
    }) && others.next().is_none()
}

/// The same for all paths that [`is_same`] takes for one.
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

/// The names of the variables in a path template, in order.
pub fn variables(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// Every variable of a template, also those that are only a part of a step: `/{id}.json`.
pub(crate) fn every_variable(path: &str) -> Vec<String> {
    let parts = path.split('{').skip(1);
    parts
        .filter_map(|part| Some(part.split_once('}')?.0.to_owned()))
        .collect()
}

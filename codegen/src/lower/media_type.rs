//! Media types, and which one of a request is generated.

use super::model::Media;

/// Chooses the media type of a request: JSON if it is offered.
pub(super) fn choose<'t>(types: impl Iterator<Item = &'t str>) -> Option<(&'t str, Media)> {
    let rank = |name: &str| match essence(name).as_str() {
        "application/json" => (0, Media::Json),
        _ if is_json(name) => (1, Media::Json),
        "application/x-www-form-urlencoded" => (2, Media::Form),
        "text/plain" => (3, Media::Text),
        "application/octet-stream" => (4, Media::Octets),
        _ => (5, Media::Octets),
    };
    let best = types.min_by_key(|name| rank(name).0)?;
    Some((best, rank(best).1))
}

/// The media type without its parameters.
pub(super) fn essence(name: &str) -> String {
    let essence = name.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

pub(super) fn is_json(name: &str) -> bool {
    let essence = essence(name);
    essence == "*/*"
        || essence == "application/*"
        || essence
            .strip_prefix("application/")
            .is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

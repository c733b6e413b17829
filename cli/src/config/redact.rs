//! Redaction of values that may be secret.

use serde_json::Value as Json;

/// Collects every string in a value.
pub(super) fn collect_strings(value: &Json, strings: &mut Vec<String>) {
    match value {
        Json::String(text) => strings.push(text.clone()),
        Json::Array(items) => items.iter().for_each(|item| collect_strings(item, strings)),
        Json::Object(entries) => entries
            .values()
            .for_each(|item| collect_strings(item, strings)),
        _ => {}
    }
}

/// Redacts the configuration's values in a message: any of them may be a secret in the wrong place.
pub(super) fn redact_values(message: String, strings: &[String]) -> String {
    let mut clean = message;
    for text in strings.iter().filter(|text| !text.is_empty()) {
        // Serde quotes strings in this way.
        let debug = format!("{text:?}");
        clean = clean.replace(&debug, "[redacted]");
        clean = clean.replace(&format!("`{text}`"), "[redacted]");
        if text.len() >= 8 {
            clean = clean.replace(debug.trim_matches('"'), "[redacted]");
            clean = clean.replace(text.as_str(), "[redacted]");
        }
    }
    clean
}

/// A URL without the parts that may be secret: user name, password, query and fragment.
pub(crate) fn redacted_url(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    match reqwest::Url::parse(text) {
        Ok(mut url) if !url.username().is_empty() || url.password().is_some() => {
            let removed = url.set_username("").and_then(|()| url.set_password(None));
            removed.map_or_else(|()| "[redacted]".to_owned(), |()| url.to_string())
        }
        Ok(_) => text.to_owned(),
        Err(_) if text.contains('@') => "[redacted]".to_owned(),
        Err(_) => text.to_owned(),
    }
}

//! Completing and checking what a configuration says of organisations.

use std::collections::HashSet;

use uuid::Uuid;

use crate::email::is_email;

/// The first element; a default one if there is none.
pub(crate) fn first_or_default<T: Default>(all: &mut Vec<T>) -> &mut T {
    if all.is_empty() {
        all.push(T::default());
    }
    &mut all[0]
}

/// Puts `first` in front; if something is configured there already, `merge` joins the two.
pub(crate) fn merge_first<T>(all: &mut Vec<T>, first: T, merge: impl FnOnce(T, T) -> T) {
    let first = if all.is_empty() {
        first
    } else {
        merge(first, all.remove(0))
    };
    all.insert(0, first);
}

/// An organisation's id in hyphenated lower case; a random one if none is configured.
///
/// # Errors
///
/// The text is not a uuid.
pub(crate) fn organization_id(text: Option<String>) -> Result<String, String> {
    let Some(text) = text else {
        return Ok(Uuid::new_v4().to_string());
    };
    Uuid::try_parse(&text)
        .map(|uuid| uuid.to_string())
        .map_err(|error| format!("organisation {text:?} is not a uuid: {error}"))
}

/// Checks that addresses are valid, and that no two are equal but for case.
///
/// # Errors
///
/// Names the first address that is not.
pub(crate) fn check_emails<'a>(emails: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut all = Vec::new();
    for email in emails {
        if !is_email(email) {
            return Err(format!("{email:?} is not an email address"));
        }
        all.push(email.to_lowercase());
    }
    check_unique("address", all.iter())
}

/// Checks that no two values are equal.
///
/// # Errors
///
/// Names the first value that occurs twice.
pub(crate) fn check_unique<'a>(
    kind: &str,
    values: impl Iterator<Item = &'a String>,
) -> Result<(), String> {
    let mut seen = HashSet::new();
    for value in values {
        if !seen.insert(value) {
            return Err(format!("the {kind} {value:?} appears twice"));
        }
    }
    Ok(())
}

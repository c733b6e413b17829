//! Lists of people inside of an object, as the APIs of directories answer.

use serde_json::value::{RawValue, Value};

use super::{
    ReadOptions,
    columns::{Column, meanings},
    json::Object,
};

/// The fields with the people: those of Microsoft Graph, Google, SCIM, and of other APIs.
const LISTS: [&str; 8] = [
    "value",
    "users",
    "members",
    "Resources",
    "data",
    "items",
    "results",
    "people",
];

/// The fields that say that there are further pages.
const NEXT_PAGE: [&str; 5] = [
    "@odata.nextLink",
    "nextPageToken",
    "next_page_token",
    "nextLink",
    "next",
];

/// The rows of the list in an object that is no row itself; `None` for what is a row.
///
/// # Errors
///
/// The list is one page of several, or it is not known which list has the people.
pub(super) fn wrapped_rows<'a>(
    text: &'a str,
    options: &ReadOptions,
) -> Result<Option<Vec<&'a RawValue>>, String> {
    // An object that cannot be read is a problem of its row.
    let Ok(Object::<&RawValue>(fields)) = serde_json::from_str(text) else {
        return Ok(None);
    };
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    if meanings(&names, options).contains(&Column::Email) {
        return Ok(None);
    }
    let lists = fields.iter().filter(|(name, value)| {
        let is_known = LISTS.contains(&name.as_str());
        is_list(value, is_known)
    });
    let lists: Vec<_> = lists.collect();
    let known = lists
        .iter()
        .find(|(name, _)| LISTS.contains(&name.as_str()));
    let list = match (known, &lists[..]) {
        (Some((_, list)), _) => list,
        (None, []) => return Ok(None),
        (None, [(name, _), ..]) => {
            return Err(format!(
                "the object has no address, and lists in it; take out the list of people, as with `jq '.[{name:?}]'`"
            ));
        }
    };
    let rows: Vec<&RawValue> =
        serde_json::from_str(list.get()).map_err(|error| error.to_string())?;
    let is_set = |value: &RawValue| !matches!(value.get(), "null" | "\"\"" | "false");
    let next = fields
        .iter()
        .find(|(name, value)| NEXT_PAGE.contains(&name.as_str()) && is_set(value));
    if let Some((name, _)) = next {
        return Err(format!(
            "the file is one page of several, as it has {name:?}; put the people of every page into one list"
        ));
    }
    let total = fields.iter().find(|(name, _)| name == "totalResults");
    let total = total.and_then(|(_, total)| total.get().parse().ok());
    if total.is_some_and(|total: usize| total > rows.len()) {
        return Err(format!(
            "the file has {} of {} people, as \"totalResults\" says; put the people of every page into one list",
            rows.len(),
            total.unwrap_or_default()
        ));
    }
    Ok(Some(rows))
}

/// Whether a value is a list of people: any list in a field that is known, or else one that has objects only.
fn is_list(value: &RawValue, is_known: bool) -> bool {
    let items = value.get().starts_with('[').then(|| value.get());
    match items.map(serde_json::from_str) {
        Some(Ok(Value::Array(items))) => {
            is_known || (!items.is_empty() && items.iter().all(Value::is_object))
        }
        _ => false,
    }
}

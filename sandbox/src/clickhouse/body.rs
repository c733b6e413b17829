//! Reading the JSON bodies of requests.

use serde_json::{Map, Value};

use super::error;
use super::roles::{self, Role};
use crate::config::CustomRole;
use crate::email::is_email;
use crate::error::ApiError;
use crate::request::{ApiRequest, BodyError};

pub(super) fn email(body: &Map<String, Value>) -> Result<String, ApiError> {
    match body.get("email") {
        Some(Value::String(email)) if is_email(email) => Ok(email.to_lowercase()),
        Some(_) => Err(error::bad_request("'email' is not an email address")),
        None => Err(error::bad_request("'email' is required")),
    }
}

pub(super) fn json_object(request: &ApiRequest) -> Result<Map<String, Value>, ApiError> {
    request.json_object().map_err(|error| match error {
        BodyError::TooLarge => error::too_large(),
        BodyError::NotJson => error::bad_request("The body is not JSON"),
        BodyError::NotAnObject => error::bad_request("The body is not a JSON object"),
    })
}

/// The roles that a create or an update assigns, in an organisation with these custom roles; `None` if the body names
/// none.
pub(super) fn requested_roles(
    body: &Map<String, Value>,
    custom: &[CustomRole],
) -> Result<Option<Vec<Role>>, ApiError> {
    match (body.get("role"), body.get("assignedRoleIds")) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(error::bad_request(
            "'role' and 'assignedRoleIds' exclude each other",
        )),
        // The words are those of the real service.
        (Some(_), None) if !custom.is_empty() => Err(error::bad_request(
            "Use 'assignedRoleIds' instead of 'role'.",
        )),
        (Some(role), None) => role
            .as_str()
            .and_then(roles::by_legacy_name)
            .map(|role| Some(vec![role]))
            .ok_or_else(|| error::bad_request("'role' is neither 'admin' nor 'developer'")),
        (None, Some(ids)) => roles_of_ids(ids, custom).map(Some),
    }
}

fn roles_of_ids(ids: &Value, custom: &[CustomRole]) -> Result<Vec<Role>, ApiError> {
    let not_strings = || error::bad_request("'assignedRoleIds' is not an array of strings");
    let mut roles = Vec::new();
    for id in ids.as_array().ok_or_else(not_strings)? {
        let id = id.as_str().ok_or_else(not_strings)?;
        let role = roles::by_id(id, custom)
            .ok_or_else(|| error::bad_request(&format!("Unknown role id \"{id}\"")))?;
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    Ok(roles)
}

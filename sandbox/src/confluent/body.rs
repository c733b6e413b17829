//! Reading the JSON bodies of requests.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::accounts::Organization;
use super::{LOCAL, SSO, error};
use crate::email::is_email;
use crate::error::ApiError;
use crate::request::{ApiRequest, BodyError};

pub(super) fn json_object(request: &ApiRequest) -> Result<Map<String, Value>, ApiError> {
    request.json_object().map_err(|error| match error {
        BodyError::TooLarge => error::too_large(),
        BodyError::NotJson => error::bad_request("The body is not JSON"),
        BodyError::NotAnObject => error::bad_request("The body is not a JSON object"),
    })
}

pub(super) fn email(body: &Map<String, Value>) -> Result<&str, ApiError> {
    let invalid = |why| Err(error::invalid_property("/email", why));
    match body.get("email") {
        None => invalid("The property is required"),
        Some(Value::String(email)) if is_email(email) => Ok(email),
        Some(Value::String(_)) => invalid("The property is not an email address"),
        Some(_) => invalid("The property is not a string"),
    }
}

pub(super) fn auth_type(
    body: &Map<String, Value>,
    organization: &Organization,
) -> Result<Cow<'static, str>, ApiError> {
    let invalid = |why| Err(error::invalid_property("/auth_type", why));
    match body.get("auth_type") {
        None => Ok(default_auth_type(organization).into()),
        Some(Value::String(auth_type)) => match auth_type.as_str() {
            LOCAL => Ok(LOCAL.into()),
            SSO => Ok(SSO.into()),
            other if other.starts_with("AUTH_TYPE_") => Ok(other.to_owned().into()),
            _ => invalid("The property is not a known type of authentication"),
        },
        Some(_) => invalid("The property is not a string"),
    }
}

pub(super) fn default_auth_type(organization: &Organization) -> &'static str {
    if organization.sso { SSO } else { LOCAL }
}

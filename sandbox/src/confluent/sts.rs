//! The token exchange of the Security Token Service.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::wire::{self, Failure};
use crate::exchange::ApiRequest;
use crate::form::Form;
use crate::state::Shared;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const MAX_LIFETIME_SECONDS: u32 = 900;

/// Gives an access token for the token of an identity provider.
pub(super) fn exchange(shared: &Shared, request: &ApiRequest) -> Result<Response, Failure> {
    let body = request.body.as_ref().ok_or_else(Failure::too_large)?;
    if !Form::is_declared(&request.headers) {
        return Err(Failure::bad_request("The body is not a URL-encoded form"));
    }
    let form = Form::parse(body);
    expect(&form, "/grant_type", GRANT)?;
    expect(&form, "/subject_token_type", JWT)?;
    expect(&form, "/requested_token_type", ACCESS_TOKEN)?;
    let pool = require(&form, "/identity_pool_id")?;
    let Some(pool) = shared.accounts.pool(pool) else {
        let detail = "There is no such identity pool";
        return Err(Failure::invalid_field("/identity_pool_id", detail));
    };
    let wanted = lifetime(&form)?;
    let subject = require(&form, "/subject_token")?;

    let mut state = shared.lock();
    let now = state.now();
    if !state
        .tokens
        .accepts_subject(subject, pool.subject_tokens.as_deref(), now)
    {
        let detail = "The token is unknown or has expired";
        return Err(Failure::invalid_field("/subject_token", detail));
    }
    let (token, seconds) = state.tokens.issue(&pool.id, wanted, now);
    let expires_in = if state.tokens.settings().expires_in_as_text {
        Value::from(seconds.to_string())
    } else {
        Value::from(seconds)
    };
    let reply = json!({
        "access_token": token,
        "issued_token_type": ACCESS_TOKEN,
        "token_type": "Bearer",
        "expires_in": expires_in,
    });
    let headers = [(header::CACHE_CONTROL, "no-store")];
    Ok((headers, wire::json(StatusCode::OK, &reply)).into_response())
}

fn lifetime(form: &Form) -> Result<u32, Failure> {
    let Some(text) = form.get("expires_in") else {
        return Ok(MAX_LIFETIME_SECONDS);
    };
    text.parse()
        .ok()
        .filter(|seconds| (1..=MAX_LIFETIME_SECONDS).contains(seconds))
        .ok_or_else(|| {
            let detail =
                format!("The lifetime is not a whole number from 1 to {MAX_LIFETIME_SECONDS}");
            Failure::invalid_field("/expires_in", &detail)
        })
}

fn expect(form: &Form, pointer: &'static str, value: &str) -> Result<(), Failure> {
    if require(form, pointer)? == value {
        return Ok(());
    }
    let detail = format!("The field is not {value}");
    Err(Failure::invalid_field(pointer, &detail))
}

fn require<'a>(form: &'a Form, pointer: &'static str) -> Result<&'a str, Failure> {
    form.get(pointer.trim_start_matches('/'))
        .filter(|value| !value.is_empty())
        .ok_or_else(|| Failure::invalid_field(pointer, "The field is required"))
}

//! The token exchange of the Security Token Service.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::accounts::find_pool;
use super::{Confluent, error, wire};
use crate::error::ApiError;
use crate::form::Form;
use crate::request::ApiRequest;
use crate::state::State;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const MAX_LIFETIME_SECONDS: u32 = 900;

impl Confluent {
    /// Exchanges the token of an identity provider for an access token.
    pub(super) fn exchange_token(
        &mut self,
        state: &State,
        request: &ApiRequest,
    ) -> Result<Response, ApiError> {
        let body = request.body.as_ref().ok_or_else(error::too_large)?;
        if !Form::is_declared(&request.headers) {
            return Err(error::bad_request("The body is not a URL-encoded form"));
        }
        let form = Form::parse(body);
        expect(&form, "/grant_type", GRANT)?;
        expect(&form, "/subject_token_type", JWT)?;
        expect(&form, "/requested_token_type", ACCESS_TOKEN)?;
        let pool = require(&form, "/identity_pool_id")?;
        let Some(pool) = find_pool(&self.organizations, pool) else {
            let detail = "The identity pool does not exist";
            return Err(error::invalid_field("/identity_pool_id", detail));
        };
        let lifetime = lifetime(&form)?;
        let subject_token = require(&form, "/subject_token")?;
        let of_pool = pool.subject_tokens.as_deref();
        let now = state.now();
        if !self
            .tokens
            .accepts_subject_token(subject_token, of_pool, now)
        {
            let detail = "The token is unknown or has expired";
            return Err(error::invalid_field("/subject_token", detail));
        }
        let (token, seconds) = self.tokens.issue_access_token(&pool.id, lifetime, now);
        state.ledger.touch();
        let expires_in = if self.tokens.settings().expires_in_as_text {
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
}

fn lifetime(form: &Form) -> Result<u32, ApiError> {
    let Some(text) = form.get("expires_in") else {
        return Ok(MAX_LIFETIME_SECONDS);
    };
    text.parse()
        .ok()
        .filter(|seconds| (1..=MAX_LIFETIME_SECONDS).contains(seconds))
        .ok_or_else(|| {
            let detail =
                format!("The lifetime is not a whole number from 1 to {MAX_LIFETIME_SECONDS}");
            error::invalid_field("/expires_in", detail)
        })
}

fn expect(form: &Form, pointer: &'static str, value: &str) -> Result<(), ApiError> {
    if require(form, pointer)? == value {
        return Ok(());
    }
    let detail = format!("The field is not {value}");
    Err(error::invalid_field(pointer, detail))
}

fn require<'a>(form: &'a Form, pointer: &'static str) -> Result<&'a str, ApiError> {
    form.get(pointer.trim_start_matches('/'))
        .filter(|value| !value.is_empty())
        .ok_or_else(|| error::invalid_field(pointer, "The field is required"))
}

//! An identity provider for tests: OAuth 2.0's client-credentials grant (RFC 6749, section 4.4).

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::AppState;
use crate::auth::PresentedCredentials;
use crate::confluent::SUBJECT_TOKEN_LIFETIME_SECONDS;
use crate::form::{self, Form};

/// Issues a token.
pub(crate) async fn token(
    State(app): State<Arc<AppState>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !Form::is_declared(&headers) {
        return error(StatusCode::BAD_REQUEST, "invalid_request");
    }
    let fields = Form::parse(&body);
    let client = app.credentials.idp();
    let known = match PresentedCredentials::from_headers(&headers) {
        // OAuth encodes both before joining them, which not every client does.
        PresentedCredentials::Basic { key, secret } => {
            [key.clone(), form::decode(&key)].contains(&client.client_id)
                && [secret.clone(), form::decode(&secret)].contains(&client.client_secret)
        }
        PresentedCredentials::Bearer(_) => false,
        PresentedCredentials::Missing => {
            fields.get("client_id") == Some(&client.client_id)
                && fields.get("client_secret") == Some(&client.client_secret)
        }
    };
    if !known {
        let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"sandbox\"")];
        let error = error(StatusCode::UNAUTHORIZED, "invalid_client");
        return (challenge, error).into_response();
    }
    match fields.get("grant_type") {
        Some("client_credentials") => {}
        Some(_) => return error(StatusCode::BAD_REQUEST, "unsupported_grant_type"),
        None => return error(StatusCode::BAD_REQUEST, "invalid_request"),
    }
    let mut apis = app.lock();
    let now = apis.state.now();
    let tokens = &mut apis.confluent.tokens;
    let token = tokens.issue_subject_token(&client.client_id, now);
    apis.state.ledger.touch();
    let reply = json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": SUBJECT_TOKEN_LIFETIME_SECONDS,
    });
    ([(header::CACHE_CONTROL, "no-store")], Json(reply)).into_response()
}

fn error(status: StatusCode, code: &str) -> Response {
    (status, Json(json!({ "error": code }))).into_response()
}

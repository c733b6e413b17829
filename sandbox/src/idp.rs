//! An identity provider for tests: OAuth 2.0's client-credentials grant (RFC 6749, section 4.4).

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::auth::PresentedCredentials;
use crate::form::{self, Form};
use crate::state::Shared;
use crate::tokens::SUBJECT_LIFETIME_SECONDS;

/// Answers a request for a token.
pub(crate) async fn token(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !Form::is_declared(&headers) {
        return refusal(StatusCode::BAD_REQUEST, "invalid_request");
    }
    let fields = Form::parse(&body);
    let client = shared.credentials.idp();
    let known = match PresentedCredentials::in_headers(&headers) {
        // OAuth has both encoded before they are joined; not every client does it.
        PresentedCredentials::Basic { key, secret } => {
            [key.clone(), form::decode(&key)].contains(&client.client_id)
                && [secret.clone(), form::decode(&secret)].contains(&client.client_secret)
        }
        PresentedCredentials::Bearer(_) => false,
        PresentedCredentials::Nothing => {
            fields.get("client_id") == Some(&client.client_id)
                && fields.get("client_secret") == Some(&client.client_secret)
        }
    };
    if !known {
        let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"sandbox\"")];
        let refusal = refusal(StatusCode::UNAUTHORIZED, "invalid_client");
        return (challenge, refusal).into_response();
    }
    match fields.get("grant_type") {
        Some("client_credentials") => {}
        Some(_) => return refusal(StatusCode::BAD_REQUEST, "unsupported_grant_type"),
        None => return refusal(StatusCode::BAD_REQUEST, "invalid_request"),
    }
    let mut state = shared.lock();
    let now = state.now();
    let token = state.tokens.issue_subject(&client.client_id, now);
    let reply = json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": SUBJECT_LIFETIME_SECONDS,
    });
    ([(header::CACHE_CONTROL, "no-store")], Json(reply)).into_response()
}

fn refusal(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

//! Tokens in the shape of a JWT.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use uuid::Uuid;

/// A token with these claims and random bytes in place of a signature: unique, and not verifiable.
pub(crate) fn unsigned(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(&json!({ "alg": "HS256", "typ": "JWT" }));
    let mut signature = [0; 32];
    let (upper, lower) = signature.split_at_mut(16);
    upper.copy_from_slice(Uuid::new_v4().as_bytes());
    lower.copy_from_slice(Uuid::new_v4().as_bytes());
    format!(
        "{header}.{}.{}",
        part(claims),
        URL_SAFE_NO_PAD.encode(signature)
    )
}

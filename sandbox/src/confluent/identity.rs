//! Whose credentials a request carries.

use axum::http::HeaderMap;

use super::wire::Failure;
use crate::accounts::Caller;
use crate::auth::PresentedCredentials;
use crate::state::{Shared, State};
use crate::tokens::Found;

/// On whose behalf a request comes.
pub(super) fn caller(
    shared: &Shared,
    state: &State,
    headers: &HeaderMap,
) -> Result<Caller, Failure> {
    identify(shared, state, headers).map(|(caller, _)| caller.clone())
}

/// What the requests with these credentials are counted under; `None` for credentials that are not good.
pub(crate) fn credential(shared: &Shared, state: &State, headers: &HeaderMap) -> Option<String> {
    identify(shared, state, headers)
        .ok()
        .map(|(_, (kind, name))| format!("{kind} {name}"))
}

/// A credential's kind, and a name that is not secret.
type Name<'a> = (&'static str, &'a str);

fn identify<'a>(
    shared: &'a Shared,
    state: &State,
    headers: &HeaderMap,
) -> Result<(&'a Caller, Name<'a>), Failure> {
    let presented = PresentedCredentials::in_headers(headers);
    let mut keys = shared.accounts.confluent.iter().flat_map(|org| &org.keys);
    match &presented {
        PresentedCredentials::Nothing => {}
        PresentedCredentials::Basic { key, secret } => {
            let found = keys.find(|it| it.api_key == *key && it.api_secret == *secret);
            if let Some(found) = found {
                return Ok((&found.caller, ("key", &found.api_key)));
            }
        }
        PresentedCredentials::Bearer(token) => {
            let found = keys.find(|it| it.access_token.as_ref() == Some(token));
            if let Some(found) = found {
                return Ok((&found.caller, ("token of", &found.api_key)));
            }
            match state.tokens.find(token, state.now()) {
                Found::Good(pool) => {
                    if let Some(found) = shared.accounts.pool(pool) {
                        return Ok((&found.caller, ("pool", &found.id)));
                    }
                }
                Found::Expired => return Err(Failure::expired()),
                Found::Unknown => {}
            }
        }
    }
    Err(Failure::unauthenticated(&presented))
}

//! What failures of WorkOS look like: `{code, message}`, and a 404 with a message alone.

use org_invitations::{
    Error, ErrorKind,
    kit::{Failure, Rejection},
};

/// The code of a withdrawal that comes too late.
const NOT_PENDING: &str = "invite_not_pending";

/// Whether a withdrawal came too late.
pub(crate) fn is_not_pending(error: &Error) -> bool {
    error.code() == Some(NOT_PENDING)
}

/// Reads a failure.
pub(crate) fn failure(rejection: &Rejection<'_>) -> Option<Failure> {
    let message = rejection.body["message"].as_str()?;
    let Some(code) = rejection.body["code"].as_str() else {
        // A framework's answer to an unknown URL has a message too, but names no id.
        let is_own = rejection.status != 404 || message.contains(" not found: '");
        return is_own.then(|| Failure::new(message));
    };
    let failure = Failure::new(message).code(code);
    Some(match code {
        "email_already_invited" | "email_already_invited_to_organization" => {
            failure.kind(ErrorKind::AlreadyExists)
        }
        "user_already_exists" | "user_already_organization_member" => failure.already_a_member(),
        _ => failure,
    })
}

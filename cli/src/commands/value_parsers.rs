//! Parsers for the statuses and auth types that people type.

use org_invitations::{AuthType, InvitationStatus};

use crate::suggest::did_you_mean;

/// The known statuses.
pub(super) const STATUSES: [&str; 5] = ["sent", "staged", "accepted", "expired", "deactivated"];
/// The known auth types.
pub(super) const AUTH_TYPES: [&str; 2] = ["local", "sso"];

/// Parses a status in any case. An unknown one is passed on with a warning, since it may be newer than this command.
pub(super) fn status(word: &str) -> InvitationStatus {
    match InvitationStatus::from(word.to_lowercase().as_str()) {
        InvitationStatus::Other(_) => {
            warn("status", word, &STATUSES);
            InvitationStatus::from(word)
        }
        known => known,
    }
}

/// Parses an auth type in the same way.
pub(super) fn auth_type(word: &str) -> AuthType {
    match AuthType::from(word.to_lowercase().as_str()) {
        AuthType::Other(_) => {
            warn("login", word, &AUTH_TYPES);
            AuthType::from(word)
        }
        known => known,
    }
}

fn warn(what: &str, word: &str, known: &[&str]) {
    let guess = did_you_mean(word, known.iter().copied());
    let known = known.join(", ");
    eprintln!("warning: unknown {what} `{word}`; the known ones are {known}{guess}");
}

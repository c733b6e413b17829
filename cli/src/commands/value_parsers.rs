//! Words for statuses and ways to log in, as people type them.

use org_invitations::{AuthType, InvitationStatus};

use crate::suggest::did_you_mean;

const STATUSES: [&str; 5] = ["sent", "staged", "accepted", "expired", "deactivated"];
const AUTH_TYPES: [&str; 2] = ["local", "sso"];

/// A known word in any case, or what was written, with a warning: it may be newer than this command.
pub(super) fn status(word: &str) -> InvitationStatus {
    match InvitationStatus::from(word.to_lowercase().as_str()) {
        InvitationStatus::Other(_) => {
            warn("status", word, &STATUSES);
            InvitationStatus::from(word)
        }
        known => known,
    }
}

/// The same for how an invitee logs in.
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
    eprintln!("warning: no {what} `{word}` is known, only {known}{guess}");
}

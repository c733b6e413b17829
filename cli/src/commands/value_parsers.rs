//! Parsers for the statuses and auth types that people type.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
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

/// Parses a time: a date, a date and time of RFC 3339, or a duration before now.
pub(super) fn time(word: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(date) = word.parse::<NaiveDate>() {
        return Ok(date.and_time(NaiveTime::MIN).and_utc());
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(word) {
        return Ok(time.to_utc());
    }
    let duration = humantime::parse_duration(word).ok();
    let duration = duration.and_then(|duration| TimeDelta::from_std(duration).ok());
    duration
        .and_then(|duration| Utc::now().checked_sub_signed(duration))
        .ok_or_else(|| {
            "expected a date such as 2026-10-31, a time of RFC 3339, or a duration such as 30d"
                .to_owned()
        })
}

fn warn(what: &str, word: &str, known: &[&str]) {
    let guess = did_you_mean(word, known.iter().copied());
    let known = known.join(", ");
    eprintln!("warning: unknown {what} `{word}`; the known ones are {known}{guess}");
}

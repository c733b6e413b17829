//! Limits the people at risk: renewals run one at a time until one with the same options succeeded.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
};

use crate::{
    error::Error,
    invitation::{NewInvitation, Roles},
    lock::lock,
};

/// The shared state of the renewals of one run.
#[derive(Debug, Default)]
pub(super) struct RenewalGate {
    /// Held while a renewal with unproven options runs.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Whether the provider accepts these options, if known.
    options: HashMap<String, Result<(), String>>,
    /// The address of a person who lost the invitation.
    lost: Option<String>,
    /// Why a create of the run was refused, if it would be for everybody.
    refused: Option<String>,
    /// Whether a create of the run succeeded.
    has_created: bool,
}

/// Whether a renewal may start.
#[derive(Debug)]
pub(super) enum Permit<'a> {
    /// The renewal may start. Others wait while the guard is held.
    Granted {
        _turn: Option<tokio::sync::MutexGuard<'a, ()>>,
    },
    /// No renewal may start: a person was lost.
    Closed,
    /// No renewal with these options may start: the provider rejected them.
    Rejected(String),
}

impl RenewalGate {
    /// Waits until this renewal may start.
    pub async fn enter(&self, new: &NewInvitation) -> Permit<'_> {
        let key = key(new);
        let turn = match self.permit(&key) {
            Some(permit) => return permit,
            None => self.turn.lock().await,
        };
        // The renewal before may have decided it.
        self.permit(&key)
            .unwrap_or(Permit::Granted { _turn: Some(turn) })
    }

    fn permit(&self, key: &str) -> Option<Permit<'_>> {
        let state = self.state();
        if state.lost.is_some() {
            return Some(Permit::Closed);
        }
        if let Some(why) = state.refused.as_ref().filter(|_| !state.has_created) {
            return Some(Permit::Rejected(why.clone()));
        }
        Some(match state.options.get(key)? {
            Ok(()) => Permit::Granted { _turn: None },
            Err(why) => Permit::Rejected(why.clone()),
        })
    }

    /// Records that a renewal with these options succeeded.
    pub fn succeeded(&self, new: &NewInvitation) {
        self.state().options.insert(key(new), Ok(()));
    }

    /// Records that the provider rejected these options, and nobody was lost.
    pub fn rejected(&self, new: &NewInvitation, error: &Error) {
        let why = format!("the provider refused the same for {}: {error}", new.email);
        self.state().options.insert(key(new), Err(why));
    }

    /// Records that the provider refused to create, and would for everybody: whoever is withdrawn could not be invited
    /// again.
    pub fn refused(&self, email: &str, error: &Error) {
        let why =
            format!("the provider refused to invite {email}, so nobody is withdrawn: {error}");
        self.state().refused.get_or_insert(why);
    }

    /// Records that the provider creates.
    pub fn created(&self) {
        self.state().has_created = true;
    }

    /// Records that a person lost the invitation.
    pub fn lost(&self, email: &str) {
        self.state().lost.get_or_insert_with(|| email.to_owned());
    }

    /// The address of a person who lost the invitation.
    pub fn lost_person(&self) -> Option<String> {
        self.state().lost.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// The options of an invitation as a map key.
fn key(new: &NewInvitation) -> String {
    let mut roles = new.roles.clone();
    if let Some(Roles::Grants(grants)) = &mut roles {
        grants.sort();
    }
    format!("{:?} {roles:?}", new.auth_type)
}

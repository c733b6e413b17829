//! One person at risk at a time: renewals wait for one another until one with the same options succeeded.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    error::Error,
    invitation::{NewInvitation, Roles},
};

/// What the renewals of one run know of each other.
#[derive(Debug, Default)]
pub(super) struct RenewalGate {
    /// Held while a renewal with options runs that no renewal succeeded with.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Whether the provider takes these options, once it is known.
    options: HashMap<String, Result<(), String>>,
    /// Who is not invited any more.
    lost: Option<String>,
}

/// Whether a renewal may begin.
#[derive(Debug)]
pub(super) enum Permit<'a> {
    /// Now. Others wait as long as the turn is held.
    Granted {
        _turn: Option<tokio::sync::MutexGuard<'a, ()>>,
    },
    /// Never: somebody was lost.
    Closed,
    /// Never: the provider refused these options before.
    Refused(String),
}

impl RenewalGate {
    /// Waits until this renewal may begin.
    pub async fn enter(&self, new: &NewInvitation) -> Permit<'_> {
        let key = key(new);
        let turn = match self.known(&key) {
            Some(permit) => return permit,
            None => self.turn.lock().await,
        };
        // It may have become known meanwhile.
        self.known(&key)
            .unwrap_or(Permit::Granted { _turn: Some(turn) })
    }

    fn known(&self, key: &str) -> Option<Permit<'_>> {
        let state = self.state();
        if state.lost.is_some() {
            return Some(Permit::Closed);
        }
        Some(match state.options.get(key)? {
            Ok(()) => Permit::Granted { _turn: None },
            Err(why) => Permit::Refused(why.clone()),
        })
    }

    /// A renewal with these options succeeded.
    pub fn succeeded(&self, new: &NewInvitation) {
        self.state().options.insert(key(new), Ok(()));
    }

    /// The provider refused these options; nobody is lost.
    pub fn refused(&self, new: &NewInvitation, error: &Error) {
        let why = format!("the provider refused the same for {}: {error}", new.email);
        self.state().options.insert(key(new), Err(why));
    }

    /// A person is not invited any more.
    pub fn lost(&self, email: &str) {
        self.state().lost.get_or_insert_with(|| email.to_owned());
    }

    /// Who is not invited any more.
    pub fn who_is_lost(&self) -> Option<String> {
        self.state().lost.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The options of an invitation, without its address.
fn key(new: &NewInvitation) -> String {
    let mut roles = new.roles.clone();
    if let Some(Roles::Grants(grants)) = &mut roles {
        grants.sort();
    }
    format!("{:?} {roles:?}", new.auth_type)
}

//! The state behind both APIs: who may call, which invitations there are, what happened.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::accounts::Accounts;
use crate::clock::Clock;
use crate::config::{Config, CustomRole};
use crate::faults::{FaultSchedule, Faults, LogicalTime};
use crate::invitations::Invitations;
use crate::ledger::Change;
use crate::ledger::Recorder;
use crate::limits::Limiter;
use crate::listener::Outage;
use crate::quota::Quotas;
use crate::snapshot::InvitationSnapshot;
use crate::tokens::TokenStore;
use crate::{Credentials, clickhouse, confluent};

/// One of the two emulated APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Provider {
    /// Confluent Cloud, IAM v2.
    Confluent,
    /// ClickHouse Cloud, v1.
    ClickHouse,
}

/// Why an invitation cannot be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcceptError {
    /// Nobody with this address is invited.
    NotInvited,
    /// The invitation is staged: the invitee knows nothing of it yet.
    NotSent,
    /// The invitation was accepted before.
    AlreadyAccepted,
    /// The invitation has expired.
    Expired,
}

impl fmt::Display for AcceptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotInvited => "nobody with this address is invited",
            Self::NotSent => "the invitation is staged and was not sent yet",
            Self::AlreadyAccepted => "the invitation was accepted before",
            Self::Expired => "the invitation has expired",
        })
    }
}

impl std::error::Error for AcceptError {}

/// What every request handler sees.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Base URL of the server, without a trailing slash.
    pub(crate) url: String,
    pub(crate) credentials: Credentials,
    pub(crate) accounts: Accounts,
    pub(crate) outage: Arc<Outage>,
    /// As the sandbox started, to be reset to.
    config: Config,
    state: Mutex<State>,
}

/// What changes while the sandbox runs. Organisations go by their position in the accounts.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) confluent: Vec<Invitations<confluent::Details>>,
    pub(crate) clickhouse: Vec<Invitations<clickhouse::Details>>,
    /// Of each organisation on ClickHouse.
    pub(crate) custom_roles: Vec<Vec<CustomRole>>,
    pub(crate) ledger: Recorder,
    pub(crate) faults: FaultSchedule,
    pub(crate) limits: Limiter,
    pub(crate) quotas: Quotas,
    pub(crate) tokens: TokenStore,
    pub(crate) clock: Clock,
    /// How many times all this was reset: what was begun in an generation before has no part in this one.
    pub(crate) generation: u64,
}

impl Shared {
    /// The state that a configuration describes.
    ///
    /// # Errors
    ///
    /// What of it cannot be, in a sentence.
    pub(crate) fn new(mut credentials: Credentials, config: Config) -> Result<Self, String> {
        if let Some(problem) = config.faults.problem() {
            return Err(problem);
        }
        let accounts = Accounts::new(&config, &mut credentials)?;
        let ledger = Recorder::new(config.ledger_limit);
        let state = State::new(&config, &accounts, &credentials, ledger, 0);
        Ok(Self {
            url: credentials.url.clone(),
            credentials,
            accounts,
            outage: Arc::default(),
            config,
            state: Mutex::new(state),
        })
    }

    /// Locks the state. Hold the guard for the whole of an operation, so that it is atomic.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets everything that happened and was set since the start.
    pub(crate) fn reset(&self) {
        let mut state = self.lock();
        let (ledger, generation) = (state.ledger.cleared(), state.generation + 1);
        *state = State::new(
            &self.config,
            &self.accounts,
            &self.credentials,
            ledger,
            generation,
        );
    }

    /// Sets the custom roles of the first organisation on ClickHouse.
    ///
    /// # Errors
    ///
    /// Why they cannot be told apart, in a sentence.
    pub(crate) fn set_custom_roles(&self, roles: Vec<CustomRole>) -> Result<(), String> {
        clickhouse::roles::check(&roles)?;
        if let Some(first) = self.lock().custom_roles.first_mut() {
            *first = roles;
        }
        Ok(())
    }

    /// All invitations, Confluent's first, each organisation's in order of creation.
    pub(crate) fn invitations(&self) -> Vec<InvitationSnapshot> {
        let state = self.lock();
        let now = state.now();
        let Accounts {
            confluent,
            clickhouse,
        } = &self.accounts;
        let mut all = Vec::new();
        for (organization, invitations) in confluent.iter().zip(&state.confluent) {
            all.extend(invitations.after(0).map(|invitation| {
                InvitationSnapshot::new(Provider::Confluent, &organization.id, invitation, now)
            }));
        }
        for (organization, invitations) in clickhouse.iter().zip(&state.clickhouse) {
            all.extend(invitations.after(0).map(|invitation| {
                InvitationSnapshot::new(Provider::ClickHouse, &organization.id, invitation, now)
            }));
        }
        all
    }
}

impl State {
    fn new(
        config: &Config,
        accounts: &Accounts,
        credentials: &Credentials,
        ledger: Recorder,
        generation: u64,
    ) -> Self {
        let mut tokens = TokenStore::new(credentials.subject_token().to_owned());
        tokens.set(config.sts.clone());
        let mut limits = Limiter::default();
        limits.set(config.limits.clone());
        let clickhouse = &accounts.clickhouse;
        let mut state = Self {
            confluent: accounts
                .confluent
                .iter()
                .map(|_| Invitations::default())
                .collect(),
            clickhouse: clickhouse.iter().map(|_| Invitations::default()).collect(),
            custom_roles: clickhouse
                .iter()
                .map(|it| it.custom_roles.clone())
                .collect(),
            ledger,
            faults: FaultSchedule::default(),
            limits,
            quotas: config.quota.clone(),
            tokens,
            clock: Clock::default(),
            generation,
        };
        let now = state.now();
        confluent::seed(&mut state.confluent, accounts, config.seed, now);
        clickhouse::seed(&mut state, config.seed, now);
        state.set_faults(config.faults.clone());
        state
    }

    /// The sandbox's time, in the microseconds that travel on the wire.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The present, as lags are measured.
    pub(crate) fn logical_time(&self) -> LogicalTime {
        LogicalTime {
            elapsed: self.clock.elapsed(),
            requests: self.ledger.received_count(),
        }
    }

    pub(crate) fn set_faults(&mut self, faults: Faults) {
        self.clock.set_skew(faults.clock_skew_seconds);
        self.faults = FaultSchedule::new(faults);
    }

    /// Accepts the open invitation of `email`, as the invitee would, and returns its id. With several
    /// organisations it is that of the first one that has one.
    pub(crate) fn accept(
        &mut self,
        provider: Provider,
        email: &str,
    ) -> Result<String, AcceptError> {
        let now = self.now();
        let (id, email) = match provider {
            Provider::Confluent => accept_first(&mut self.confluent, email, now)?,
            Provider::ClickHouse => accept_first(&mut self.clickhouse, email, now)?,
        };
        self.ledger
            .commit(provider, Change::Accept, &id, &email, None);
        Ok(id)
    }
}

fn accept_first<D>(
    organizations: &mut [Invitations<D>],
    email: &str,
    now: DateTime<Utc>,
) -> Result<(String, String), AcceptError> {
    let mut why_not = AcceptError::NotInvited;
    for invitations in organizations {
        match invitations.accept(email, now) {
            Ok(accepted) => return Ok(accepted),
            Err(AcceptError::NotInvited) => {}
            Err(other) => why_not = other,
        }
    }
    Err(why_not)
}

/// `length` random digits and lower-case letters, 12 at most.
pub(crate) fn random_suffix(length: usize) -> String {
    const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    // The low 62 bits of a version 4 uuid are all random: enough for 11 of 36, and nearly for 12.
    let mut bits = Uuid::new_v4().as_u128() as u64 & (u64::MAX >> 2);
    let mut text = String::with_capacity(length);
    for _ in 0..length {
        text.push(char::from(ALPHABET[(bits % 36) as usize]));
        bits /= 36;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_suffixes_have_the_length_asked_for() {
        for length in [1, 6, 12] {
            assert_eq!(random_suffix(length).len(), length);
        }
        assert_ne!(random_suffix(12), random_suffix(12));
    }
}

//! Both emulated APIs, and the state that they share.

use axum::response::Response;

use super::route::Route;
use crate::clickhouse::ClickHouse;
use crate::config::{Config, ConfluentKey, StsSettings};
use crate::confluent::Confluent;
use crate::credentials::Credentials;
use crate::html;
use crate::invitations::AcceptError;
use crate::ledger::Change;
use crate::limits::{self, Allowance};
use crate::provider::Provider;
use crate::request::ApiRequest;
use crate::snapshot::{InvitationSnapshot, MemberSnapshot, OrganizationSnapshot};
use crate::state::State;
use crate::state_file::SavedState;

/// Both emulated APIs, and the state that they share.
#[derive(Debug)]
pub(crate) struct Apis {
    pub(crate) confluent: Confluent,
    pub(crate) clickhouse: ClickHouse,
    pub(crate) state: State,
}

impl Apis {
    /// The APIs that a configuration describes. The credentials get the id of the first organisation on ClickHouse.
    ///
    /// # Errors
    ///
    /// The configuration of the organisations is invalid.
    pub(super) fn new(config: &Config, credentials: &mut Credentials) -> Result<Self, String> {
        let mut apis = Self {
            confluent: Confluent::new(config, credentials)?,
            clickhouse: ClickHouse::new(config, credentials)?,
            state: State::new(config),
        };
        apis.hide_secrets(credentials);
        apis.fill(config);
        Ok(apis)
    }

    /// The APIs as another process left them.
    pub(super) fn continue_from(
        saved: SavedState,
        config: &Config,
        credentials: &Credentials,
    ) -> Self {
        let mut apis = Self {
            state: State::continue_from(config, &saved),
            confluent: saved.confluent.at(&credentials.url),
            clickhouse: saved.clickhouse,
        };
        apis.hide_secrets(credentials);
        apis
    }

    /// Keeps every secret out of the ledger.
    fn hide_secrets(&mut self, credentials: &Credentials) {
        let ledger = &mut self.state.ledger;
        let secrets = credentials.secrets().into_iter();
        secrets
            .chain(self.confluent.secrets())
            .chain(self.clickhouse.secrets())
            .for_each(|secret| ledger.hide(secret));
    }

    /// Goes back to the state at the start.
    pub(super) fn reset(&mut self, config: &Config) {
        self.state = self.state.reset(config);
        self.fill(config);
    }

    /// Adds the configured people before any fault, a skewed clock above all, takes effect.
    fn fill(&mut self, config: &Config) {
        let now = self.state.now();
        self.confluent.reset(config, now);
        self.clickhouse.reset(config, now);
        let ledger = &mut self.state.ledger;
        sts_secrets(&config.sts).for_each(|token| ledger.hide(token));
        self.state.set_faults(config.faults.clone());
    }

    /// Carries out a request if the rate limit of its credentials allows.
    pub(super) fn handle(&mut self, route: &Route, request: &ApiRequest) -> Response {
        let Some((provider, allowance)) = self.count(route, request) else {
            return self.dispatch(route, request);
        };
        let mut response = if allowance.is_granted() {
            self.dispatch(route, request)
        } else {
            route.too_many_requests(&request.request_id)
        };
        limits::set_headers(&mut response, provider, &allowance);
        response
    }

    /// Counts a request against a rate limit; `None` if there is no limit, or no credential to count it for.
    fn count(&mut self, route: &Route, request: &ApiRequest) -> Option<(Provider, Allowance)> {
        let provider = route.provider()?;
        let State { clock, limits, .. } = &mut self.state;
        if !limits.applies_to(provider) {
            return None;
        }
        let headers = &request.headers;
        let key = match provider {
            Provider::Confluent => self.confluent.rate_limit_key(headers, clock.now())?,
            Provider::ClickHouse => self.clickhouse.rate_limit_key(headers)?,
        };
        let allowance = limits.acquire(provider, key, clock.elapsed())?;
        Some((provider, allowance))
    }

    fn dispatch(&mut self, route: &Route, request: &ApiRequest) -> Response {
        let state = &mut self.state;
        match route {
            Route::Confluent(route) => self.confluent.handle(state, route, request),
            Route::ClickHouse(route) => self.clickhouse.handle(state, route, request),
            Route::Unknown => html::not_found_page(),
        }
    }

    /// Accepts the open invitation of an address, as the invitee would, and returns its id. With several organisations
    /// it is the first one's that has one, unless one is named.
    pub(crate) fn accept(
        &mut self,
        provider: Provider,
        organization: Option<&str>,
        email: &str,
    ) -> Result<String, AcceptError> {
        let now = self.state.now();
        let (id, email) = match provider {
            Provider::Confluent => self.confluent.accept(organization, email, now)?,
            Provider::ClickHouse => self.clickhouse.accept(organization, email, now)?,
        };
        let ledger = &mut self.state.ledger;
        ledger.commit(provider, Change::Accept, &id, &email, None);
        Ok(id)
    }

    /// Gives the first organisation on Confluent a further API key.
    ///
    /// # Errors
    ///
    /// A key or token of this name is there already.
    pub(crate) fn add_key(&mut self, key: ConfluentKey) -> Result<(), String> {
        let ledger = &mut self.state.ledger;
        ledger.hide(&key.api_secret);
        key.access_token.iter().for_each(|token| ledger.hide(token));
        self.confluent.add_key(key, self.state.now())
    }

    /// Sets the settings of Confluent's token exchange.
    pub(crate) fn set_sts(&mut self, settings: StsSettings) {
        let ledger = &mut self.state.ledger;
        sts_secrets(&settings).for_each(|token| ledger.hide(token));
        self.confluent.tokens.set(settings);
    }

    /// All organisations, Confluent's first.
    pub(crate) fn organization_snapshots(&self) -> Vec<OrganizationSnapshot> {
        let confluent = self.confluent.organization_snapshots();
        confluent
            .chain(self.clickhouse.organization_snapshots())
            .collect()
    }

    /// All invitations, Confluent's first, each organisation's in order of creation.
    pub(crate) fn snapshots(&self) -> Vec<InvitationSnapshot> {
        let now = self.state.now();
        let confluent = self.confluent.snapshots(now);
        confluent.chain(self.clickhouse.snapshots(now)).collect()
    }

    /// All members, Confluent's first, each organisation's in order of joining.
    pub(crate) fn member_snapshots(&self) -> Vec<MemberSnapshot> {
        let confluent = self.confluent.member_snapshots();
        confluent
            .chain(self.clickhouse.member_snapshots())
            .collect()
    }
}

fn sts_secrets(settings: &StsSettings) -> impl Iterator<Item = &str> {
    let tokens = settings.subject_tokens.iter().flatten();
    tokens.map(String::as_str)
}

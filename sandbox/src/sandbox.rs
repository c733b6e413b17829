//! Starting and stopping a sandbox.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::config::{Config, ConfluentKey, CustomRole, Quotas, StsSettings};
use crate::credentials::Credentials;
use crate::faults::Faults;
use crate::invitations::AcceptError;
use crate::ledger::Ledger;
use crate::limits::Limits;
use crate::provider::Provider;
use crate::server::{self, Apis, AppState};
use crate::snapshot::{ApiKeySnapshot, InvitationSnapshot, MemberSnapshot, RoleBindingSnapshot};
use crate::state_file::StateFile;

/// A running server with both vendors' APIs for invitations, members and roles.
///
/// A sandbox runs on the Tokio runtime that started it, keeps everything in memory, shares nothing with other
/// sandboxes, and stops when dropped.
#[derive(Debug)]
pub struct Sandbox {
    app: Arc<AppState>,
    server: JoinHandle<io::Result<()>>,
    // Dropping the sender stops the server.
    stop: oneshot::Sender<()>,
}

/// Builds a [`Sandbox`].
#[derive(Clone, Debug)]
#[must_use]
pub struct SandboxBuilder {
    listen: SocketAddr,
    allow_remote: bool,
    allowed_hosts: Vec<String>,
    state_file: Option<PathBuf>,
    credentials: Credentials,
    config: Config,
}

impl Sandbox {
    /// Creates a builder with the defaults: a free loopback port and random credentials.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            allow_remote: false,
            allowed_hosts: Vec::new(),
            state_file: None,
            credentials: Credentials::random(),
            config: Config::default(),
        }
    }

    /// Starts a sandbox with the defaults.
    ///
    /// # Errors
    ///
    /// Those of [`SandboxBuilder::start`].
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// The base URL of both APIs, such as `http://127.0.0.1:40123`, without a trailing slash.
    pub fn url(&self) -> &str {
        &self.app.credentials.url
    }

    /// The credentials that the sandbox accepts.
    pub fn credentials(&self) -> &Credentials {
        &self.app.credentials
    }

    /// A copy of the ledger, as `GET /_sandbox/ledger` answers it.
    pub fn ledger(&self) -> Ledger {
        self.app.lock().state.ledger.after(0, usize::MAX)
    }

    /// Accepts the open invitation of `email`, as the invitee would, and returns its id.
    /// `POST /_sandbox/accept` does the same.
    ///
    /// On Confluent the invitation stays and reads `INVITE_STATUS_ACCEPTED`; on ClickHouse it is no longer shown. On
    /// both, the invitee is a member from then on, and another create for the address is answered with 409.
    ///
    /// # Errors
    ///
    /// No invitation has this address, or it was not sent yet, was accepted before, or has expired.
    pub fn accept(&self, provider: Provider, email: &str) -> Result<String, AcceptError> {
        self.app.lock().accept(provider, None, email)
    }

    /// Sets the faults to inject, in place of those set before. `PUT /_sandbox/faults` does the same, and `DELETE`
    /// removes them.
    ///
    /// A number that is out of range counts as the nearest valid one; over HTTP it is answered with 422.
    pub fn set_faults(&self, faults: Faults) {
        self.app.change(|apis| apis.state.set_faults(faults));
    }

    /// The faults that have not happened yet, without the rules that are used up. `GET /_sandbox/faults` answers the
    /// same.
    pub fn faults(&self) -> Faults {
        self.app.lock().state.faults.remaining()
    }

    /// Refuses every connection for this long, and closes open ones once their pending answers are sent.
    /// `POST /_sandbox/refuse {"for_ms"}` does the same.
    ///
    /// The outage begins shortly after this method returns. [`Fault::Refuse`](crate::Fault::Refuse) begins one when a
    /// request arrives.
    pub fn refuse_connections(&self, length: Duration) {
        self.app.outage.begin(length);
    }

    /// Sets the rate limits and forgets the requests counted so far. `PUT /_sandbox/limits` does the same.
    pub fn set_limits(&self, limits: Limits) {
        self.app.change(|apis| apis.state.limits.set(limits));
    }

    /// Sets the quotas for later creates. `PUT /_sandbox/quota` does the same.
    pub fn set_quotas(&self, quotas: Quotas) {
        self.app.change(|apis| apis.confluent.quotas = quotas);
    }

    /// Sets the custom roles of the first organisation on ClickHouse.
    /// `PUT /_sandbox/roles {"custom_roles": […]}` does the same.
    ///
    /// If there are any, a create with the deprecated `role` is answered with 400, and the `role` of an invitation no
    /// longer follows its assigned roles: older invitations keep theirs, and new ones have `developer`.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] if an id is not a uuid or appears twice.
    pub fn set_custom_roles(&self, roles: Vec<CustomRole>) -> io::Result<()> {
        let set = |apis: &mut Apis| apis.clickhouse.set_custom_roles(roles);
        self.app.change(set).map_err(invalid_input)
    }

    /// Advances the sandbox's clock, so that invitations and tokens expire and rate-limit windows end.
    /// `POST /_sandbox/clock {"advance_seconds"}` does the same.
    ///
    /// The durations of faults and the times in the ledger follow the machine's clock.
    pub fn advance(&self, by: Duration) {
        self.app.change(|apis| apis.state.clock.advance(by));
    }

    /// Sets the settings of Confluent's token exchange. `PUT /_sandbox/sts` does the same.
    ///
    /// Access tokens that were issued before stay valid until they expire.
    pub fn set_sts(&self, sts: StsSettings) {
        self.app.change(|apis| apis.set_sts(sts));
    }

    /// The number of tokens that the identity provider at `/_sandbox/idp/token` has issued.
    pub fn idp_tokens_issued(&self) -> u64 {
        self.app.lock().confluent.tokens.subject_tokens_issued()
    }

    /// All invitations, Confluent's first, each organisation's in order of creation.
    /// `GET /_sandbox/invitations` answers the same, as `{"invitations": […]}`.
    pub fn invitations(&self) -> Vec<InvitationSnapshot> {
        self.app.lock().snapshots()
    }

    /// All members, Confluent's first, each organisation's in order of joining. `GET /_sandbox/members` answers the same,
    /// as `{"members": […]}`.
    pub fn members(&self) -> Vec<MemberSnapshot> {
        self.app.lock().member_snapshots()
    }

    /// All role bindings of Confluent, each organisation's in order of creation. `GET /_sandbox/role-bindings` answers
    /// the same, as `{"role_bindings": […]}`.
    pub fn role_bindings(&self) -> Vec<RoleBindingSnapshot> {
        self.app.lock().confluent.role_binding_snapshots().collect()
    }

    /// Gives the first organisation on Confluent a further API key, such as one of a member.
    /// `POST /_sandbox/api-keys` does the same.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] if a key or token of this name is there already.
    pub fn add_confluent_key(&self, key: ConfluentKey) -> io::Result<()> {
        let added = self.app.change(|apis| apis.add_key(key));
        added.map_err(invalid_input)
    }

    /// All API keys of Confluent, each organisation's in order of creation. `GET /_sandbox/api-keys` answers the same, as
    /// `{"api_keys": […]}`.
    pub fn api_keys(&self) -> Vec<ApiKeySnapshot> {
        self.app.lock().confluent.api_key_snapshots().collect()
    }

    /// Goes back to the state at the start: people, keys, ledger, faults, limits, quotas, roles, tokens and clock.
    /// `POST /_sandbox/reset` does the same.
    ///
    /// The credentials stay, and the ledger's `sequence` continues.
    pub fn reset(&self) {
        self.app.reset();
    }

    /// Serves until `stop` resolves, such as on Ctrl-C, then lets pending answers finish, for a second at most.
    ///
    /// # Errors
    ///
    /// The server failed before `stop` resolved.
    pub async fn serve_until(mut self, stop: impl Future<Output = ()>) -> io::Result<()> {
        tokio::select! {
            ended = &mut self.server => return ended.map_err(io::Error::other)?,
            () = stop => {}
        }
        drop(self.stop);
        self.server.await.map_err(io::Error::other)?
    }
}

impl SandboxBuilder {
    /// The address to listen on; port 0 takes a free one. Default `127.0.0.1:0`.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Allows an address that other machines can reach. Default `false`.
    ///
    /// `/_sandbox/` asks for no credentials: every machine that can reach the address can use it.
    pub fn allow_remote(mut self, allow: bool) -> Self {
        self.allow_remote = allow;
        self
    }

    /// Allows a name of this host in requests to `/_sandbox/`, besides addresses, `localhost` and names without a dot.
    /// Default none.
    ///
    /// Anyone can point a name at any address, so that under other names `/_sandbox/` answers 403: a page on the
    /// internet cannot drive a sandbox by way of a browser on its machine.
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        self.allowed_hosts.push(name.into());
        self
    }

    /// The Confluent Cloud API key to accept. Default random.
    pub fn confluent_key(mut self, key: impl Into<String>, secret: impl Into<String>) -> Self {
        self.credentials.confluent.api_key = key.into();
        self.credentials.confluent.api_secret = secret.into();
        self
    }

    /// The Confluent Cloud access token to accept. Default random.
    pub fn confluent_access_token(mut self, token: impl Into<String>) -> Self {
        self.credentials.confluent.access_token = token.into();
        self
    }

    /// The identity pool of Confluent's token exchange. Default random.
    pub fn identity_pool_id(mut self, id: impl Into<String>) -> Self {
        self.credentials.identity_pool_id = id.into();
        self
    }

    /// The subject token that Confluent's token exchange accepts. Default random.
    pub fn subject_token(mut self, token: impl Into<String>) -> Self {
        self.credentials.subject_token = token.into();
        self
    }

    /// The client of the identity provider at `/_sandbox/idp/token`. Default random.
    pub fn idp_client(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.credentials.idp.client_id = id.into();
        self.credentials.idp.client_secret = secret.into();
        self
    }

    /// The ClickHouse Cloud API key to accept. Default random.
    pub fn clickhouse_key(mut self, key: impl Into<String>, secret: impl Into<String>) -> Self {
        self.credentials.clickhouse.api_key = key.into();
        self.credentials.clickhouse.api_secret = secret.into();
        self
    }

    /// The uuid of the organisation on ClickHouse Cloud. Default random.
    pub fn clickhouse_organization(mut self, id: impl Into<String>) -> Self {
        self.credentials.clickhouse.organization_id = id.into();
        self
    }

    /// The organisations, keys and settings to start with, in place of everything set before but the address.
    ///
    /// [`Sandbox::credentials`] has the first key of the first organisation of each API.
    pub fn config(mut self, config: Config) -> Self {
        self.credentials.adopt(&config);
        self.config = config;
        self
    }

    /// The number of invitations in the first organisation of each API. Default 0. See [`Config::seed`].
    pub fn seed(mut self, invitations: u64) -> Self {
        self.config.seed = invitations;
        self
    }

    /// The number of members in the first organisation of each API. Default 0. See [`Config::seed_members`].
    pub fn seed_members(mut self, members: u64) -> Self {
        self.config.seed_members = members;
        self
    }

    /// The number of requests, and of changes, that the ledger keeps: the latest ones. The ledger counts those that it
    /// drops. Default 1 000 000.
    ///
    /// A request takes about half a kilobyte.
    pub fn ledger_limit(mut self, entries: usize) -> Self {
        self.config.ledger_limit = Some(entries);
        self
    }

    /// Keeps people, credentials, settings and clock in a file, so that a later sandbox continues with them. Default none.
    ///
    /// The file is read at the start if it exists, and decides then instead of credentials and [`Config`]; a
    /// configuration that differs from the one that the state was begun with is an error. It is written at the start,
    /// after each change, before its request is answered, and at the end: all of it or nothing. Only its owner can read
    /// it, since it holds the secrets of the sandbox. The entries of the ledger are not in it, but their numbers go on.
    ///
    /// A sandbox that cannot write the file stops, and [`Sandbox::serve_until`] returns the error.
    pub fn state_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.state_file = Some(path.into());
        self
    }

    /// Binds the address and starts to serve.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] if other machines can reach the address without
    /// [`allow_remote`](Self::allow_remote), if an organisation id is not a uuid, or if something in the [`Config`] that
    /// must be unique appears twice, or if the [state](Self::state_file) does not fit. Otherwise the error of binding the
    /// address, or of the file.
    pub async fn start(self) -> io::Result<Sandbox> {
        let Self {
            listen,
            allow_remote,
            allowed_hosts,
            state_file,
            mut credentials,
            mut config,
        } = self;
        if !allow_remote && !listen.ip().is_loopback() {
            return Err(invalid_input(format!(
                "{listen} is not a loopback address, and remote access is not allowed"
            )));
        }
        let listener = TcpListener::bind(listen).await?;
        let file = state_file.as_deref().map(StateFile::new);
        let mut saved = None;
        if let Some(file) = &file
            && let Some(state) = file.load()?
        {
            file.check(&state, &config)?;
            credentials = state.credentials();
            let ledger_limit = config.ledger_limit;
            config = state.config.clone();
            config.ledger_limit = ledger_limit;
            saved = Some(state);
        }
        credentials.set_url(format!("http://{}", listener.local_addr()?));
        let app = AppState::new(credentials, config, allowed_hosts, file, saved);
        let app = Arc::new(app.map_err(invalid_input)?);
        app.save()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(server::serve(listener, Arc::clone(&app), stopped));
        Ok(Sandbox { app, server, stop })
    }
}

fn invalid_input(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

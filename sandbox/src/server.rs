//! Starting and stopping a sandbox.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::config::{Config, CustomRole};
use crate::faults::Faults;
use crate::ledger::Ledger;
use crate::limits::Limits;
use crate::quota::Quotas;
use crate::snapshot::InvitationSnapshot;
use crate::state::{AcceptError, Provider, Shared};
use crate::tokens::StsSettings;
use crate::{Credentials, admin, exchange, listener};

/// A running server that speaks both vendors' invitation APIs.
///
/// It runs on the Tokio runtime that started it, keeps everything in memory, shares nothing with other
/// sandboxes, and stops when dropped.
#[derive(Debug)]
pub struct Sandbox {
    shared: Arc<Shared>,
    server: JoinHandle<io::Result<()>>,
    // Dropping the sender is what tells the server to stop.
    stop: oneshot::Sender<()>,
}

/// Settings of a [`Sandbox`] about to start.
#[derive(Clone, Debug)]
#[must_use]
pub struct SandboxBuilder {
    listen: SocketAddr,
    allow_remote: bool,
    credentials: Credentials,
    config: Config,
}

impl Sandbox {
    /// Settings to change before starting: a free loopback port and random credentials.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            allow_remote: false,
            credentials: Credentials::random(),
            config: Config::default(),
        }
    }

    /// Starts a sandbox with the default settings.
    ///
    /// # Errors
    ///
    /// Those of [`SandboxBuilder::start`].
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// The base URL of both APIs, such as `http://127.0.0.1:40123`, without a trailing slash.
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// The keys the sandbox accepts.
    pub fn credentials(&self) -> &Credentials {
        &self.shared.credentials
    }

    /// A copy of what has happened so far. `GET /_sandbox/ledger` answers the same.
    pub fn ledger(&self) -> Ledger {
        self.shared.lock().ledger.snapshot()
    }

    /// Accepts the open invitation of `email`, as the invitee would, and returns its id.
    /// `POST /_sandbox/accept` does the same.
    ///
    /// On Confluent the invitation stays and reads `INVITE_STATUS_ACCEPTED`; on ClickHouse it is no longer
    /// shown. Inviting the address again is refused on both.
    ///
    /// # Errors
    ///
    /// Nobody with this address is invited, or the invitation was accepted before, or has expired.
    pub fn accept(&self, provider: Provider, email: &str) -> Result<String, AcceptError> {
        self.shared.lock().accept(provider, email)
    }

    /// Sets the faults to come, in place of those set before. `PUT /_sandbox/faults` does the same, and `DELETE`
    /// sets none.
    ///
    /// A number out of its range counts as the nearest in it; over HTTP it is refused.
    pub fn set_faults(&self, faults: Faults) {
        self.shared.lock().set_faults(faults);
    }

    /// The faults that have not happened yet: rules used up are gone. `GET /_sandbox/faults` answers the same.
    pub fn faults(&self) -> Faults {
        self.shared.lock().faults.left()
    }

    /// Refuses every connection from now on for this long, and closes those that are open once the answers
    /// under way are out. `POST /_sandbox/refuse {"for_ms"}` does the same.
    ///
    /// Begins a logical_time after it returns. [`Fault::Refuse`](crate::Fault::Refuse) does this when a request comes.
    pub fn refuse_connections(&self, length: Duration) {
        self.shared.outage.begin(length);
    }

    /// Sets the rate limits, and forgets the requests counted so far. `PUT /_sandbox/limits` does the same.
    pub fn set_limits(&self, limits: Limits) {
        self.shared.lock().limits.set(limits);
    }

    /// Sets the quotas, which apply to creates from now on. `PUT /_sandbox/quota` does the same.
    pub fn set_quotas(&self, quotas: Quotas) {
        self.shared.lock().quotas = quotas;
    }

    /// Sets the roles that the first organisation on ClickHouse has besides the system's.
    /// `PUT /_sandbox/roles {"custom_roles": […]}` does the same.
    ///
    /// With any, creates with the deprecated `role` are refused, and its value in answers no longer follows the
    /// roles assigned: it stays as it was for invitations made before, and is `developer` for those made after.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] when an id is no uuid or there twice.
    pub fn set_custom_roles(&self, roles: Vec<CustomRole>) -> io::Result<()> {
        self.shared.set_custom_roles(roles).map_err(invalid_input)
    }

    /// Moves the sandbox's clock on, so that invitations and tokens expire and rate-limit windows end.
    /// `POST /_sandbox/clock {"advance_seconds"}` does the same.
    ///
    /// Faults that take time, and the times in the ledger, go by the machine's clock.
    pub fn advance(&self, by: Duration) {
        self.shared.lock().clock.advance(by);
    }

    /// Sets what Confluent's token exchange does, in place of what was set before. `PUT /_sandbox/sts` does the
    /// same.
    ///
    /// Access tokens given out before stay good until they expire.
    pub fn set_sts(&self, sts: StsSettings) {
        self.shared.lock().tokens.set(sts);
    }

    /// How many tokens the identity provider at `/_sandbox/idp/token` has issued.
    pub fn idp_tokens_issued(&self) -> u64 {
        self.shared.lock().tokens.subjects_issued()
    }

    /// All invitations there are, Confluent's first, each API's in order of creation.
    /// `GET /_sandbox/invitations` answers the same, as `{"invitations": […]}`.
    pub fn invitations(&self) -> Vec<InvitationSnapshot> {
        self.shared.invitations()
    }

    /// Forgets all that happened and was set since the start: invitations, ledger, faults, limits, quotas, roles,
    /// tokens, and how far the clock was moved. `POST /_sandbox/reset` does the same.
    ///
    /// Credentials stay as they are, and the ledger's `sequence` goes on from where it was.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Serves until `stop` resolves (Ctrl-C, for example), then lets answers under way finish, for a second
    /// at most.
    ///
    /// # Errors
    ///
    /// The server failed, which ends it before `stop` resolves.
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
    /// `/_sandbox/` asks for no credentials: whoever reaches the address may use it.
    pub fn allow_remote(mut self, allow: bool) -> Self {
        self.allow_remote = allow;
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

    /// The identity pool that Confluent's token exchange knows. Default random.
    pub fn identity_pool_id(mut self, id: impl Into<String>) -> Self {
        self.credentials.identity_pool_id = id.into();
        self
    }

    /// The token that Confluent's token exchange accepts. Default random.
    pub fn subject_token(mut self, token: impl Into<String>) -> Self {
        self.credentials.subject_token = token.into();
        self
    }

    /// The client that the identity provider at `/_sandbox/idp/token` knows. Default random.
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

    /// The ClickHouse Cloud organisation, a uuid. Default random.
    pub fn clickhouse_organization(mut self, id: impl Into<String>) -> Self {
        self.credentials.clickhouse.organization_id = id.into();
        self
    }

    /// Starts with these organisations, keys and settings, in place of all that was set before but the address.
    ///
    /// [`Sandbox::credentials`] has the first key of the first organisation of each API.
    pub fn config(mut self, config: Config) -> Self {
        self.credentials.follow(&config);
        self.config = config;
        self
    }

    /// Starts with so many invitations in the first organisation of each API. Default none. See [`Config::seed`].
    pub fn seed(mut self, invitations: u64) -> Self {
        self.config.seed = invitations;
        self
    }

    /// Keeps only the latest `entries` requests and as many changes in the ledger, which says how many it dropped.
    /// Default 1 000 000.
    ///
    /// A request takes about half a kilobyte.
    pub fn ledger_limit(mut self, entries: usize) -> Self {
        self.config.ledger_limit = Some(entries);
        self
    }

    /// Binds the address and starts to serve.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] for an address that other machines can reach without
    /// [`allow_remote`](Self::allow_remote), for an organisation id that is not a uuid, and for a [`Config`] that
    /// has something twice; otherwise what binding the address failed with.
    pub async fn start(self) -> io::Result<Sandbox> {
        let Self {
            listen,
            allow_remote,
            mut credentials,
            config,
        } = self;
        if !allow_remote && !listen.ip().is_loopback() {
            return Err(invalid_input(format!(
                "{listen} is not a loopback address, and remote access is not allowed"
            )));
        }
        let listener = TcpListener::bind(listen).await?;
        credentials.set_url(format!("http://{}", listener.local_addr()?));
        let shared = Arc::new(Shared::new(credentials, config).map_err(invalid_input)?);
        let (stop, stopped) = oneshot::channel::<()>();
        let router = router(Arc::clone(&shared));
        let outage = Arc::clone(&shared.outage);
        Ok(Sandbox {
            shared,
            server: tokio::spawn(listener::serve(listener, router, outage, stopped)),
            stop,
        })
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .merge(admin::router())
        .fallback(exchange::answer)
        .with_state(shared)
}

fn invalid_input(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

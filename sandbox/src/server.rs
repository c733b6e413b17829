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
use uuid::Uuid;

use crate::ledger::Ledger;
use crate::state::{AcceptError, Provider, Shared};
use crate::{Credentials, admin, call};

/// How long [`Sandbox::serve_until`] lets answers under way finish.
const STOP_PATIENCE: Duration = Duration::from_secs(1);

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
}

impl Sandbox {
    /// Settings to change before starting: a free loopback port and random credentials.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            allow_remote: false,
            credentials: Credentials::random(),
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
        self.shared.lock().ledger.clone()
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
        match tokio::time::timeout(STOP_PATIENCE, self.server).await {
            Ok(ended) => ended.map_err(io::Error::other)?,
            Err(_elapsed) => Ok(()),
        }
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

    /// Binds the address and starts to serve.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] for an address that other machines can reach without
    /// [`allow_remote`](Self::allow_remote), and for an organisation id that is not a uuid; otherwise what binding
    /// the address failed with.
    pub async fn start(self) -> io::Result<Sandbox> {
        let Self {
            listen,
            allow_remote,
            mut credentials,
        } = self;
        if !allow_remote && !listen.ip().is_loopback() {
            return Err(invalid_input(format!(
                "{listen} is not a loopback address, and remote access is not allowed"
            )));
        }
        let organization = &mut credentials.clickhouse.organization_id;
        *organization = Uuid::try_parse(organization)
            .map_err(|error| {
                invalid_input(format!("organisation {organization:?} is no uuid: {error}"))
            })?
            .to_string();

        let listener = TcpListener::bind(listen).await?;
        credentials.url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared::new(credentials));
        let (stop, stopped) = oneshot::channel::<()>();
        let serve =
            axum::serve(listener, router(Arc::clone(&shared))).with_graceful_shutdown(async {
                // An error: the sandbox was dropped.
                let _ = stopped.await;
            });
        Ok(Sandbox {
            shared,
            server: tokio::spawn(serve.into_future()),
            stop,
        })
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .merge(admin::router())
        .fallback(call::answer)
        .with_state(shared)
}

fn invalid_input(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

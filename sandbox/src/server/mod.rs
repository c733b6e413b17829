//! The HTTP server in front of both emulated APIs.

mod admin;
mod apis;
mod connection;
mod exchange;
mod guard;
mod handler;
mod idp;
mod inject;
mod listener;
mod page;
mod route;
mod throttled_body;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};

use crate::config::Config;
use crate::credentials::Credentials;
pub(crate) use apis::Apis;
use listener::Outage;

/// What every request handler has access to.
#[derive(Debug)]
pub(crate) struct AppState {
    pub(crate) credentials: Credentials,
    pub(crate) outage: Arc<Outage>,
    /// Host names under which `/_sandbox/` answers, besides addresses and local names.
    allowed_hosts: Vec<String>,
    /// The configuration that a reset goes back to.
    config: Config,
    apis: Mutex<Apis>,
    /// Told when a request asks the sandbox to stop.
    stop: Notify,
}

impl AppState {
    /// The state that a configuration describes.
    ///
    /// # Errors
    ///
    /// The configuration is invalid.
    pub(crate) fn new(
        mut credentials: Credentials,
        config: Config,
        allowed_hosts: Vec<String>,
    ) -> Result<Self, String> {
        config.faults.validate()?;
        let apis = Apis::new(&config, &mut credentials)?;
        Ok(Self {
            credentials,
            outage: Arc::default(),
            allowed_hosts,
            config,
            apis: Mutex::new(apis),
            stop: Notify::new(),
        })
    }

    /// Locks both APIs. An operation holds the guard from its first look to its last change, which makes it atomic.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Apis> {
        self.apis.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a change from outside the APIs.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Apis) -> T) -> T {
        let apis = &mut *self.lock();
        let outcome = change(apis);
        apis.state.ledger.touch();
        outcome
    }

    /// Resolves once every change so far is in the state file, at once if there is none.
    pub(crate) async fn saved(&self) {}

    /// Goes back to the state at the start.
    pub(crate) fn reset(&self) {
        self.change(|apis| apis.reset(&self.config));
    }
}

/// Serves until `stop` resolves, then lets pending answers finish, for a second at most.
pub(crate) async fn serve(
    listener: TcpListener,
    app: Arc<AppState>,
    stop: oneshot::Receiver<()>,
) -> io::Result<()> {
    let outage = Arc::clone(&app.outage);
    let router = Router::new()
        .merge(admin::router(&app))
        .fallback(handler::answer)
        .with_state(Arc::clone(&app));
    let stop = async {
        tokio::select! {
            _ = stop => {}
            () = app.stop.notified() => {}
        }
    };
    listener::serve(listener, router, outage, stop).await
}

//! The HTTP server in front of both emulated APIs.

mod admin;
mod apis;
mod connection;
mod exchange;
mod handler;
mod idp;
mod inject;
mod listener;
mod route;
mod throttled_body;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::config::Config;
use crate::credentials::Credentials;
use apis::Apis;
use listener::Outage;

/// What every request handler has access to.
#[derive(Debug)]
pub(crate) struct AppState {
    pub(crate) credentials: Credentials,
    pub(crate) outage: Arc<Outage>,
    /// The configuration that a reset goes back to.
    config: Config,
    apis: Mutex<Apis>,
}

impl AppState {
    /// The state that a configuration describes.
    ///
    /// # Errors
    ///
    /// The configuration is invalid.
    pub(crate) fn new(mut credentials: Credentials, config: Config) -> Result<Self, String> {
        config.faults.validate()?;
        let apis = Apis::new(&config, &mut credentials)?;
        Ok(Self {
            credentials,
            outage: Arc::default(),
            config,
            apis: Mutex::new(apis),
        })
    }

    /// Locks both APIs. An operation holds the guard from its first look to its last change, which makes it atomic.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Apis> {
        self.apis.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes back to the state at the start.
    pub(crate) fn reset(&self) {
        self.lock().reset(&self.config);
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
        .merge(admin::router())
        .fallback(handler::answer)
        .with_state(app);
    listener::serve(listener, router, outage, stop).await
}

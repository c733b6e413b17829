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
use tokio::sync::{Notify, oneshot, watch};

use crate::config::Config;
use crate::credentials::Credentials;
use crate::state_file::{SavedState, StateFile, StateView, for_state};
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
    /// Where the state is kept, and which revision is there.
    file: Option<(StateFile, watch::Sender<u64>)>,
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
        file: Option<StateFile>,
        saved: Option<SavedState>,
    ) -> Result<Self, String> {
        config.faults.validate()?;
        let apis = match saved {
            Some(saved) => Apis::continue_from(saved, &config, &credentials),
            None => Apis::new(&config, &mut credentials)?,
        };
        Ok(Self {
            credentials,
            outage: Arc::default(),
            allowed_hosts,
            config,
            apis: Mutex::new(apis),
            file: file.map(|file| (file, watch::Sender::new(0))),
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
    pub(crate) async fn saved(&self) {
        let Some((_, saved)) = &self.file else {
            return;
        };
        let revision = self.lock().state.ledger.revision();
        // Where the state cannot be written, the server stops, and with it this request.
        let _ = saved.subscribe().wait_for(|saved| *saved >= revision).await;
    }

    /// Writes the state, if there is a file for it.
    ///
    /// # Errors
    ///
    /// Those of the file system, with the path.
    pub(crate) fn save(&self) -> io::Result<()> {
        let Some((file, saved)) = &self.file else {
            return Ok(());
        };
        let (revision, text) = {
            let apis = self.lock();
            let revision = apis.state.ledger.revision();
            let view = StateView {
                version: StateView::VERSION,
                config: &for_state(&self.config),
                credentials: self.credentials.clone().into(),
                confluent: &apis.confluent,
                clickhouse: &apis.clickhouse,
                clock: apis.state.clock.position(),
                numbering: apis.state.ledger.numbering(),
                limits: apis.state.limits.limits(),
                faults: apis.state.faults.remaining(),
            };
            (revision, serde_json::to_vec(&view)?)
        };
        file.write(revision, &text)?;
        saved.send_if_modified(|saved| {
            let is_later = revision > *saved;
            *saved = revision.max(*saved);
            is_later
        });
        Ok(())
    }

    /// Writes the state after each change, until that fails.
    async fn keep_saving(self: &Arc<Self>) -> io::Result<()> {
        let mut revisions = self.lock().state.ledger.revisions();
        loop {
            self.save_in_background().await?;
            if revisions.changed().await.is_err() {
                return Ok(());
            }
        }
    }

    /// Changes that are made while the file is written are all in the next one.
    async fn save_in_background(self: &Arc<Self>) -> io::Result<()> {
        let app = Arc::clone(self);
        let saved = tokio::task::spawn_blocking(move || app.save()).await;
        saved.map_err(io::Error::other)?
    }

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
    let serving = listener::serve(listener, router, outage, stop);
    if app.file.is_none() {
        return serving.await;
    }
    tokio::select! {
        served = serving => served?,
        failed = app.keep_saving() => failed?,
    }
    // The last changes, and what the ledger counted since.
    app.change(|_| ());
    app.save_in_background().await
}

//! The PostgreSQL protocol (feature `serve`), over `datafusion-postgres`: tables of invitations for `psql` and
//! for any program with a PostgreSQL driver.
//!
//! The server restricts what that crate allows:
//!
//! | | |
//! |---|---|
//! | who may connect | whoever has the password, by SCRAM-SHA-256, under any user name |
//! | from where | this machine, unless [`ServerBuilder::allow_remote`]; the connection is not encrypted |
//! | reading | the registered tables and no file |
//! | `INSERT`, `DELETE` | refused, unless [`ServerBuilder::allow_writes`]; never inside a transaction or beside another statement, because they cannot be rolled back |
//! | `COPY`, DDL, `SET datafusion.…` | refused |
//!
//! Writes are executed as they were sent; only queries are rewritten for PostgreSQL's dialect. Every connection has a
//! session of its own.

mod auth;
mod connection;
mod policy;

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use datafusion::{common::TableReference, error::Result, prelude::SessionContext};
use datafusion_postgres::{
    datafusion_pg_catalog::{pg_catalog::context::EmptyContextProvider, setup_pg_catalog},
    pgwire::{api::ConnectionManager, tokio::process_socket},
};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet};

use self::{auth::PasswordAuth, connection::Connection, policy::Policy};
use crate::{session::config, table::Table};

/// Builder of a [`Server`].
#[derive(Debug)]
pub struct ServerBuilder {
    auth: PasswordAuth,
    policy: Policy,
    allow_remote: bool,
    tables: Vec<(TableReference, Table)>,
}

/// A server of the PostgreSQL protocol.
pub struct Server {
    listener: TcpListener,
    context: SessionContext,
    auth: PasswordAuth,
    policy: Policy,
    connections: Arc<ConnectionManager>,
}

/// The largest number of concurrent connections; further ones are closed.
const MAX_CONNECTIONS: usize = 64;

impl ServerBuilder {
    /// Adds a table.
    #[must_use]
    pub fn table(mut self, name: impl Into<TableReference>, table: Table) -> Self {
        self.tables.push((name.into(), table));
        self
    }

    /// Sets whether `INSERT` and `DELETE` are allowed. Default: false.
    #[must_use]
    pub fn allow_writes(mut self, allow: bool) -> Self {
        self.policy.allow_writes = allow;
        self
    }

    /// Sets whether the server may listen on addresses that other machines reach. Default: false.
    #[must_use]
    pub fn allow_remote(mut self, allow: bool) -> Self {
        self.allow_remote = allow;
        self
    }

    /// Binds the address; port 0 stands for any free port.
    ///
    /// # Errors
    ///
    /// When the address is not allowed or not free, the password is empty, or a table cannot be added.
    pub async fn bind(self, address: SocketAddr) -> io::Result<Server> {
        let invalid_input = |message| Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        if self.auth.is_empty() {
            return invalid_input("the server needs a password that is not empty".to_owned());
        }
        if !self.allow_remote && !is_loopback(address.ip()) {
            return invalid_input(format!(
                "{address} can be reached from other machines, and connections are not \
                 encrypted; listen on 127.0.0.1, or allow it"
            ));
        }
        let context = session(self.tables).map_err(io::Error::other)?;
        Ok(Server {
            listener: TcpListener::bind(address).await?,
            context,
            auth: self.auth,
            policy: self.policy,
            connections: Arc::new(ConnectionManager::new()),
        })
    }
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Creates a session with these tables that reads no files.
fn session(tables: Vec<(TableReference, Table)>) -> Result<SessionContext> {
    let context = SessionContext::new_with_config(config());
    for (name, table) in tables {
        table.register(&context, name)?;
    }
    // The catalog that `\d` queries.
    let catalog = context
        .state()
        .config_options()
        .catalog
        .default_catalog
        .clone();
    setup_pg_catalog(&context, &catalog, EmptyContextProvider).map_err(|error| *error)?;
    Ok(context)
}

impl Server {
    /// Creates a builder of a server with this password.
    pub fn builder(password: &str) -> ServerBuilder {
        ServerBuilder {
            auth: PasswordAuth::new(password),
            policy: Policy::default(),
            allow_remote: false,
            tables: Vec::new(),
        }
    }

    /// Returns the address that the server listens on.
    ///
    /// # Errors
    ///
    /// If the system does not report the address.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` completes. Running statements are then aborted.
    ///
    /// # Errors
    ///
    /// None at present: an error of a connection ends only that connection.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let mut stop = std::pin::pin!(stop);
        let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        // Dropping the set ends the connections.
        let mut tasks = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = &mut stop => return Ok(()),
                accepted = self.listener.accept() => accepted,
                Some(_) = tasks.join_next() => continue,
            };
            // A connection that failed to be accepted does not affect others.
            let (Ok((socket, _)), Ok(permit)) =
                (accepted, Arc::clone(&permits).try_acquire_owned())
            else {
                continue;
            };
            let context = SessionContext::new_with_state(self.context.state());
            let connection = Connection::new(
                context,
                self.policy,
                self.auth.clone(),
                Arc::clone(&self.connections),
            );
            tasks.spawn(async move {
                let _permit = permit;
                // Errors of a client that disconnects are ignored.
                let _ = process_socket(socket, None, connection).await;
            });
        }
    }
}

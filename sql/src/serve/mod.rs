//! The PostgreSQL protocol (feature `serve`), over `datafusion-postgres`: tables of invitations for `psql` and
//! for any program with a PostgreSQL driver.
//!
//! What that crate leaves open is closed here:
//!
//! | | |
//! |---|---|
//! | who may connect | whoever has the password, by SCRAM-SHA-256, under any user name |
//! | from where | this machine, unless [`ServerBuilder::allow_remote`]; the connection is not encrypted |
//! | reading | the registered tables and no file |
//! | `INSERT`, `DELETE` | refused, unless [`ServerBuilder::allow_writes`]; never inside a transaction or beside another statement, because they cannot be rolled back |
//! | `COPY`, DDL, `SET datafusion.…` | refused |
//!
//! A statement that writes is carried out as it was sent; only queries are rewritten for PostgreSQL's
//! dialect. Every connection has a session of its own.

mod connection;
mod login;
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

use self::{connection::Connection, login::Login, policy::Policy};
use crate::{session::config, table::InvitationsTable};

/// Sets up a [`Server`].
#[derive(Debug)]
pub struct ServerBuilder {
    login: Login,
    policy: Policy,
    allow_remote: bool,
    tables: Vec<(TableReference, InvitationsTable)>,
}

/// Answers statements that arrive by the PostgreSQL protocol.
pub struct Server {
    listener: TcpListener,
    context: SessionContext,
    login: Login,
    policy: Policy,
    connections: Arc<ConnectionManager>,
}

/// So many connections at once; further ones are closed.
const MOST_CONNECTIONS: usize = 64;

impl ServerBuilder {
    /// Makes a table available.
    #[must_use]
    pub fn table(mut self, name: impl Into<TableReference>, table: InvitationsTable) -> Self {
        self.tables.push((name.into(), table));
        self
    }

    /// Sets whether `INSERT` and `DELETE` are carried out. Default: false.
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

    /// Begins to listen; port 0 is any that is free.
    ///
    /// # Errors
    ///
    /// When the address is not allowed or not free, the password is empty, or a table cannot be added.
    pub async fn bind(self, address: SocketAddr) -> io::Result<Server> {
        let refuse = |message| Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        if self.login.is_empty() {
            return refuse("the server needs a password that is not empty".to_owned());
        }
        if !self.allow_remote && !is_loopback(address.ip()) {
            return refuse(format!(
                "{address} can be reached from other machines, and connections are not \
                 encrypted; listen on 127.0.0.1, or allow it"
            ));
        }
        let context = session(self.tables).map_err(io::Error::other)?;
        Ok(Server {
            listener: TcpListener::bind(address).await?,
            context,
            login: self.login,
            policy: self.policy,
            connections: Arc::new(ConnectionManager::new()),
        })
    }
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// A session that has these tables and reads no file.
fn session(tables: Vec<(TableReference, InvitationsTable)>) -> Result<SessionContext> {
    let context = SessionContext::new_with_config(config());
    for (name, table) in tables {
        table.register(&context, name)?;
    }
    // What `\d` asks for.
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
    /// A server that lets in whoever has this password.
    pub fn builder(password: &str) -> ServerBuilder {
        ServerBuilder {
            login: Login::new(password),
            policy: Policy::default(),
            allow_remote: false,
            tables: Vec::new(),
        }
    }

    /// Where it listens.
    ///
    /// # Errors
    ///
    /// When the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` is done. Statements that are under way then are broken off.
    ///
    /// # Errors
    ///
    /// None so far: what is wrong with a connection ends that connection.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let mut stop = std::pin::pin!(stop);
        let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        // Dropping the set ends the connections.
        let mut tasks = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = &mut stop => return Ok(()),
                accepted = self.listener.accept() => accepted,
                Some(_) = tasks.join_next() => continue,
            };
            // A connection that failed before it was there harms no other.
            let (Ok((socket, _)), Ok(place)) = (accepted, Arc::clone(&places).try_acquire_owned())
            else {
                continue;
            };
            let context = SessionContext::new_with_state(self.context.state());
            let connection = Connection::new(
                context,
                self.policy,
                self.login.clone(),
                Arc::clone(&self.connections),
            );
            tasks.spawn(async move {
                let _place = place;
                // How a client went away is its own affair.
                let _ = process_socket(socket, None, connection).await;
            });
        }
    }
}

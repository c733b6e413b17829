//! `sql --serve`: serve the tables over the PostgreSQL protocol.

use std::net::SocketAddr;

use clap::Args;
use org_invitations_sql::serve::Server;

use super::tables::{Writes, tables};
use crate::{
    config::variable, failure::Failure, interrupt::Interrupt, output::Output,
    provider::ProviderContext,
};

#[derive(Args, Debug)]
pub(crate) struct ServeOptions {
    /// Serve PostgreSQL clients at this address until Ctrl-C. The variable ORG_INVITATIONS_SQL_PASSWORD has
    /// the password.
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["statement", "file"])]
    pub serve: Option<SocketAddr>,
    /// With --serve: allow INSERT and DELETE.
    #[arg(long, requires = "serve", conflicts_with_all = ["statement", "file"])]
    pub allow_writes: bool,
    /// With --serve: allow an address that other machines can reach. Connections are not encrypted.
    #[arg(long, requires = "serve", conflicts_with_all = ["statement", "file"])]
    pub allow_remote: bool,
}

const PASSWORD_VARIABLE: &str = "ORG_INVITATIONS_SQL_PASSWORD";

pub(super) async fn run(
    address: SocketAddr,
    options: &ServeOptions,
    providers: &[ProviderContext],
    writes: &Writes,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let Some(password) = variable(PASSWORD_VARIABLE)? else {
        return Err(Failure::Usage(format!(
            "--serve needs a password: set {PASSWORD_VARIABLE}"
        )));
    };
    let mut server = Server::builder(&password)
        .allow_writes(options.allow_writes)
        .allow_remote(options.allow_remote);
    for (name, table) in tables(providers, writes) {
        server = server.table(name, table);
    }
    let server = server
        .bind(address)
        .await
        .map_err(|error| Failure::Usage(format!("cannot listen on {address}: {error}")))?;
    let address = server.address()?;
    out.line(&format!(
        "listening: psql -h {} -p {} -U {} datafusion",
        address.ip(),
        address.port(),
        "anybody"
    ))?;
    std::io::Write::flush(out)?;
    server.run_until(interrupt.signalled(1)).await?;
    Ok(())
}

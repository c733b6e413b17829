//! What can be written on the command line.

use std::net::SocketAddr;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Invite people to a Confluent Cloud or ClickHouse Cloud organisation.
///
/// Credentials come from the environment: CONFLUENT_CLOUD_API_KEY and CONFLUENT_CLOUD_API_SECRET, or
/// CLICKHOUSE_ORG_ID, CLICKHOUSE_CLOUD_API_KEY and CLICKHOUSE_CLOUD_API_SECRET. To send requests
/// elsewhere, set CONFLUENT_CLOUD_ENDPOINT or CLICKHOUSE_API_URL.
///
/// Without an account, try `org-invitations demo`.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// Whose organisation: `sandbox` is a private one in memory, gone when the command ends.
    #[arg(
        long,
        short,
        global = true,
        value_enum,
        env = "ORG_INVITATIONS_PROVIDER"
    )]
    pub provider: Option<ProviderName>,

    /// How results are printed.
    #[arg(long, short, global = true, value_enum, default_value_t)]
    pub output: Format,

    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 the operation was refused or failed, 2 wrong usage or configuration.";

/// The providers that a command can talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProviderName {
    /// Confluent Cloud.
    Confluent,
    /// ClickHouse Cloud.
    #[value(name = "clickhouse")]
    ClickHouse,
    /// An empty organisation in memory that speaks Confluent's API.
    Sandbox,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table for people.
    #[default]
    Table,
    /// JSON for programs: one invitation, or an array of them.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the invitations of the organisation.
    List(ListOptions),
    /// Show one invitation.
    Get {
        /// Its id, as `list` shows it.
        id: String,
    },
    /// Invite a person.
    Create(CreateOptions),
    /// Withdraw an invitation.
    Delete {
        /// Its id, as `list` shows it.
        id: String,
    },
    /// Show everything on both providers, against the built-in sandbox.
    Demo,
    /// Serve both vendors' APIs from memory, to test against.
    Sandbox(SandboxOptions),
}

#[derive(Args, Debug)]
pub(crate) struct ListOptions {
    /// Only the invitations of this address.
    #[arg(long)]
    pub email: Option<String>,
    /// Only those with this status: sent, staged, accepted, expired, deactivated.
    #[arg(long)]
    pub status: Option<String>,
    /// Only the one that created the user with this id (Confluent).
    #[arg(long)]
    pub user: Option<String>,
    /// Only those sent by the user with this id (Confluent).
    #[arg(long)]
    pub creator: Option<String>,
    /// How many to ask for at a time.
    #[arg(long, value_name = "N")]
    pub page_size: Option<u32>,
}

#[derive(Args, Debug)]
pub(crate) struct CreateOptions {
    /// The address to invite.
    pub email: String,
    /// How the invitee logs in: local or sso (Confluent).
    #[arg(long, value_name = "TYPE")]
    pub auth_type: Option<String>,
    /// A role by its id; may be given more than once (ClickHouse).
    #[arg(long, value_name = "ID")]
    pub role_id: Vec<String>,
    /// The deprecated single role, admin or developer (ClickHouse).
    #[arg(long, value_name = "ROLE", conflicts_with = "role_id")]
    pub role: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct SandboxOptions {
    /// The loopback address to listen on; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    pub listen: SocketAddr,
}

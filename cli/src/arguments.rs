//! What can be written on the command line.

use std::{net::SocketAddr, path::PathBuf};

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
    /// Default: the variable ORG_INVITATIONS_PROVIDER.
    #[arg(long, short, global = true, value_enum)]
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
    /// Markdown for a pull request (`spec diff` only).
    Markdown,
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
    /// Look at a vendor's OpenAPI document: what changed, and whether the library builds from it.
    #[command(subcommand)]
    Spec(SpecCommand),
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

/// What can be asked of a document. The API is recognised from its paths.
#[derive(Debug, Subcommand)]
pub(crate) enum SpecCommand {
    /// Compare two documents of one API: what breaks, what is new, what does not matter.
    ///
    /// Only what the library uses counts, after resolving references and lowering OpenAPI 3.1 to 3.0,
    /// so moving or renaming a schema is no change.
    #[command(after_help = "\
Exit codes: 0 nothing breaks, 1 something breaks, 2 the documents could not be compared.

Example: org-invitations spec diff specs/clickhouse-cloud-v1.json clickhouse.json -o markdown")]
    Diff {
        /// The document that is in use.
        old: PathBuf,
        /// The document that is to replace it.
        new: PathBuf,
    },
    /// Say whether the library would build from a document, without building.
    #[command(after_help = "\
Exit codes: 0 it would, 1 it would not, 2 the document could not be read.

Example: org-invitations spec check clickhouse.json")]
    Check {
        /// The document.
        file: PathBuf,
    },
    /// Print the part of a document that the library uses, normalised.
    #[command(after_help = "Example: org-invitations spec show specs/confluent-iam-v2.yaml")]
    Show {
        /// The document.
        file: PathBuf,
    },
}

#[derive(Args, Debug)]
pub(crate) struct SandboxOptions {
    /// The loopback address to listen on; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    pub listen: SocketAddr,
}

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
#[command(after_help = SANDBOX_CONFIG)]
pub(crate) struct SandboxOptions {
    /// The address to listen on; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    pub listen: SocketAddr,
    /// Listen on an address that other machines can reach, too. Nothing under /_sandbox/ asks for credentials.
    #[arg(long)]
    pub allow_remote: bool,
    /// Begin with so many invitations in the first organisation of each API.
    #[arg(long, value_name = "INVITATIONS")]
    pub seed: Option<u64>,
    /// How many requests, and how many changes, the ledger keeps: the latest. Default 100000.
    #[arg(long, value_name = "ENTRIES")]
    pub ledger_limit: Option<usize>,
    /// Organisations, keys and settings, in YAML or JSON. Options go before it.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

const SANDBOX_CONFIG: &str = "\
Once it listens it prints one line of JSON: its URL, and a key for each API. It stops on Ctrl-C. What a
test can do to it over HTTP is described at /_sandbox/openapi.yaml.

A configuration file; whatever is left out has the default:

  seed: 10000            # invitations in the first organisation of each API; none
  ledger_limit: 100000   # requests, and changes, that the ledger keeps; 100000
  confluent:             # organisations; one, with a random key
    - id: 11111111-0000-4000-8000-000000000001   # random
      keys:              # rights: admin (the default), inviter, reader, none
        - { api_key: ADMIN, api_secret: s1, access_token: t1, user: u-admin }
        - { api_key: READER, api_secret: s2, rights: reader }
      identity_pools:    # for the token exchange; one, random
        - { id: pool-1, subject_tokens: [a-jwt], rights: inviter }
      sso: true          # whether users sign in through single sign-on; false
      staging_seconds: 60    # how long an invitation is staged before it is sent; 0
      keep_deleted: true     # show deleted invitations as deactivated; false
  clickhouse:
    - id: 22222222-0000-4000-8000-000000000002
      keys: [{ api_key: KEY, api_secret: s3 }]
      custom_roles: [{ id: 33333333-0000-4000-8000-000000000003, name: Auditor }]
  limits: { clickhouse: { requests: 10, window_ms: 10000 } }              # none
  quota: { confluent: { invitations_per_org: 50, status: 402 } }          # none; or 400
  sts: { lifetime_seconds: 60 }                                           # 900
  faults: { script: [{ operation: create, fault: { kind: reset, when: after } }] }   # none";

//! The command line: global options and commands. The arguments of a command are in its module under `commands/`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use org_invitations::ProviderKind;

use crate::{
    commands::{
        apply::ApplyArgs, completions::CompletionsArgs, copy::CopyArgs, create::CreateArgs,
        delete::DeleteArgs, get::GetArgs, list::ListArgs, man::ManArgs, plan::PlanArgs,
        renew::RenewArgs, sandbox::SandboxArgs, schema::SchemaArgs, spec::SpecCommand,
    },
    output::{ColorChoice, Format},
};

/// Invite people to a Confluent Cloud or ClickHouse Cloud organisation.
///
/// Without an account, try `org-invitations demo`.
#[derive(Debug, Parser)]
#[command(
    name = "org-invitations",
    version,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = SHORT_HELP,
    after_long_help = LONG_HELP
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub global: GlobalOptions,
    #[command(subcommand)]
    pub command: Command,
}

const SHORT_HELP: &str = "\
Examples:
  org-invitations -p confluent list --expiring-within 24h
  org-invitations -p clickhouse create ann@example.com --role developer
  org-invitations doctor       # what is set up, from where, and does it work?

`--help` has the credentials, the configuration file and the exit codes.";

const LONG_HELP: &str = "\
Credentials come from the environment, or from a profile:

  confluent   CONFLUENT_CLOUD_API_KEY, CONFLUENT_CLOUD_API_SECRET,
              and CONFLUENT_CLOUD_ENDPOINT to send requests elsewhere
  clickhouse  CLICKHOUSE_ORG_ID, CLICKHOUSE_CLOUD_API_KEY,
              CLICKHOUSE_CLOUD_API_SECRET, and CLICKHOUSE_API_URL

Profiles are in ~/.config/org-invitations/config.toml (below XDG_CONFIG_HOME
where that is set; on Windows in %APPDATA%\\org-invitations):

  default_profile = \"kafka\"

  [profiles.kafka]
  provider = \"confluent\"
  api_key = \"ABCDEFGH12345678\"
  api_secret_command = \"pass show confluent/api-secret\"

  [profiles.warehouse]
  provider = \"clickhouse\"
  organization_id = \"11111111-2222-3333-4444-555555555555\"
  api_key = \"abcdefgh\"
  api_secret_file = \"clickhouse.secret\"    # beside this file

A flag goes before the environment, and the environment before the profile; a
secret is never a flag. `org-invitations doctor` tells what won, and
`org-invitations schema config` all that a profile may have.

Other variables: ORG_INVITATIONS_PROVIDER, ORG_INVITATIONS_PROFILE,
ORG_INVITATIONS_CONFIG, NO_COLOR.

Data goes to stdout, everything else to stderr.

Exit codes:
    0  done
    1  refused, failed, or done only in part
    2  wrong usage or configuration
    3  the credential is wrong (401) or lacks the right (403)
    4  not found
  130  interrupted (Ctrl-C)

Examples:
  org-invitations -p confluent list --expiring-within 24h
  org-invitations -p confluent -p clickhouse list -o csv
  org-invitations -p clickhouse create ann@example.com --role developer
  org-invitations --profile kafka renew --expired
  org-invitations demo";

/// The options of every command, before or after its name.
#[derive(Args, Clone, Debug)]
pub(crate) struct GlobalOptions {
    /// Whose organisation: confluent, clickhouse, or sandbox for a private one in memory. `list` and
    /// `doctor` take it more than once.
    #[arg(
        long, short, global = true, value_enum,
        hide_possible_values = true, help_heading = CONNECTION
    )]
    pub provider: Vec<ProviderName>,

    /// The profile of the configuration file to use.
    #[arg(long, value_name = "NAME", global = true, help_heading = CONNECTION)]
    pub profile: Option<String>,

    /// The configuration file, in place of the one in its usual place.
    #[arg(long, value_name = "FILE", global = true, help_heading = CONNECTION)]
    pub config_file: Option<PathBuf>,

    /// Where requests go, in place of the vendor.
    #[arg(long, value_name = "URL", global = true, help_heading = CONNECTION)]
    pub base_url: Option<String>,

    /// The organisation's id (ClickHouse).
    #[arg(long, value_name = "ID", global = true, help_heading = CONNECTION)]
    pub organization_id: Option<String>,

    /// How results are printed.
    #[arg(
        long, short, value_name = "FORMAT", global = true, value_enum, default_value_t,
        hide_possible_values = true, help_heading = OUTPUT,
        help = "How results are printed: table, json, jsonl, csv, yaml; for `spec diff` markdown too"
    )]
    pub output: Format,

    /// Colours: auto, always, never. `auto` is on a terminal, unless NO_COLOR is set.
    #[arg(
        long, value_name = "WHEN", global = true, value_enum, default_value_t,
        hide_possible_values = true, help_heading = OUTPUT
    )]
    pub color: ColorChoice,

    /// Tell on stderr what is sent; twice for more.
    #[arg(long, short, global = true, action = clap::ArgAction::Count, help_heading = OUTPUT)]
    pub verbose: u8,
}

/// The headings of the global options in the help.
const CONNECTION: &str = "Connection";
const OUTPUT: &str = "Output";

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

impl ProviderName {
    /// The provider of the library; `None` for the sandbox.
    pub fn kind(self) -> Option<ProviderKind> {
        match self {
            Self::Confluent => Some(ProviderKind::Confluent),
            Self::ClickHouse => Some(ProviderKind::ClickHouse),
            Self::Sandbox => None,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the invitations of the organisation.
    List(ListArgs),
    /// Show invitations by their ids.
    Get(GetArgs),
    /// Invite people.
    Create(CreateArgs),
    /// Withdraw invitations.
    Delete(DeleteArgs),
    /// Invite again: withdraw invitations and send them anew, with the same roles and login.
    Renew(RenewArgs),
    /// Show what applying a roster would change.
    Plan(PlanArgs),
    /// Invite the people of a roster, and renew or withdraw what has to be.
    Apply(ApplyArgs),
    /// Invite to one organisation those who are invited to another.
    Copy(CopyArgs),
    /// Check the setup: where each value comes from, and whether the provider answers.
    #[command(after_help = crate::commands::doctor::EXAMPLES)]
    Doctor,
    /// Show everything on both providers, against the built-in sandbox.
    #[command(after_help = "Example:\n  org-invitations demo")]
    Demo,
    /// Query and change invitations in SQL.
    #[cfg(feature = "sql")]
    Sql(crate::commands::sql::SqlArgs),
    /// Serve both vendors' APIs from memory, to test against.
    Sandbox(SandboxArgs),
    /// Look at a vendor's OpenAPI document: what changed, and whether the library builds from it.
    #[command(subcommand)]
    Spec(SpecCommand),
    /// Print the JSON Schema of what a command prints, or of the configuration file.
    Schema(SchemaArgs),
    /// Print what makes a shell complete this command's options.
    Completions(CompletionsArgs),
    /// Print the manual as man pages.
    Man(ManArgs),
}

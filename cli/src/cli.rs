//! The command line: global options and commands. The arguments of a command are in its module under `commands/`.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{Args, FromArgMatches, Parser, Subcommand, ValueEnum};
use org_invitations::ProviderKind;

use crate::{
    audit::AuditLog,
    commands::{
        apply::ApplyArgs, completions::CompletionsArgs, config::ConfigCommand, copy::CopyArgs,
        create::CreateArgs, delete::DeleteArgs, export::ExportArgs, get::GetArgs, list::ListArgs,
        man::ManArgs, members::MembersCommand, plan::PlanArgs, remove::RemoveArgs,
        renew::RenewArgs, roles::RolesCommand, sandbox::SandboxArgs, schema::SchemaArgs,
        spec::SpecCommand, who::WhoArgs,
    },
    completion,
    failure::Failure,
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
  org-invitations -p clickhouse create ann@example.com --role Developer
  org-invitations doctor       # check the configuration and the connection

`--help` describes credentials, the configuration file and exit codes.";

const LONG_HELP: &str = "\
Credentials come from the environment or from a profile:

  confluent   CONFLUENT_CLOUD_API_KEY, CONFLUENT_CLOUD_API_SECRET,
              and CONFLUENT_CLOUD_ENDPOINT for another base URL
  clickhouse  CLICKHOUSE_ORG_ID, CLICKHOUSE_CLOUD_API_KEY,
              CLICKHOUSE_CLOUD_API_SECRET,
              and CLICKHOUSE_API_URL for another base URL

The quickest way to a profile is `org-invitations config init`, which asks.
Profiles are in ~/.config/org-invitations/config.toml (in XDG_CONFIG_HOME if
that is set; on Windows in %APPDATA%\\org-invitations):

  default_profile = \"kafka\"

  [profiles.kafka]
  provider = \"confluent\"
  api_key = \"ABCDEFGH12345678\"
  api_secret_command = \"pass show confluent/api-secret\"

  [profiles.warehouse]
  provider = \"clickhouse\"
  organization_id = \"11111111-2222-3333-4444-555555555555\"
  api_key = \"abcdefgh\"
  api_secret_file = \"clickhouse.secret\"    # in the folder of this file
  connection.proxy = \"socks5h://127.0.0.1:1080\"

A flag overrides the environment, and the environment overrides the profile.
Without a flag, the default profile (`config use`) or the only provider that is set
up is used.
Secrets are never flags. `org-invitations doctor` shows the source of each
value, and `org-invitations schema config` describes every key of a profile.

Requests go through the proxy of --proxy, else of `connection.proxy` of the profile,
else of HTTPS_PROXY or ALL_PROXY, which NO_PROXY limits. --ca-file or
`connection.ca_file` adds root certificates, for a proxy that looks into TLS.
Commands that run at the same time with one key keep its rate limit together if its
profile names a file for it: `connection.shared_rate_limit.file = \"FILE\"`.

Many organisations: `list`, `members list`, `who`, `plan` and `doctor` take
--profile more than once, or --all-profiles. They read from up to 256
organisations at once, each with its own key and rate limit, and print the rows
in the order of the profiles (with --all-profiles: of their names), with a column
`profile`. A profile that fails hides none of the others; the exit code is then 1,
or that of the failures if nothing succeeded.

The audit log: each change of an organisation appends a line of JSON to the file of
--audit-log, of ORG_INVITATIONS_AUDIT_LOG, or of `audit_log = \"FILE\"` at the top
of the configuration file. It says when, who (the user, the profile and the id of
the key, never a secret), what, the outcome (done, failed or unknown) and the id of
the request. If the file cannot be opened, the command changes nothing; if it
cannot be written, no further change begins. A line is written once the outcome is
known: a change that was in progress when the process was killed has none.
`org-invitations schema audit-log` describes a line.

Other variables: ORG_INVITATIONS_PROVIDER, ORG_INVITATIONS_PROFILE,
ORG_INVITATIONS_CONFIG, ORG_INVITATIONS_SANDBOX_URL, NO_COLOR.

Data goes to stdout, everything else to stderr. With `-o json` a result is always
an array, also of one or no element, so that `jq '.[]'` is right everywhere;
`-o jsonl` has the same elements, one a line, and `-o yaml` the same list.
`schema` and `spec show` print one document.

Exit codes:
    0  success
    1  rejected, failed, or done only in part
    2  wrong usage or configuration
    3  the credential is invalid (401) or lacks a permission (403)
    4  not found
  130  interrupted (Ctrl-C)

Examples:
  org-invitations -p confluent list --expiring-within 24h
  org-invitations -p confluent -p clickhouse list -o csv
  org-invitations -p clickhouse create ann@example.com --role Developer
  org-invitations --profile kafka renew --expired
  org-invitations --all-profiles who ann@example.com
  org-invitations demo";

/// The options of every command, before or after its name.
#[derive(Args, Clone, Debug)]
pub(crate) struct GlobalOptions {
    /// The provider: confluent, clickhouse, or sandbox (in memory). `list`, `members list`, `who` and
    /// `doctor` accept it more than once.
    #[arg(
        long, short, global = true, value_enum, ignore_case = true,
        hide_possible_values = true, help_heading = CONNECTION
    )]
    pub provider: Vec<ProviderName>,

    /// The profile of the configuration file. `list`, `members list`, `who`, `plan` and `doctor`
    /// accept it more than once.
    #[arg(
        long, value_name = "NAME", global = true, help_heading = CONNECTION,
        add = completion::profiles()
    )]
    pub profile: Vec<String>,

    /// Every profile of the configuration file, or every profile of the given providers, for the
    /// commands that accept --profile more than once.
    #[arg(long, global = true, help_heading = CONNECTION)]
    pub all_profiles: bool,

    /// The configuration file, instead of the default one.
    #[arg(long, value_name = "FILE", global = true, help_heading = CONNECTION)]
    pub config_file: Option<PathBuf>,

    /// The base URL of the API, instead of the vendor's.
    #[arg(long, value_name = "URL", global = true, help_heading = CONNECTION)]
    pub base_url: Option<String>,

    /// The id of the organisation (ClickHouse).
    #[arg(long, value_name = "ID", global = true, help_heading = CONNECTION)]
    pub organization_id: Option<String>,

    /// A file of root certificates in PEM to accept besides the system's.
    #[arg(long, value_name = "FILE", global = true, help_heading = CONNECTION)]
    pub ca_file: Option<PathBuf>,

    /// The proxy: http://, https://, socks5:// or socks5h:// (names are resolved by the proxy), instead of
    /// that of HTTPS_PROXY or ALL_PROXY.
    #[arg(long, value_name = "URL", global = true, help_heading = CONNECTION)]
    pub proxy: Option<String>,

    /// The longest time of one call to the API with its retries, such as 30s or 5m [default: 2m].
    #[arg(
        long, value_name = "TIME", global = true, help_heading = CONNECTION,
        value_parser = time_limit
    )]
    pub timeout: Option<Duration>,

    /// The output format.
    #[arg(
        long, short, value_name = "FORMAT", global = true, value_enum, default_value_t,
        hide_possible_values = true, help_heading = OUTPUT,
        help = "The output format: table, json, jsonl, csv, yaml; `spec diff` also has markdown"
    )]
    pub output: Format,

    /// When to use colours: auto, always, never. `auto` is on a terminal, unless NO_COLOR is set.
    #[arg(
        long, value_name = "WHEN", global = true, value_enum, default_value_t,
        hide_possible_values = true, help_heading = OUTPUT
    )]
    pub color: ColorChoice,

    /// Append a line of JSON to this file for each change: when, who, what, and what became of it.
    #[arg(long, value_name = "FILE", global = true, help_heading = OUTPUT)]
    pub audit_log: Option<PathBuf>,

    /// Log requests on stderr; repeat for more detail.
    #[arg(long, short, global = true, action = clap::ArgAction::Count, help_heading = OUTPUT)]
    pub verbose: u8,

    /// The audit log of the command.
    #[arg(skip)]
    pub audit: AuditLog,
}

impl GlobalOptions {
    /// Adds the providers and profiles that stand before the command. Clap drops them if there are others after it.
    pub fn with_options_before_command(mut self, args: impl IntoIterator<Item = OsString>) -> Self {
        let command =
            Self::augment_args(clap::Command::new("before")).allow_external_subcommands(true);
        let matches = command.try_get_matches_from(args);
        let Ok(before) = matches.and_then(|matches| Self::from_arg_matches(&matches)) else {
            return self;
        };
        // Without others after the command, Clap has kept them.
        if self.provider != before.provider {
            self.provider.splice(0..0, before.provider);
        }
        if self.profile != before.profile {
            self.profile.splice(0..0, before.profile);
        }
        self.all_profiles |= before.all_profiles;
        self
    }

    /// Rejects connection flags for a command that does not use them.
    pub fn reject_connection_flags(&self, why: &str) -> Result<(), Failure> {
        self.reject_selecting_flags(why)?;
        reject(
            why,
            [
                ("--ca-file", self.ca_file.is_some()),
                ("--proxy", self.proxy.is_some()),
                ("--timeout", self.timeout.is_some()),
                ("--audit-log", self.audit_log.is_some()),
            ],
        )
    }

    /// Rejects the flags that say which organisation is meant.
    pub fn reject_selecting_flags(&self, why: &str) -> Result<(), Failure> {
        reject(
            why,
            [
                ("--provider", !self.provider.is_empty()),
                ("--profile", !self.profile.is_empty()),
                ("--all-profiles", self.all_profiles),
                ("--base-url", self.base_url.is_some()),
                ("--organization-id", self.organization_id.is_some()),
            ],
        )
    }
}

/// Rejects the first of these flags that is given.
fn reject<const N: usize>(why: &str, flags: [(&str, bool); N]) -> Result<(), Failure> {
    match flags.into_iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) => Err(Failure::Usage(format!("{flag} has no effect: {why}"))),
        None => Ok(()),
    }
}

/// A time limit, such as `30s`, which is more than nothing.
fn time_limit(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if time.is_zero() => Err("no call could succeed within 0 seconds".to_owned()),
        Ok(time) => Ok(time),
        Err(_) => Err("not a time; write 30s, 5m or 1h".to_owned()),
    }
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
    /// An empty organisation in memory, with Confluent's API.
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
    /// List the invitations of an organisation.
    List(ListArgs),
    /// Show invitations by id or address.
    Get(GetArgs),
    /// Invite people.
    Create(CreateArgs),
    /// Withdraw invitations.
    Delete(DeleteArgs),
    /// Renew invitations: withdraw and create them again with the same roles and login.
    Renew(RenewArgs),
    /// Remove people, whether they are invited or members.
    Remove(RemoveArgs),
    /// Write people and their roles as a roster.
    Export(ExportArgs),
    /// Show whether people are invited or members, at every selected provider.
    Who(WhoArgs),
    /// List, show, change and remove the members of an organisation.
    #[command(subcommand)]
    Members(MembersCommand),
    /// Show the roles of an organisation.
    #[command(subcommand)]
    Roles(RolesCommand),
    /// Show what applying a roster would change.
    Plan(PlanArgs),
    /// Apply a roster: invite its people, and renew or withdraw invitations as needed.
    Apply(ApplyArgs),
    /// Copy the invitations of one organisation to another.
    Copy(CopyArgs),
    /// Set up profiles: write, list and test them, and choose the default one.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Check the configuration: the source of each value, and whether the provider responds.
    #[command(after_help = crate::commands::doctor::EXAMPLES)]
    Doctor,
    /// Demonstrate both providers against the built-in sandbox.
    #[command(after_help = "Example:\n  org-invitations demo")]
    Demo,
    /// Query and change invitations in SQL.
    #[cfg(feature = "sql")]
    Sql(crate::commands::sql::SqlArgs),
    /// Serve both vendors' APIs from memory, for tests.
    Sandbox(SandboxArgs),
    /// Serve one organisation by the Model Context Protocol, for assistants: reading, unless writes are
    /// allowed.
    #[cfg(feature = "mcp")]
    Mcp(crate::commands::mcp::McpArgs),
    /// Compare and check a vendor's OpenAPI documents.
    #[command(subcommand)]
    Spec(SpecCommand),
    /// Print the JSON Schema of a command's output or of the configuration file.
    Schema(SchemaArgs),
    /// Print a completion script for a shell.
    Completions(CompletionsArgs),
    /// Print the manual as man pages.
    Man(ManArgs),
}

impl Command {
    /// Whether the command, if it is there to change an organisation, only shows what it would change. `sql` may be there
    /// for either.
    pub fn dry_run(&self) -> Option<bool> {
        Some(match self {
            Self::Create(args) => args.dry_run,
            Self::Delete(args) => args.dry_run,
            Self::Renew(args) => args.dry_run,
            Self::Remove(args) => args.options.dry_run,
            Self::Apply(args) => args.apply.dry_run,
            Self::Copy(args) => args.apply.dry_run,
            Self::Members(MembersCommand::SetRoles(args)) => args.dry_run,
            Self::Members(MembersCommand::Remove(args)) => args.options.dry_run,
            Self::List(_)
            | Self::Get(_)
            | Self::Export(_)
            | Self::Who(_)
            | Self::Members(MembersCommand::List(_) | MembersCommand::Get(_))
            | Self::Roles(_)
            | Self::Plan(_)
            | Self::Doctor
            | Self::Config(_)
            | Self::Demo
            | Self::Sandbox(_)
            | Self::Spec(_)
            | Self::Schema(_)
            | Self::Completions(_)
            | Self::Man(_) => return None,
            #[cfg(feature = "sql")]
            Self::Sql(_) => return None,
            #[cfg(feature = "mcp")]
            Self::Mcp(args) => return args.allow_writes.then_some(false),
        })
    }
}

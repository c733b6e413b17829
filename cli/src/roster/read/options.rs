//! How a roster is read.

use clap::{Args, ValueEnum};
use org_invitations::RoleGrant;

/// How a roster is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RosterFormat {
    /// A header, then a line for each person, or only an address on each line.
    Csv,
    /// An array of objects or addresses.
    Json,
    /// An object or an address on each line.
    Jsonl,
    /// YAML with the values of the JSON.
    Yaml,
}

/// How to read the roster.
#[derive(Args, Debug, Default)]
pub(crate) struct ReadOptions {
    /// The format of the roster. Default: by its file extension.
    #[arg(long, value_enum)]
    pub format: Option<RosterFormat>,
    /// The column with the addresses, if its name is not recognised or several could be it.
    #[arg(long, value_name = "NAME")]
    pub email_column: Option<String>,
    /// The column with the roles, if its name is not recognised or several could be it.
    #[arg(long, value_name = "NAME")]
    pub role_column: Option<String>,
    /// A role for each person whose row has none; repeat for several roles.
    #[arg(long, value_name = "NAME[@SCOPE]")]
    pub default_role: Vec<RoleGrant>,
    /// Reject columns that would be ignored, text whose encoding would be a guess, and people who are
    /// switched off in their directory.
    #[arg(long)]
    pub strict: bool,
}

impl ReadOptions {
    /// An option that is given.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            (self.format.is_some(), "--format"),
            (self.email_column.is_some(), "--email-column"),
            (self.role_column.is_some(), "--role-column"),
            (!self.default_role.is_empty(), "--default-role"),
            (self.strict, "--strict"),
        ];
        let mut given = given.into_iter().filter(|(is_given, _)| *is_given);
        given.next().map(|(_, option)| option)
    }
}

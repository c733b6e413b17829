//! The arguments of the tools, and the command lines that they become: what a command checks, the tool checks too.

use std::fmt::Display;

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The words of a command line.
#[derive(Debug)]
pub(super) struct Words {
    options: Vec<String>,
    rest: Vec<String>,
}

impl Words {
    pub fn new() -> Self {
        Self {
            options: Vec::new(),
            rest: Vec::new(),
        }
    }

    pub fn flag(mut self, name: &str, is_set: bool) -> Self {
        if is_set {
            self.options.push(format!("--{name}"));
        }
        self
    }

    /// One option for each value. A value is part of its word, so that none is taken for an option.
    pub fn option<T: Display>(mut self, name: &str, values: impl IntoIterator<Item = T>) -> Self {
        let words = values.into_iter().map(|value| format!("--{name}={value}"));
        self.options.extend(words);
        self
    }

    pub fn rest(mut self, words: &[String]) -> Self {
        self.rest.extend_from_slice(words);
        self
    }

    /// The arguments of a command. The error says what is wrong with them.
    pub fn parse<A: Args>(self, command: &'static str) -> Result<A, String> {
        let words = [command.to_owned()].into_iter().chain(self.options);
        let words = words.chain(["--".to_owned()]).chain(self.rest);
        let parser = A::augment_args(clap::Command::new(command).no_binary_name(false));
        let parsed = parser.try_get_matches_from(words);
        let parsed = parsed.and_then(|matches| A::from_arg_matches(&matches));
        parsed.map_err(|error| {
            let text = error.render().to_string();
            let about = text.split("\n\nUsage:").next().unwrap_or_default();
            let about = about.split("\n\nFor more information").next();
            about.unwrap_or_default().trim_end().to_owned()
        })
    }
}

/// How many records a tool answers at most, unless the call says otherwise.
pub(super) const DEFAULT_LIMIT: u32 = 200;

fn default_limit() -> u32 {
    DEFAULT_LIMIT
}

const fn yes() -> bool {
    true
}

/// The arguments of `list_invitations`. An invitation has to match all of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListInvitations {
    /// Only invitations for this address, in any spelling.
    pub email: Option<String>,
    /// Only invitations for addresses of this domain, without its subdomains.
    pub email_domain: Option<String>,
    /// Only invitations with this status: sent, staged, accepted, expired or deactivated (Confluent).
    pub status: Option<String>,
    /// Only invitations with this role, by name or id (ClickHouse).
    pub role: Option<String>,
    /// Only expired invitations.
    #[serde(default)]
    pub expired: bool,
    /// Only open invitations that expire within this time, such as 24h or 7d.
    pub expiring_within: Option<String>,
    /// Only invitations created before this time: 2026-10-31, 2026-10-31T12:00:00Z, or 30d for 30 days ago.
    pub created_before: Option<String>,
    /// How many invitations to answer at most.
    #[serde(default = "default_limit")]
    #[schemars(range(min = 1))]
    pub limit: u32,
}

impl ListInvitations {
    pub fn words(&self) -> Words {
        Words::new()
            .option("email", &self.email)
            .option("email-domain", &self.email_domain)
            .option("status", &self.status)
            .option("role", &self.role)
            .flag("expired", self.expired)
            .option("expiring-within", &self.expiring_within)
            .option("created-before", &self.created_before)
            // One more shows that there are more.
            .option("limit", [u64::from(self.limit) + 1])
    }
}

/// The arguments of `who`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Who {
    /// The addresses to look for, in any spelling.
    #[schemars(length(min = 1))]
    pub emails: Vec<String>,
    /// Read the roles too.
    #[serde(default)]
    pub roles: bool,
}

impl Who {
    pub fn words(&self) -> Words {
        Words::new().flag("roles", self.roles).rest(&self.emails)
    }
}

/// The arguments of `list_members`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListMembers {
    /// Read the roles too, where the list of members does not have them (Confluent).
    #[serde(default)]
    pub roles: bool,
    /// How many members to answer at most.
    #[serde(default = "default_limit")]
    #[schemars(range(min = 1))]
    pub limit: u32,
}

impl ListMembers {
    pub fn words(&self) -> Words {
        Words::new().flag("roles", self.roles)
    }
}

/// The arguments of `list_roles`: none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListRoles {}

/// A person of a roster.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Person {
    /// The address.
    pub email: String,
    /// The roles by name or id, on Confluent `NAME@SCOPE`, such as `EnvironmentAdmin@env-123`. Without this, the roles
    /// of the person stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// The login of a new invitation: local or sso (Confluent).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_type: Option<String>,
    /// `remove` withdraws the invitation and, with `prune_members`, removes the member. Default: the person is to be
    /// in the organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// With the action `remove`, the id of the one invitation that is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// The arguments of `plan`: the people who are to be in the organisation, and what becomes of others.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Roster {
    /// The people.
    pub people: Vec<Person>,
    /// Withdraw the invitations of everybody who is not among the people.
    #[serde(default)]
    pub prune: bool,
    /// Remove members too: with `prune` those who are not among the people, and those with the action `remove`.
    #[serde(default)]
    pub prune_members: bool,
    /// Allow that no people, with `prune`, remove everybody.
    #[serde(default)]
    pub allow_empty: bool,
    /// Never remove these, by address or id, besides those that the server keeps.
    #[serde(default)]
    pub keep: Vec<String>,
    /// How many administrators have to remain among the members, if that is more than the server's number.
    #[serde(default)]
    pub min_admins: Option<usize>,
    /// How many invitations and members may be taken away, if that is less than the server's limit.
    #[serde(default)]
    pub max_deletes: Option<usize>,
}

/// The arguments of `apply`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApplyPeople {
    #[serde(flatten)]
    pub roster: Roster,
    /// Accept that everything that removed members own is deleted too, API keys included (Confluent).
    #[serde(default)]
    pub delete_owned: bool,
    /// Show what would change, and change nothing.
    #[serde(default = "yes")]
    pub dry_run: bool,
}

/// The arguments of `create`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Create {
    /// The addresses to invite.
    #[schemars(length(min = 1))]
    pub emails: Vec<String>,
    /// The roles of everybody who is invited, by name or id, on Confluent `NAME@SCOPE`.
    #[serde(default)]
    pub roles: Vec<String>,
    /// How the invitees log in: local or sso (Confluent).
    pub auth_type: Option<String>,
    /// Succeed where the invitation already exists, and answer it.
    #[serde(default)]
    pub if_not_exists: bool,
    /// Show who would be invited, and invite nobody.
    #[serde(default = "yes")]
    pub dry_run: bool,
}

impl Create {
    pub fn words(&self) -> Words {
        Words::new()
            .option("role", &self.roles)
            .option("auth-type", &self.auth_type)
            .flag("if-not-exists", self.if_not_exists)
            .flag("dry-run", self.dry_run)
            .rest(&self.emails)
    }
}

/// The arguments of `renew`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Renew {
    /// The ids of invitations, or addresses.
    #[serde(default)]
    pub invitations: Vec<String>,
    /// Renew every expired invitation, instead of those that are named.
    #[serde(default)]
    pub expired: bool,
    /// How many invitations that have not expired may be replaced, if that is less than the server's limit.
    #[serde(default)]
    pub max_deletes: Option<usize>,
    /// Show what would be renewed, and renew nothing.
    #[serde(default = "yes")]
    pub dry_run: bool,
}

impl Renew {
    pub fn words(&self) -> Words {
        Words::new()
            .flag("expired", self.expired)
            .flag("dry-run", self.dry_run)
            .flag("yes", !self.dry_run)
            .rest(&self.invitations)
    }
}

/// The arguments of `remove`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Remove {
    /// The addresses of the people to remove, in any spelling.
    #[schemars(length(min = 1))]
    pub emails: Vec<String>,
    /// Never remove these, by address or id, besides those that the server keeps.
    #[serde(default)]
    pub keep: Vec<String>,
    /// How many administrators have to remain among the members, if that is more than the server's number.
    #[serde(default)]
    pub min_admins: Option<usize>,
    /// How many invitations and members may be taken away, if that is less than the server's limit.
    #[serde(default)]
    pub max_deletes: Option<usize>,
    /// Accept that everything that removed members own is deleted too, API keys included (Confluent).
    #[serde(default)]
    pub delete_owned: bool,
    /// Show what would be removed, and remove nothing.
    #[serde(default = "yes")]
    pub dry_run: bool,
}

impl Remove {
    pub fn words(&self) -> Words {
        Words::new()
            .flag("delete-owned", self.delete_owned)
            .flag("dry-run", self.dry_run)
            .flag("yes", !self.dry_run)
            .rest(&self.emails)
    }
}

impl ApplyPeople {
    pub fn words(&self) -> Words {
        let words = self.roster.words().flag("delete-owned", self.delete_owned);
        words
            .flag("dry-run", self.dry_run)
            .flag("yes", !self.dry_run)
    }
}

impl Roster {
    pub fn words(&self) -> Words {
        Words::new()
            .option("format", ["json"])
            .flag("prune", self.prune)
            .flag("prune-members", self.prune_members)
            .flag("allow-empty", self.allow_empty)
            .rest(&["people".to_owned()])
    }

    /// The roster as JSON, a person on each line, so that the number of a line is that of the person.
    pub fn text(&self) -> Result<String, String> {
        let rows = self.people.iter().map(serde_json::to_string);
        let rows: Result<Vec<String>, _> = rows.collect();
        let rows = rows.map_err(|error| error.to_string())?;
        Ok(format!("[{}]", rows.join(",\n")))
    }
}

//! `sql`: run statements from the command line, a file, a pipe or a prompt.

mod engine;
mod memory;
mod prompt;
mod rows;
mod statement;
mod tables;
mod value;

use std::{
    fs,
    io::{self, IsTerminal, Read},
    path::PathBuf,
};

use clap::Args;

use self::{statement::Session, tables::Writes};
use crate::{
    bulk::{PauseOptions, RemovalOptions},
    cli::GlobalOptions,
    failure::Failure,
    interrupt::Interrupt,
    output::Output,
    providers,
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations sql \"SELECT email FROM invitations WHERE status = 'sent'\"
  org-invitations sql -o csv \"SELECT status, count(*) FROM invitations GROUP BY 1\"
  org-invitations sql \"SELECT email FROM 'hr.csv' EXCEPT SELECT email FROM invitations\"
  org-invitations sql \"DELETE FROM invitations WHERE status = 'expired'\"
  org-invitations sql -f report.sql
  org-invitations sql            # a prompt

Tables of every configured provider, or of those selected with --provider:
  confluent.iam.invitations        as Confluent's API has them
  clickhouse.members.invitations   as ClickHouse's API has them
  invitations                      of all, with the column `provider`
  members, role_bindings, roles    likewise: who belongs to the organisation, who has
                                   which role, and the roles there are (ClickHouse)
  'hr.csv'                         a file: .csv, .tsv, .json (an array, or an object a
                                   line), .jsonl, .ndjson or .parquet

`DESCRIBE confluent.iam.invitations` shows the columns, `EXPLAIN SELECT …` what
would be sent. Conditions on id, email, status, \"user\" and creator, and LIMIT,
are sent to the provider if it supports them. INSERT invites: email, and auth_type
(Confluent) or role or role_ids (ClickHouse); into role_bindings it gives a role:
member_id or email, role_id or role_name, and scope (Confluent). DELETE first
selects the rows that match its whole condition, and then deletes them: DELETE FROM
role_bindings takes roles, and DELETE FROM members, which needs
--allow-remove-members, removes people. DRY RUN at the end of an INSERT or DELETE
lists the rows, and changes nothing. --max-deletes is for each DELETE. Providers of a profile have the column
`profile`.")]
pub(crate) struct SqlArgs {
    /// One statement, or several with `;` between them.
    #[arg(value_name = "SQL", conflicts_with = "file")]
    pub statement: Option<String>,
    /// A file with statements; `-` is standard input.
    #[arg(long, short, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Allow a DELETE without WHERE.
    #[arg(long)]
    pub allow_delete_all: bool,
    /// Allow a DELETE from members. On Confluent it also deletes everything that the users own, API keys included.
    #[arg(long)]
    pub allow_remove_members: bool,
    /// How much memory statements may use, such as 2GiB, before they spill to temporary files or fail. Default: half of
    /// what there is.
    #[arg(long, value_name = "BYTES", value_parser = memory::parse_bytes)]
    pub memory_limit: Option<usize>,
    #[command(flatten)]
    pub removals: RemovalOptions,
    #[command(flatten)]
    pub pause: PauseOptions,
}

pub(crate) async fn run(
    global: &GlobalOptions,
    options: SqlArgs,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let text = read(&options)?;
    let providers = providers::all_configured(global).await?;
    let writes = Writes::new(&options);
    let memory = options.memory_limit.unwrap_or_else(memory::default_limit);
    let session = Session::new(&providers, writes, memory)?;
    match text {
        Some(text) => session.run_all(&text, interrupt, out).await,
        None => prompt::run(&session, interrupt, out).await,
    }
}

/// Reads the statements; `None` if they are typed at a prompt.
fn read(options: &SqlArgs) -> Result<Option<String>, Failure> {
    let read_stdin = || {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text)?;
        Ok::<_, io::Error>(text)
    };
    let text = match (&options.statement, &options.file) {
        (Some(statement), _) => return Ok(Some(statement.clone())),
        (None, Some(path)) if path.as_os_str() == "-" => read_stdin(),
        (None, Some(path)) => fs::read_to_string(path)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
        (None, None) if io::stdin().is_terminal() => return Ok(None),
        (None, None) => read_stdin(),
    };
    text.map(Some)
        .map_err(|error| Failure::Usage(format!("cannot read the statements: {error}")))
}

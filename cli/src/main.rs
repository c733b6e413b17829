//! The command `org-invitations`: invite people to Confluent Cloud and ClickHouse Cloud.
//!
//! | | |
//! |---|---|
//! | `cli` | the command line: global options and the list of commands |
//! | `commands/` | one module for each command, with its arguments and examples |
//! | `roster/` | reading rosters, and writing the rows that fail |
//! | `apply/` | applying a plan: prompt, progress, journal, report |
//! | `audit/` | the audit log: a line for each change |
//! | `bulk/` | many invitations or organisations at once: concurrency, outages, the limit on deletions |
//! | `config/` | the configuration file, the environment and flags, and their precedence |
//! | `output/` | one module for each format; colours; escaping |
//! | `completion` | candidates for shell completion |
//! | `provider` | building a provider from its configuration |
//! | `providers` | the providers that a command works on |
//! | `failure` | messages, hints and exit codes |
//! | `messages` | messages for people |
//! | `interrupt` | Ctrl-C |
//! | `prompt` | confirmation prompts |
//! | `version` | the version, and the documents that the bindings are generated from |

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

// Its macro `eprintln!` is that of every module after it.
#[macro_use]
mod messages;

mod apply;
mod audit;
mod bulk;
mod cli;
mod commands;
mod completion;
mod config;
mod failure;
mod interrupt;
mod logging;
mod output;
mod private_file;
mod prompt;
mod provider;
mod providers;
mod roster;
mod suggest;
mod version;

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use clap::{ArgMatches, CommandFactory, FromArgMatches};

use crate::{
    audit::AuditLog,
    cli::{Cli, Command},
    failure::{Exit, Failure},
    interrupt::Interrupt,
    output::{ColorChoice, Format, Output},
};

fn main() -> ExitCode {
    completion::answer();
    // Clap prints the help, which is coloured too, before the command line is parsed.
    let colors =
        ColorChoice::from_args(std::env::args_os().filter_map(|word| word.into_string().ok()));
    let command = Cli::command().long_version(version::long());
    let is_for_eval = commands::sandbox::is_for_eval(std::env::args_os());
    let matches = command.color(colors.into()).try_get_matches();
    let parsed = matches.and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches)));
    let (mut cli, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            if is_for_eval && error.use_stderr() {
                commands::sandbox::fail_eval();
            }
            error.exit()
        }
    };
    cli.global = cli.global.with_options_before_command(std::env::args_os());
    logging::start(cli.global.verbose, cli.global.color);
    let audit = AuditLog::of_command(&command_name(&matches), cli.command.dry_run());
    cli.global.audit = audit.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(run(cli));
            // A prompt without an answer still blocks its thread.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(Failure::from(error)),
    };
    audit.report_unwritten();
    match outcome {
        Ok(()) if audit.is_whole() => ExitCode::SUCCESS,
        Ok(()) => Exit::Failed.into(),
        Err(failure) => {
            failure.report();
            if is_for_eval {
                commands::sandbox::fail_eval();
            }
            failure.exit().map_or(ExitCode::SUCCESS, ExitCode::from)
        }
    }
}

/// The name of the command, such as `members remove`.
fn command_name(matches: &ArgMatches) -> String {
    let mut names = Vec::new();
    let mut next = matches.subcommand();
    while let Some((name, matches)) = next {
        names.push(name);
        next = matches.subcommand();
    }
    names.join(" ")
}

async fn run(cli: Cli) -> Result<(), Failure> {
    let Cli { global, command } = cli;
    if global.output == Format::Markdown
        && !matches!(
            command,
            Command::Spec(commands::spec::SpecCommand::Diff { .. })
        )
    {
        let message = "only `spec diff` prints markdown".to_owned();
        return Err(Failure::Usage(message));
    }
    if let Command::Demo
    | Command::Spec(_)
    | Command::Schema(_)
    | Command::Completions(_)
    | Command::Man(_) = command
    {
        global.reject_connection_flags("the command does not connect to an organisation")?;
    }
    let stdout = io::stdout();
    let colors = global.color.is_enabled(stdout.is_terminal());
    // The size is that of stdout, and of nothing if it is no terminal.
    let width = terminal_size::terminal_size_of(&stdout).map(|(width, _)| usize::from(width.0));
    let mut output = Output::new(global.output, colors, stdout).fitting(width);
    let out = &mut output;
    let interrupt = &Interrupt::listen();
    let outcome = match command {
        Command::List(options) => {
            let providers = providers::selected(&global).await?;
            commands::list::run(providers, options, interrupt, out).await
        }
        Command::Get(options) => {
            let provider = providers::single(&global).await?;
            commands::get::run(&provider, options, interrupt, out).await
        }
        Command::Create(options) => {
            let provider = providers::single(&global).await?;
            commands::create::run(&provider, options, interrupt, out).await
        }
        Command::Delete(options) => {
            let selected = providers::select_one(&global)?;
            commands::delete::check(&options)?;
            let provider = selected.connect().await?;
            commands::delete::run(&provider, options, interrupt, out).await
        }
        Command::Renew(options) => {
            let selected = providers::select_one(&global)?;
            commands::renew::check(&options)?;
            let provider = selected.connect().await?;
            commands::renew::run(&provider, options, interrupt, out).await
        }
        Command::Remove(options) => {
            commands::remove::check(&options)?;
            let provider = providers::single(&global).await?;
            commands::remove::run(&provider, options, interrupt, out).await
        }
        Command::Export(_) => {
            let provider = providers::single(&global).await?;
            commands::export::run(&provider, interrupt, out).await
        }
        Command::Who(options) => {
            let providers = providers::selected(&global).await?;
            commands::who::run(providers, &options, interrupt, out).await
        }
        Command::Members(command) => commands::members::run(&global, command, interrupt, out).await,
        Command::Roles(command) => {
            let provider = providers::single(&global).await?;
            commands::roles::run(&provider, &command, interrupt, out).await
        }
        Command::Plan(options) => {
            let providers = providers::selected_by_profile(&global).await?;
            commands::plan::run(providers, options, interrupt, out).await
        }
        Command::Apply(options) => {
            let selected = providers::select_one(&global)?;
            commands::apply::check(&options)?;
            let provider = selected.connect().await?;
            commands::apply::run(&provider, options, interrupt, out).await
        }
        Command::Copy(options) => {
            global.reject_selecting_flags(
                "`copy` names its two organisations with --from and --to",
            )?;
            commands::copy::check(&options)?;
            commands::copy::run(&global, options, interrupt, out).await
        }
        #[cfg(feature = "sql")]
        Command::Sql(options) => commands::sql::run(&global, options, interrupt, out).await,
        Command::Config(command) => commands::config::run(&global, command, interrupt, out).await,
        #[cfg(feature = "mcp")]
        Command::Mcp(options) => {
            let provider = providers::single(&global).await?;
            commands::mcp::run(&global, provider, options, interrupt).await
        }
        Command::Doctor => commands::doctor::run(&global, interrupt, out).await,
        Command::Demo => interrupt.or_unchanged("", commands::demo::run(out)).await,
        Command::Sandbox(options) => commands::sandbox::run(&global, options, interrupt, out).await,
        Command::Spec(command) => commands::spec::run(&command, out),
        Command::Schema(options) => commands::schema::run(&options, out),
        Command::Completions(options) => commands::completions::run(&options, out),
        Command::Man(options) => commands::man::run(&options, out),
    };
    let ended = match &outcome {
        Err(Failure::Library(error)) if Exit::of(error) != Exit::Usage => output.end_failed(),
        Err(Failure::Interrupted(_)) => output.end_failed(),
        _ => Ok(()),
    };
    let flushed = ended.and_then(|()| output.flush());
    outcome.and(flushed.map_err(Failure::from))
}

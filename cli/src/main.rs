//! The command `org-invitations`: invite people to Confluent Cloud and ClickHouse Cloud.
//!
//! | | |
//! |---|---|
//! | `cli` | the command line: global options and the list of commands |
//! | `commands/` | one file a command, with its options and examples |
//! | `config/` | the file, the environment and flags, and which of them wins |
//! | `output/` | one file a format; colours; what is escaped |
//! | `provider` | from the configuration to a provider |
//! | `failure` | messages, hints and exit codes |
//! | `interrupt` | Ctrl-C |
//! | `version` | which documents the bindings were generated from |

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bulk;
mod cli;
mod commands;
mod config;
mod failure;
mod interrupt;
mod logging;
mod output;
mod prompt;
mod provider;
mod roster;
mod suggest;
mod version;

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use clap::{CommandFactory, FromArgMatches};

use crate::{
    cli::{Cli, Command},
    commands::{
        apply, completions, copy, create, delete, demo, doctor, get, list, man, plan, renew,
        sandbox, schema, spec,
    },
    failure::Failure,
    interrupt::Interrupt,
    output::{ColorChoice, Format, Output},
};

fn main() -> ExitCode {
    // The help is coloured too, or not, and is printed before the command line is parsed.
    let colors = ColorChoice::among(std::env::args_os().filter_map(|word| word.into_string().ok()));
    let command = Cli::command().long_version(version::long());
    let matches = command.color(colors.into()).get_matches();
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    logging::start(cli.global.verbose, cli.global.color);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(run(cli));
            // A question that nobody answered still waits for its answer.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(Failure::from(error)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report();
            failure.exit().map_or(ExitCode::SUCCESS, ExitCode::from)
        }
    }
}

async fn run(cli: Cli) -> Result<(), Failure> {
    let Cli { global, command } = cli;
    if global.output == Format::Markdown
        && !matches!(command, Command::Spec(spec::SpecCommand::Diff { .. }))
    {
        let message = "only `spec diff` prints markdown".to_owned();
        return Err(Failure::Usage(message));
    }
    let stdout = io::stdout();
    let colors = global.color.on(stdout.is_terminal());
    let mut output = Output::new(global.output, colors, stdout);
    let out = &mut output;
    let interrupt = &Interrupt::listen();
    let outcome = match command {
        Command::List(options) => {
            let providers = provider::selected(&global).await?;
            list::run(&providers, options, interrupt, out).await
        }
        Command::Get(options) => {
            let provider = provider::single(&global).await?;
            get::run(&provider, options, interrupt, out).await
        }
        Command::Create(options) => {
            let provider = provider::single(&global).await?;
            create::run(&provider, options, interrupt, out).await
        }
        Command::Delete(options) => {
            delete::check(&options)?;
            let provider = provider::single(&global).await?;
            delete::run(&provider, options, interrupt, out).await
        }
        Command::Renew(options) => {
            renew::check(&options)?;
            let provider = provider::single(&global).await?;
            renew::run(&provider, options, interrupt, out).await
        }
        Command::Plan(options) => {
            let provider = provider::single(&global).await?;
            plan::run(&provider, options, interrupt, out).await
        }
        Command::Apply(options) => {
            apply::check(&options)?;
            let provider = provider::single(&global).await?;
            apply::run(&provider, options, interrupt, out).await
        }
        Command::Copy(options) => {
            copy::check(&options)?;
            copy::run(&global, options, interrupt, out).await
        }
        #[cfg(feature = "sql")]
        Command::Sql(options) => commands::sql::run(&global, options, interrupt, out).await,
        Command::Doctor => doctor::run(&global, interrupt, out).await,
        Command::Demo => interrupt.or_interrupted(demo::run(out)).await,
        Command::Sandbox(options) => sandbox::run(&options, interrupt, out).await,
        Command::Spec(command) => spec::run(&command, out),
        Command::Schema(options) => schema::run(&options, out),
        Command::Completions(options) => completions::run(&options, out),
        Command::Man(options) => man::run(&options, out),
    };
    let flushed = output.flush();
    outcome.and(flushed.map_err(Failure::from))
}

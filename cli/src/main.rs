//! The command `org-invitations`: invite people to Confluent Cloud and ClickHouse Cloud.

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod arguments;
mod commands;
mod demo;
mod failure;
mod output;
mod provider;
mod sandbox;
mod spec;

use std::{io, process::ExitCode};

use clap::Parser;

use crate::{
    arguments::{Arguments, Command, Format, SpecCommand},
    failure::Failure,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let is_diff = matches!(arguments.command, Command::Spec(SpecCommand::Diff { .. }));
    if arguments.output == Format::Markdown && !is_diff {
        return Err(Failure::Usage(
            "only `spec diff` prints markdown".to_owned(),
        ));
    }
    let mut out = output::Output::new(arguments.output, io::stdout().lock());
    match arguments.command {
        Command::Spec(command) => spec::run(&command, &mut out),
        Command::Demo => demo::run(&mut out).await,
        Command::Sandbox(options) => sandbox::run(&options, &mut out).await,
        Command::List(options) => {
            let provider = provider::connect(arguments.provider).await?;
            commands::list(&*provider, options, &mut out).await
        }
        Command::Get { id } => {
            let provider = provider::connect(arguments.provider).await?;
            commands::get(&*provider, &id, &mut out).await
        }
        Command::Create(options) => {
            let provider = provider::connect(arguments.provider).await?;
            commands::create(&*provider, options, &mut out).await
        }
        Command::Delete { id } => {
            let provider = provider::connect(arguments.provider).await?;
            commands::delete(&*provider, &id, &mut out).await
        }
    }
}

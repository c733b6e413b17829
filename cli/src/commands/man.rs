//! `man`: man pages.

use std::{fs, io::Write, path::PathBuf};

use clap::{Args, CommandFactory};
use clap_mangen::Man;

use crate::{cli::Cli, failure::Failure, output::Output};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations man | man -l -
  org-invitations man --to ~/.local/share/man/man1   # this page and one for each command")]
pub(crate) struct ManArgs {
    /// Write the pages of every command to this folder, instead of printing the main one.
    #[arg(long, value_name = "FOLDER")]
    pub to: Option<PathBuf>,
}

pub(crate) fn run(args: &ManArgs, out: &mut Output) -> Result<(), Failure> {
    let mut command = Cli::command();
    command.build();
    let Some(folder) = &args.to else {
        let mut page = Vec::new();
        Man::new(command).render(&mut page)?;
        return Ok(out.write_all(&page)?);
    };
    let written =
        fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(command, folder));
    written.map_err(|error| {
        Failure::Other(format!(
            "cannot write man pages to {}: {error}",
            folder.display()
        ))
    })
}

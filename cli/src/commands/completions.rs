//! `completions`: completion scripts for shells.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{cli::Cli, failure::Failure, output::Output};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations completions bash > /etc/bash_completion.d/org-invitations
  org-invitations completions zsh > ~/.zfunc/_org-invitations
  org-invitations completions fish > ~/.config/fish/completions/org-invitations.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs, out: &mut Output) -> Result<(), Failure> {
    // The generator panics on a broken pipe, so it writes to memory.
    let mut script = Vec::new();
    let mut command = Cli::command();
    clap_complete::generate(args.shell, &mut command, "org-invitations", &mut script);
    Ok(std::io::Write::write_all(out, &script)?)
}

//! `completions`: completion scripts for shells.

use std::io::Write;

use clap::Args;
use clap_complete::Shell;

use crate::{completion, failure::Failure, output::Output};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations completions bash > /etc/bash_completion.d/org-invitations
  org-invitations completions zsh > ~/.zfunc/_org-invitations
  org-invitations completions fish > ~/.config/fish/completions/org-invitations.fish

The script runs the `org-invitations` of the PATH for each completion, so it stays
valid when the command changes. Profiles come from the configuration file. Ids,
addresses and roles come from the provider, if it answers within a second and its
secret needs no command. A name or address that a shell would not read as one
plain word, as with blanks or `$`, is not offered.")]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs, out: &mut Output) -> Result<(), Failure> {
    const NAME: &str = "org-invitations";
    let shell = args.shell.to_string();
    let Some(completer) = completion::SHELLS.completer(&shell) else {
        let message = format!("there is no completion for {shell}");
        return Err(Failure::Usage(message));
    };
    // A closed pipe is handled by the output, which takes a whole script.
    let mut script = Vec::new();
    completer.write_registration(completion::VARIABLE, NAME, NAME, NAME, &mut script)?;
    Ok(out.write_all(&script)?)
}

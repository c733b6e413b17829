//! `man`: man pages.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::{Args, CommandFactory};
use clap_mangen::{
    Man,
    roff::{Roff, roman},
};

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
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let Some(folder) = &args.to else {
        return Ok(out.write_all(&page(&command)?)?);
    };
    let written = fs::create_dir_all(folder).and_then(|()| write_pages(&command, folder));
    written.map_err(|error| {
        Failure::Other(format!(
            "cannot write man pages to {}: {error}",
            folder.display()
        ))
    })
}

/// Writes the pages of a command and its subcommands.
fn write_pages(command: &clap::Command, folder: &Path) -> io::Result<()> {
    for subcommand in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        write_pages(subcommand, folder)?;
    }
    let name = Man::new(command.clone()).get_filename();
    fs::write(folder.join(name), page(command)?)
}

/// The page of a command. What its help says at the end has sections of its own here.
fn page(command: &clap::Command) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.get_subcommands().any(|one| !one.is_hide_set()) {
        man.render_subcommands_section(&mut page)?;
    }
    let help = command.get_after_long_help();
    let help = help.or_else(|| command.get_after_help());
    let help = help.map(ToString::to_string).unwrap_or_default();
    for (heading, lines) in sections(&help) {
        let mut section = Roff::new();
        section.control("SH", [heading]).control("nf", []);
        for line in lines {
            section.text([roman(line)]);
        }
        section.control("fi", []);
        page.write_all(section.to_roff().as_bytes())?;
    }
    if command.get_version().is_some() {
        man.render_version_section(&mut page)?;
    }
    Ok(page)
}

/// The sections of the text at the end of a help, in the order of man pages: notes, exit codes, examples. A section
/// ends at the next line that is not indented.
fn sections(help: &str) -> Vec<(&'static str, Vec<&str>)> {
    let mut sections = [
        ("NOTES", Vec::new()),
        ("EXIT STATUS", Vec::new()),
        ("EXAMPLES", Vec::new()),
    ];
    let mut current = 0;
    for line in help.lines() {
        match line {
            "Exit codes:" => current = 1,
            "Example:" | "Examples:" => current = 2,
            _ => {
                if !line.is_empty() && !line.starts_with(' ') {
                    current = 0;
                }
                sections[current].1.push(line);
            }
        }
    }
    for (_, lines) in &mut sections {
        while lines.last().is_some_and(|line| line.is_empty()) {
            lines.pop();
        }
    }
    let filled = sections.into_iter().filter(|(_, lines)| !lines.is_empty());
    filled.collect()
}

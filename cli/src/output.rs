//! Printing results: a table for people, JSON for programs.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use comfy_table::{Table, presets};
use org_invitations::{Invitation, RoleAssignment};
use serde::Serialize;

use crate::arguments::Format;

/// Standard output, and how to write to it.
pub(crate) struct Output<W: Write> {
    format: Format,
    out: W,
}

impl<W: Write> Output<W> {
    pub fn new(format: Format, out: W) -> Self {
        Self { format, out }
    }

    pub fn format(&self) -> Format {
        self.format
    }

    /// A line as it is.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// What was printed so far reaches its reader.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// One invitation.
    pub fn invitation(&mut self, invitation: &Invitation) -> io::Result<()> {
        match self.format {
            Format::Table | Format::Markdown => self.table(std::slice::from_ref(invitation)),
            Format::Json => self.json(invitation),
        }
    }

    /// One JSON document.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut self.out, value)?;
        self.line("")
    }

    /// A table of invitations.
    pub fn table(&mut self, invitations: &[Invitation]) -> io::Result<()> {
        let header = ["ID", "EMAIL", "STATUS", "ROLES", "CREATED", "EXPIRES"];
        let row = |invitation: &Invitation| {
            [
                invitation.id.to_string(),
                invitation.email.clone(),
                invitation
                    .status
                    .as_ref()
                    .map_or_else(dash, ToString::to_string),
                roles(invitation),
                invitation.created_at.as_ref().map_or_else(dash, time),
                invitation.expires_at.as_ref().map_or_else(dash, time),
            ]
        };
        self.rows(header, invitations.iter().map(row))
    }

    /// A table of anything.
    pub fn rows<const N: usize>(
        &mut self,
        header: [&str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) -> io::Result<()> {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(header);
        for row in rows {
            table.add_row(row);
        }
        for line in table.lines() {
            self.line(line.trim_end())?;
        }
        Ok(())
    }

    /// Begins an array whose elements arrive one by one.
    pub fn array(&mut self) -> Array<'_, W> {
        Array {
            output: self,
            empty: true,
        }
    }
}

/// A JSON array under way.
pub(crate) struct Array<'a, W: Write> {
    output: &'a mut Output<W>,
    empty: bool,
}

impl<W: Write> Array<'_, W> {
    pub fn push(&mut self, invitation: &Invitation) -> io::Result<()> {
        let separator = if self.empty { "[\n  " } else { ",\n  " };
        self.empty = false;
        write!(self.output.out, "{separator}")?;
        Ok(serde_json::to_writer(&mut self.output.out, invitation)?)
    }

    pub fn end(self) -> io::Result<()> {
        self.output.line(if self.empty { "[]" } else { "\n]" })
    }
}

fn roles(invitation: &Invitation) -> String {
    let name = |role: &RoleAssignment| role.name.clone().or_else(|| role.id.clone());
    let names: Vec<String> = invitation
        .assigned_roles
        .iter()
        .flatten()
        .filter_map(name)
        .collect();
    if names.is_empty() {
        return invitation.role.clone().unwrap_or_else(dash);
    }
    names.join(", ")
}

fn time(time: &DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}

fn dash() -> String {
    "-".to_owned()
}

//! `plan`, `apply` and `copy`.

mod apply;
mod copy;
mod deletions;
mod formats;
mod killed;
mod people;
mod plan;
mod resume;
mod same;
mod saved;
#[cfg(unix)]
mod terminal;
mod whom;

use std::{collections::BTreeMap, fs, path::PathBuf};

use org_invitations_sandbox::{Change, Provider, Sandbox};

use crate::fixture::Fixture;

/// Writes a file into the home folder, and returns its path.
pub(crate) fn file(fixture: &Fixture, name: &str, text: &str) -> String {
    let path = fixture.home.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The path of a file in the home folder, which may not exist.
fn path(fixture: &Fixture, name: &str) -> PathBuf {
    fixture.home.join(name)
}

/// How often each address was invited on a provider.
fn created(sandbox: &Sandbox, provider: Provider) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    for commit in sandbox.ledger().commits {
        if commit.provider == provider && commit.operation == Change::Create {
            *count.entry(commit.email.to_lowercase()).or_default() += 1;
        }
    }
    count
}

/// A roster of `count` people.
fn crowd(count: usize) -> String {
    let rows = (0..count).map(|number| format!("person{number}@example.com\n"));
    std::iter::once("email\n".to_owned()).chain(rows).collect()
}

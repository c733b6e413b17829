//! `plan`, `apply` and `copy`.

mod apply;
mod copy;
mod killed;
mod plan;
mod removal;
mod resume;
#[cfg(unix)]
mod terminal;

use std::{collections::BTreeMap, fs, path::PathBuf};

use org_invitations_sandbox::{Change, Provider, Sandbox};

use crate::world::World;

/// Writes a file into the world's home; its path.
fn file(world: &World, name: &str, text: &str) -> String {
    let path = world.home.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A file in the world's home that may be there or not.
fn path(world: &World, name: &str) -> PathBuf {
    world.home.join(name)
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

/// A roster of so many people.
fn crowd(count: usize) -> String {
    let rows = (0..count).map(|number| format!("person{number}@example.com\n"));
    std::iter::once("email\n".to_owned()).chain(rows).collect()
}

//! The tables of the providers, and what statements may write.

use std::sync::{Arc, atomic::AtomicBool};

use org_invitations::{BulkOptions, ClickHouse, Confluent};
use org_invitations_sql::{Table, WriteOptions, WriteReport};

use super::SqlArgs;
use crate::provider::ProviderContext;

/// The write options of the tables, and the flag that stops a write.
#[derive(Clone, Debug)]
pub(super) struct Writes {
    pub options: WriteOptions,
    /// Once true, no further row is sent.
    pub stop: Arc<AtomicBool>,
    /// What a write has done so far.
    pub report: WriteReport,
}

impl Writes {
    pub fn new(options: &SqlArgs) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let report = WriteReport::default();
        let options = WriteOptions::default()
            .allow_delete_all(options.allow_delete_all)
            .allow_remove_members(options.allow_remove_members)
            .max_deletes(options.removals.limit())
            .report(report.clone())
            .bulk(
                BulkOptions::default()
                    .stop(Arc::clone(&stop))
                    .outage(options.pause.options("sql", |line| eprintln!("{line}"))),
            );
        Self {
            options,
            stop,
            report,
        }
    }
}

/// The kinds of tables, by name.
const KINDS: [&str; 4] = ["invitations", "members", "roles", "role_bindings"];

/// Of each kind one table for each vendor, and one for all of them. A kind that no provider has is absent.
pub(super) fn tables(providers: &[ProviderContext], writes: &Writes) -> Vec<(String, Table)> {
    let mut tables = Vec::new();
    for kind in KINDS {
        let mut all = Vec::new();
        let mut by_label: Vec<(&str, Vec<Table>)> = Vec::new();
        for provider in providers {
            let Some(table) = table(kind, provider) else {
                continue;
            };
            let label = provider.label.as_str();
            all.push((label, table.clone()));
            match by_label.iter_mut().find(|(known, _)| *known == label) {
                Some((_, profiles)) => profiles.push(table),
                None => by_label.push((label, vec![table])),
            }
        }
        for (label, profiles) in by_label {
            // The schemas have StackQL's names. The sandbox speaks Confluent's API.
            let schema = match label {
                ClickHouse::NAME => "members",
                Confluent::NAME | "sandbox" => "iam",
                _ => "public",
            };
            let name = format!("{label}.{schema}.{kind}");
            tables.push((name, Table::profiles_of(profiles)));
        }
        if !all.is_empty() {
            tables.push((kind.to_owned(), Table::union_of(all)));
        }
    }
    let with_options = |(name, table): (String, Table)| {
        let table = table.write_options(writes.options.clone());
        (name, table)
    };
    tables.into_iter().map(with_options).collect()
}

/// The table of one provider; `None` if the provider has no such thing.
fn table(kind: &str, provider: &ProviderContext) -> Option<Table> {
    let (capabilities, shared) = (provider.capabilities(), provider.shared());
    let mut table = match kind {
        "members" if capabilities.members => Table::members(shared),
        "roles" if capabilities.list_roles => Table::roles(shared),
        "role_bindings" if capabilities.members => Table::role_bindings(shared),
        "invitations" => Table::invitations(shared),
        _ => return None,
    };
    if let Some(id) = &provider.organization_id {
        table = table.organization_id(id);
    }
    if let Some(profile) = &provider.profile {
        table = table.profile(profile);
    }
    Some(table)
}

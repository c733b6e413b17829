//! The tables of the providers, and what statements may write.

use std::sync::{Arc, atomic::AtomicBool};

use org_invitations::{BulkOptions, ClickHouse, Confluent};
use org_invitations_sql::{InvitationsTable, WriteOptions};

use super::SqlArgs;
use crate::provider::ProviderContext;

/// The write options of the tables, and the flag that stops a write.
#[derive(Clone, Debug)]
pub(super) struct Writes {
    pub options: WriteOptions,
    /// Once true, no further row is sent.
    pub stop: Arc<AtomicBool>,
}

impl Writes {
    pub fn new(options: &SqlArgs) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let options = WriteOptions::default()
            .allow_delete_all(options.allow_delete_all)
            .max_deletes(options.removals.limit())
            .bulk(
                BulkOptions::default()
                    .stop(Arc::clone(&stop))
                    .outage(options.pause.options("sql", |line| eprintln!("{line}"))),
            );
        Self { options, stop }
    }
}

/// One table for each provider, and one for all of them.
pub(super) fn tables(
    providers: &[ProviderContext],
    writes: &Writes,
) -> Vec<(String, InvitationsTable)> {
    let mut tables = Vec::new();
    for provider in providers {
        let mut table = InvitationsTable::of(provider.shared());
        if let Some(id) = &provider.organization_id {
            table = table.organization_id(id);
        }
        // The schemas have StackQL's names. The sandbox speaks Confluent's API.
        let schema = match provider.label.as_str() {
            ClickHouse::NAME => "members",
            Confluent::NAME | "sandbox" => "iam",
            _ => "public",
        };
        tables.push((format!("{}.{schema}.invitations", provider.label), table));
    }
    let all = providers
        .iter()
        .map(|provider| (provider.label.clone(), provider.shared()));
    tables.push(("invitations".to_owned(), InvitationsTable::union_of(all)));
    for (_, table) in &mut tables {
        *table = table.clone().write_options(writes.options.clone());
    }
    tables
}

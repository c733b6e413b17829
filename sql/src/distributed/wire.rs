//! What a table and a scan are as bytes.

use std::sync::Arc;

use datafusion::{
    common::{exec_datafusion_err, exec_err},
    error::Result,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Organizations, named::NamedOrganization};
use crate::{
    columns::{Column, ProviderInfo},
    pushdown::PushedFilters,
    resource::{Kind, Resource},
    scan::{ScanExec, ScanPartition},
    table::{Source, Table},
};

/// The first byte: whose bytes follow.
const OURS: u8 = 1;
const OTHERS: u8 = 0;

/// Bytes, by who reads them.
pub(super) enum Encoded<'a> {
    Ours(&'a [u8]),
    Others(&'a [u8]),
}

/// Writes something of this crate.
pub(super) fn write(bytes: &mut Vec<u8>, value: &impl Serialize) -> Result<()> {
    bytes.push(OURS);
    serde_json::to_writer(bytes, value)
        .map_err(|error| exec_datafusion_err!("a table cannot be written as bytes: {error}"))
}

/// Begins what another codec writes.
pub(super) fn begin_others(bytes: &mut Vec<u8>) {
    bytes.push(OTHERS);
}

/// Tells the bytes of this crate from others.
pub(super) fn split(bytes: &[u8]) -> Result<Encoded<'_>> {
    match bytes.split_first() {
        Some((&OURS, rest)) => Ok(Encoded::Ours(rest)),
        Some((&OTHERS, rest)) => Ok(Encoded::Others(rest)),
        _ => exec_err!("these bytes were not written by a `TableCodec`"),
    }
}

/// Reads something of this crate.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| {
        exec_datafusion_err!(
            "a table cannot be read from bytes, perhaps of another version of this crate: {error}"
        )
    })
}

/// A table.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableBytes {
    kind: Kind,
    sources: Vec<ProviderInfo>,
    columns: Vec<Column>,
}

/// A scan, with a partition for each source.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScanBytes {
    kind: Kind,
    sources: Vec<ProviderInfo>,
    filters: PushedFilters,
    table_columns: Vec<Column>,
    columns: Vec<Column>,
    limit: Option<usize>,
}

impl TableBytes {
    pub fn of(table: &Table) -> Self {
        let sources = table.sources().iter();
        Self {
            kind: table.kind(),
            sources: sources.map(|source| source.info.clone()).collect(),
            columns: table.columns().to_vec(),
        }
    }

    pub fn table(self, organizations: Option<&Arc<dyn Organizations>>) -> Table {
        let source = |info: ProviderInfo| Source {
            resource: Arc::new(NamedOrganization::new(self.kind, &info, organizations)),
            info,
        };
        let sources = self.sources.into_iter().map(source).collect();
        Table::with_columns(self.kind, sources, self.columns)
    }
}

impl ScanBytes {
    pub fn of(scan: &ScanExec) -> Self {
        let partitions = scan.partitions.iter();
        Self {
            kind: scan.kind,
            sources: partitions.map(|partition| partition.info.clone()).collect(),
            filters: scan.filters.clone(),
            table_columns: scan.table_columns.to_vec(),
            columns: scan.columns.to_vec(),
            limit: scan.limit,
        }
    }

    pub fn scan(self, organizations: Option<&Arc<dyn Organizations>>) -> ScanExec {
        let filtered = self.filters.columns();
        let needed: Vec<Column> = self.columns.iter().copied().chain(filtered).collect();
        let partition = |info: ProviderInfo| {
            let organization = NamedOrganization::new(self.kind, &info, organizations);
            ScanPartition {
                requests: organization.plan_requests(&self.filters, &needed),
                info,
            }
        };
        let partitions = self.sources.into_iter().map(partition).collect();
        ScanExec::new(
            self.kind,
            partitions,
            self.filters,
            self.table_columns.into(),
            self.columns,
            self.limit,
        )
    }
}

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

/// A node of a physical plan.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum PlanBytes {
    /// A scan as a session plans it.
    Scan(ScanBytes),
    /// A scan by name, whose input has the names.
    Read(ReadBytes),
}

/// A scan of organisations, with a partition for each.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScanBytes {
    pub sources: Vec<ProviderInfo>,
    pub read: ReadBytes,
}

/// What is read of each organisation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadBytes {
    pub kind: Kind,
    pub filters: PushedFilters,
    pub table_columns: Vec<Column>,
    pub columns: Vec<Column>,
    pub limit: Option<usize>,
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

    /// A table that is planned here and read elsewhere.
    pub fn table(self) -> Table {
        let source = |info: ProviderInfo| Source {
            resource: Arc::new(NamedOrganization::new(self.kind, &info, None)),
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
            sources: partitions.map(|partition| partition.info.clone()).collect(),
            read: ReadBytes {
                kind: scan.kind,
                filters: scan.filters.clone(),
                table_columns: scan.table_columns.to_vec(),
                columns: scan.columns.to_vec(),
                limit: scan.limit,
            },
        }
    }
}

impl ReadBytes {
    /// Reads one organisation.
    pub fn scan(
        &self,
        info: ProviderInfo,
        organizations: Option<&Arc<dyn Organizations>>,
    ) -> ScanExec {
        let filtered = self.filters.columns();
        let needed: Vec<Column> = self.columns.iter().copied().chain(filtered).collect();
        let organization = NamedOrganization::new(self.kind, &info, organizations);
        let partition = ScanPartition {
            requests: organization.plan_requests(&self.filters, &needed),
            info,
        };
        ScanExec::new(
            self.kind,
            vec![partition],
            self.filters.clone(),
            self.table_columns.clone().into(),
            self.columns.clone(),
            self.limit,
        )
    }
}

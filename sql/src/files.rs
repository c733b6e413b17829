//! Files whose name is a table.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{
    catalog::{DynamicFileCatalog, TableProvider, UrlTableFactory},
    common::plan_datafusion_err,
    datasource::{
        dynamic_file::DynamicListTableFactory,
        file_format::{FileFormat, csv::CsvFormat, json::JsonFormat},
        listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl},
    },
    error::Result,
    execution::SessionState,
    object_store::ObjectStoreExt,
    prelude::SessionContext,
};
use futures::TryStreamExt;

/// The number of bytes of a JSON file among which its first character is looked for.
const PREFIX_BYTES: u64 = 1024;

/// Makes names of files tables of a session.
pub(crate) fn enable(context: SessionContext) -> SessionContext {
    let factory = Arc::new(FileTables::default());
    let tables = Arc::clone(context.state().catalog_list());
    let tables = DynamicFileCatalog::new(tables, Arc::clone(&factory) as _);
    let id = context.session_id();
    let state = context
        .into_state_builder()
        .with_session_id(id)
        .with_catalog_list(Arc::new(tables))
        .build();
    let context = SessionContext::from(state);
    let store = factory.engine.session_store();
    store.with_state(context.state_weak_ref());
    context
}

/// The engine's own files (CSV, JSON lines, Parquet), and those that differ by a delimiter or an extension.
#[derive(Debug, Default)]
struct FileTables {
    engine: DynamicListTableFactory,
}

impl FileTables {
    fn state(&self) -> Result<SessionState> {
        let session = self.engine.session_store().get_session().upgrade();
        let state = session.and_then(|session| {
            let session = session.read();
            session.as_any().downcast_ref::<SessionState>().cloned()
        });
        state.ok_or_else(|| plan_datafusion_err!("the session has ended"))
    }
}

#[async_trait]
impl UrlTableFactory for FileTables {
    async fn try_new(&self, url: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let extension = url.rsplit_once('.').map(|(_, extension)| extension);
        let Some(extension) = extension.map(str::to_lowercase) else {
            return self.engine.try_new(url).await;
        };
        let Ok(location) = ListingTableUrl::parse(url) else {
            return Ok(None);
        };
        let format: Arc<dyn FileFormat> = match extension.as_str() {
            "tsv" => {
                let tabs = CsvFormat::default().with_has_header(true);
                Arc::new(tabs.with_delimiter(b'\t'))
            }
            "jsonl" | "ndjson" => Arc::new(JsonFormat::default()),
            "json" if starts_with_array(&self.state()?, &location).await => {
                Arc::new(JsonFormat::default().with_newline_delimited(false))
            }
            _ => return self.engine.try_new(url).await,
        };
        let state = self.state()?;
        let options = ListingOptions::new(format).with_file_extension("");
        let config = ListingTableConfig::new(location.clone()).with_listing_options(options);
        if first_file(&state, &location).await.is_none() {
            return Ok(None);
        }
        let config = config.infer_schema(&state).await?;
        let table = ListingTable::try_new(config)?;
        Ok(Some(Arc::new(table)))
    }
}

/// Returns the first file at a location.
async fn first_file(
    state: &SessionState,
    location: &ListingTableUrl,
) -> Option<datafusion::object_store::ObjectMeta> {
    let store = state.runtime_env().object_store(location).ok()?;
    let files = location.list_all_files(state, store.as_ref(), "").await;
    files.ok()?.try_next().await.ok()?
}

/// Whether a JSON file has one array, and not an object a line.
async fn starts_with_array(state: &SessionState, location: &ListingTableUrl) -> bool {
    let Some(file) = first_file(state, location).await else {
        return false;
    };
    let Ok(store) = state.runtime_env().object_store(location) else {
        return false;
    };
    let prefix = 0..file.size.min(PREFIX_BYTES);
    match store.get_range(&file.location, prefix).await {
        Ok(bytes) => bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'['),
        Err(_) => false,
    }
}

//! Tables of invitations, and their registration in a session.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{
    arrow::datatypes::SchemaRef,
    catalog::{
        CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider, Session, TableProvider,
    },
    common::{DFSchema, TableReference},
    error::Result,
    logical_expr::{
        Expr, TableProviderFilterPushDown, TableType, dml::InsertOp, utils::conjunction,
    },
    physical_plan::{ExecutionPlan, empty::EmptyExec, filter::FilterExecBuilder},
    prelude::SessionContext,
};
use org_invitations::InvitationProvider;

use crate::{
    columns::{Column, ProviderInfo, columns_of, schema, union_columns},
    pushdown::PushedFilters,
    request::plan_requests,
    scan::{ScanExec, ScanPartition},
    write::{self, DmlRewriteRule, WriteOptions},
};

/// Registers the invitations of a provider as a table of the session, with the defaults of
/// [`InvitationsTable`]. The name may have up to three parts, such as `confluent.iam.invitations`.
///
/// # Errors
///
/// When the table, or the catalog or schema it is to be in, cannot be added.
pub fn register(
    context: &SessionContext,
    name: impl Into<TableReference>,
    provider: Arc<dyn InvitationProvider>,
) -> Result<()> {
    InvitationsTable::of(provider).register(context, name)
}

/// The invitations of a provider, or of several, as a table.
///
/// The columns depend on the provider; the README lists them. Values compare byte by byte.
#[derive(Clone, Debug)]
pub struct InvitationsTable {
    sources: Vec<Source>,
    columns: &'static [Column],
    schema: SchemaRef,
    write_options: WriteOptions,
}

/// A provider, and the values that are the same for all its rows.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub info: ProviderInfo,
    pub provider: Arc<dyn InvitationProvider>,
}

/// Returns the names of the providers, separated by commas.
pub(crate) fn labels(sources: &[Source]) -> String {
    let labels = sources.iter().map(|source| source.info.label.as_str());
    labels.collect::<Vec<_>>().join(", ")
}

impl InvitationsTable {
    /// Creates a table of the invitations of one provider.
    pub fn of(provider: Arc<dyn InvitationProvider>) -> Self {
        let label = provider.to_string();
        let columns = columns_of(&label);
        Self::new([(label, provider)], columns)
    }

    /// Creates a table of the invitations of several providers, whose names are in the column `provider`.
    pub fn union_of<L: Into<String>>(
        providers: impl IntoIterator<Item = (L, Arc<dyn InvitationProvider>)>,
    ) -> Self {
        Self::new(providers, union_columns())
    }

    fn new<L: Into<String>>(
        providers: impl IntoIterator<Item = (L, Arc<dyn InvitationProvider>)>,
        columns: &'static [Column],
    ) -> Self {
        let source = |(label, provider): (L, _)| Source {
            info: ProviderInfo {
                label: label.into(),
                organization_id: None,
            },
            provider,
        };
        Self {
            sources: providers.into_iter().map(source).collect(),
            columns,
            schema: schema(columns),
            write_options: WriteOptions::default(),
        }
    }

    /// Sets the value of the column `organization_id`, which a provider does not report. Default: null.
    #[must_use]
    pub fn organization_id(mut self, id: impl Into<String>) -> Self {
        let id = id.into();
        for source in &mut self.sources {
            source.info.organization_id = Some(id.clone());
        }
        self
    }

    /// Sets what `INSERT` and `DELETE` may do.
    #[must_use]
    pub fn write_options(mut self, options: WriteOptions) -> Self {
        self.write_options = options;
        self
    }

    /// Registers the table and the rule that makes `INSERT` and `DELETE` safe. Sends nothing.
    ///
    /// # Errors
    ///
    /// When the table, or the catalog or schema it is to be in, cannot be added.
    pub fn register(self, context: &SessionContext, name: impl Into<TableReference>) -> Result<()> {
        let name = name.into();
        let options = context.state().config_options().catalog.clone();
        let resolved = name
            .clone()
            .resolve(&options.default_catalog, &options.default_schema);
        let catalog = context.catalog(&resolved.catalog).unwrap_or_else(|| {
            let catalog: Arc<dyn CatalogProvider> = Arc::new(MemoryCatalogProvider::new());
            context.register_catalog(&*resolved.catalog, Arc::clone(&catalog));
            catalog
        });
        if catalog.schema(&resolved.schema).is_none() {
            catalog.register_schema(&resolved.schema, Arc::new(MemorySchemaProvider::new()))?;
        }
        context.register_table(name, Arc::new(self))?;
        DmlRewriteRule::add_to(context);
        Ok(())
    }

    /// Plans the scan of matching rows with the projected columns.
    fn scan_invitations(
        &self,
        filters: PushedFilters,
        projection: Option<&Vec<usize>>,
        limit: Option<usize>,
    ) -> Arc<dyn ExecutionPlan> {
        let columns: Vec<Column> = match projection {
            Some(indices) => indices.iter().map(|index| self.columns[*index]).collect(),
            None => self.columns.to_vec(),
        };
        let partitions = self
            .sources
            .iter()
            .filter(|source| filters.matches_provider(&source.info.label))
            .map(|source| ScanPartition {
                info: source.info.clone(),
                provider: Arc::clone(&source.provider),
                requests: plan_requests(&filters, &source.provider.capabilities()),
            });
        let partitions: Vec<ScanPartition> = partitions
            .filter(|partition| !partition.requests.is_empty())
            .collect();
        if partitions.is_empty() || limit == Some(0) {
            return Arc::new(EmptyExec::new(schema(&columns)));
        }
        Arc::new(ScanExec::new(
            partitions,
            filters,
            self.columns,
            columns,
            limit,
        ))
    }

    pub(crate) fn sources(&self) -> &[Source] {
        &self.sources
    }

    pub(crate) fn columns(&self) -> &'static [Column] {
        self.columns
    }

    pub(crate) fn options(&self) -> &WriteOptions {
        &self.write_options
    }
}

#[async_trait]
impl TableProvider for InvitationsTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Exact, because every row is compared again, byte by byte, before the engine sees it.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match PushedFilters::supports(filter) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let pushed = PushedFilters::from_conditions(filters);
        let unsupported = filters
            .iter()
            .filter(|filter| !PushedFilters::supports(filter));
        let Some(condition) = conjunction(unsupported.cloned()) else {
            return Ok(self.scan_invitations(pushed, projection, limit));
        };
        // The engine may rewrite a condition after the table has promised to check it.
        let schema = DFSchema::try_from(self.schema())?;
        let condition = session.create_physical_expr(condition, &schema)?;
        let filter = FilterExecBuilder::new(condition, self.scan_invitations(pushed, None, None))
            .apply_projection(projection.cloned())?
            .with_fetch(limit);
        Ok(Arc::new(filter.build()?))
    }

    async fn insert_into(
        &self,
        _: &dyn Session,
        input: Arc<dyn ExecutionPlan>,
        operation: InsertOp,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        write::insert(self, input, operation)
    }

    /// Always an error: the engine passes fewer conditions than the statement has, so that a table that trusts
    /// them deletes too much. [`DmlRewriteRule`] rewrites the statement before the engine plans it.
    async fn delete_from(&self, _: &dyn Session, _: Vec<Expr>) -> Result<Arc<dyn ExecutionPlan>> {
        write::plan_error(
            "DELETE needs a session in which `org_invitations_sql::register` or \
             `InvitationsTable::register` was called; nothing was deleted",
        )
    }

    async fn update(
        &self,
        _: &dyn Session,
        _: Vec<(String, Expr)>,
        _: Vec<Expr>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        write::plan_error("UPDATE: an invitation cannot be changed; delete it and insert it anew")
    }

    async fn truncate(&self, _: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        write::plan_error("TRUNCATE of invitations is not supported; use DELETE with a condition")
    }

    async fn merge_into(
        &self,
        _: &dyn Session,
        _: Arc<dyn ExecutionPlan>,
        _: datafusion::common::DFSchemaRef,
        _: Expr,
        _: Vec<datafusion::logical_expr::dml::MergeIntoClause>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        write::plan_error("MERGE into invitations is not supported; use INSERT and DELETE")
    }
}

//! Tables of invitations, and putting them into a session.

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
    columns::{Column, Origin, columns_of, columns_of_several, schema},
    request::requests,
    scan::{Part, ScanExec},
    wanted::Wanted,
    write::{self, WriteOptions, WriteRule},
};

/// Makes the invitations of a provider a table of the session, with the defaults of
/// [`InvitationsTable`]; the name may have up to three parts, such as `confluent.iam.invitations`.
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
/// Which columns it has depends on the provider; the README has them all. Values compare byte by byte.
#[derive(Clone, Debug)]
pub struct InvitationsTable {
    sources: Vec<Source>,
    columns: &'static [Column],
    schema: SchemaRef,
    write_options: WriteOptions,
}

/// A provider, and what is the same for all its rows.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub origin: Origin,
    pub provider: Arc<dyn InvitationProvider>,
}

/// What the providers are called.
pub(crate) fn labels(sources: &[Source]) -> String {
    let labels = sources.iter().map(|source| source.origin.label.as_str());
    labels.collect::<Vec<_>>().join(", ")
}

impl InvitationsTable {
    /// The invitations of one provider.
    pub fn of(provider: Arc<dyn InvitationProvider>) -> Self {
        let label = provider.to_string();
        let columns = columns_of(&label);
        Self::new([(label, provider)], columns)
    }

    /// The invitations of several providers, each under a name of its own in the column `provider`.
    pub fn of_several<L: Into<String>>(
        providers: impl IntoIterator<Item = (L, Arc<dyn InvitationProvider>)>,
    ) -> Self {
        Self::new(providers, columns_of_several())
    }

    fn new<L: Into<String>>(
        providers: impl IntoIterator<Item = (L, Arc<dyn InvitationProvider>)>,
        columns: &'static [Column],
    ) -> Self {
        let source = |(label, provider): (L, _)| Source {
            origin: Origin {
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

    /// Sets what is in the column `organization_id`, which a provider does not tell. Default: null.
    #[must_use]
    pub fn organization_id(mut self, id: impl Into<String>) -> Self {
        let id = id.into();
        for source in &mut self.sources {
            source.origin.organization_id = Some(id.clone());
        }
        self
    }

    /// Sets what `INSERT` and `DELETE` may do.
    #[must_use]
    pub fn write_options(mut self, options: WriteOptions) -> Self {
        self.write_options = options;
        self
    }

    /// Adds the table to the session, and what makes `INSERT` and `DELETE` safe in it. Sends nothing.
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
        WriteRule::add_to(context);
        Ok(())
    }

    /// Reads the rows that are wanted, and of each the columns at these places.
    fn read(
        &self,
        wanted: Wanted,
        projection: Option<&Vec<usize>>,
        limit: Option<usize>,
    ) -> Arc<dyn ExecutionPlan> {
        let columns: Vec<Column> = match projection {
            Some(places) => places.iter().map(|place| self.columns[*place]).collect(),
            None => self.columns.to_vec(),
        };
        let parts = self
            .sources
            .iter()
            .filter(|source| wanted.matches_provider(&source.origin.label))
            .map(|source| Part {
                origin: source.origin.clone(),
                provider: Arc::clone(&source.provider),
                requests: requests(&wanted, &source.provider.capabilities()),
            });
        let parts: Vec<Part> = parts.filter(|part| !part.requests.is_empty()).collect();
        if parts.is_empty() || limit == Some(0) {
            return Arc::new(EmptyExec::new(schema(&columns)));
        }
        Arc::new(ScanExec::new(parts, wanted, self.columns, columns, limit))
    }

    pub(crate) fn sources(&self) -> &[Source] {
        &self.sources
    }

    pub(crate) fn columns(&self) -> &'static [Column] {
        self.columns
    }

    pub(crate) fn writes(&self) -> &WriteOptions {
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
        let support = |filter: &&Expr| match Wanted::understands(filter) {
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
        let wanted = Wanted::by(filters);
        let rewritten = filters.iter().filter(|filter| !Wanted::understands(filter));
        let Some(condition) = conjunction(rewritten.cloned()) else {
            return Ok(self.read(wanted, projection, limit));
        };
        // The engine leaves it to the table to check what it once understood, and rewrites it afterwards.
        let schema = DFSchema::try_from(self.schema())?;
        let condition = session.create_physical_expr(condition, &schema)?;
        let filter = FilterExecBuilder::new(condition, self.read(wanted, None, None))
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

    /// Always an error: the engine hands over fewer conditions than the statement has, so whoever trusts
    /// them deletes too much. [`WriteRule`] turns the statement into something else before it comes here.
    async fn delete_from(&self, _: &dyn Session, _: Vec<Expr>) -> Result<Arc<dyn ExecutionPlan>> {
        write::refuse(
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
        write::refuse("UPDATE: an invitation cannot be changed; delete it and insert it anew")
    }

    async fn truncate(&self, _: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        write::refuse("TRUNCATE of invitations is not supported; use DELETE with a condition")
    }

    async fn merge_into(
        &self,
        _: &dyn Session,
        _: Arc<dyn ExecutionPlan>,
        _: datafusion::common::DFSchemaRef,
        _: Expr,
        _: Vec<datafusion::logical_expr::dml::MergeIntoClause>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        write::refuse("MERGE into invitations is not supported; use INSERT and DELETE")
    }
}

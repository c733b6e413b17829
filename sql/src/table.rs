//! The tables, and their registration in a session.

use std::{collections::HashSet, sync::Arc};

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
    physical_plan::{ExecutionPlan, filter::FilterExecBuilder},
    prelude::SessionContext,
};
use org_invitations::{InvitationProvider, OrganizationProvider};

use crate::{
    columns::{Column, ProviderInfo, schema},
    intervals,
    pushdown::PushedFilters,
    resource::{Invitations, Kind, Members, Resource, RoleBindings, Roles},
    scan, words,
    write::{self, InsertCheck, WriteOptions},
};

/// Registers the invitations of a provider as a table of the session, with the defaults of
/// [`Table::invitations`]. The name may have up to three parts, such as `confluent.iam.invitations`.
///
/// # Errors
///
/// When the table, or the catalog or schema it is to be in, cannot be added.
pub fn register(
    context: &SessionContext,
    name: impl Into<TableReference>,
    provider: Arc<dyn InvitationProvider>,
) -> Result<()> {
    Table::invitations(provider).register(context, name)
}

/// The invitations, members, roles or role bindings of a provider, or of several, as a table.
///
/// The README lists the columns. Values compare byte by byte.
#[derive(Clone, Debug)]
pub struct Table {
    kind: Kind,
    sources: Vec<Source>,
    /// Whether there is a column `provider`.
    is_union: bool,
    columns: Arc<[Column]>,
    schema: SchemaRef,
    write_options: WriteOptions,
}

/// The rows of a provider, and the values that are the same for all of them.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub info: ProviderInfo,
    pub resource: Arc<dyn Resource>,
}

/// Returns the names of the providers, separated by commas.
pub(crate) fn labels(sources: &[Source]) -> String {
    let labels = sources.iter().map(|source| source.info.to_string());
    labels.collect::<Vec<_>>().join(", ")
}

impl Table {
    /// Creates a table of the invitations of one provider. The columns depend on the provider.
    pub fn invitations(provider: Arc<dyn InvitationProvider>) -> Self {
        Self::of(Invitations(provider))
    }

    /// Creates a table of the members of one organisation. `DELETE` removes members, if
    /// [`WriteOptions::allow_remove_members`] is set.
    ///
    /// A provider without members ([`Capabilities::members`](org_invitations::Capabilities)) fails the statements.
    pub fn members(provider: Arc<dyn OrganizationProvider>) -> Self {
        Self::of(Members(provider))
    }

    /// Creates a read-only table of the roles that one organisation has.
    ///
    /// A provider that does not list them ([`Capabilities::list_roles`](org_invitations::Capabilities)), such as
    /// Confluent, fails the statements with [`Unsupported`](org_invitations::ErrorKind::Unsupported).
    pub fn roles(provider: Arc<dyn OrganizationProvider>) -> Self {
        Self::of(Roles(provider))
    }

    /// Creates a table with a row for each role that a member of one organisation has, in each scope. `INSERT` gives
    /// roles, and `DELETE` takes them.
    ///
    /// A provider without members ([`Capabilities::members`](org_invitations::Capabilities)) fails the statements.
    pub fn role_bindings(provider: Arc<dyn OrganizationProvider>) -> Self {
        Self::of(RoleBindings(provider))
    }

    fn of(resource: impl Resource + 'static) -> Self {
        let kind = resource.kind();
        let info = ProviderInfo {
            label: resource.provider(),
            profile: None,
            organization_id: None,
        };
        let resource: Arc<dyn Resource> = Arc::new(resource);
        Self::new(kind, vec![Source { info, resource }], false)
    }

    fn new(kind: Kind, sources: Vec<Source>, is_union: bool) -> Self {
        let vendor = sources.first().map(|source| source.resource.provider());
        let vendor = vendor.as_deref().filter(|_| !is_union);
        let has_profiles = sources.iter().any(|source| source.info.profile.is_some());
        let provider = is_union.then_some(Column::Provider);
        let profile = has_profiles.then_some(Column::Profile);
        let columns = provider
            .into_iter()
            .chain(profile)
            .chain(kind.columns(vendor).iter().copied());
        Self::with_columns(kind, sources, columns.collect())
    }

    /// Creates a table with these columns.
    pub(crate) fn with_columns(kind: Kind, sources: Vec<Source>, columns: Vec<Column>) -> Self {
        Self {
            kind,
            sources,
            is_union: columns.contains(&Column::Provider),
            schema: schema(&columns),
            columns: columns.into(),
            write_options: WriteOptions::default(),
        }
    }

    /// Creates one table of several, whose names are in the column `provider`. All are of the same kind, such as
    /// members; [`register`](Self::register) refuses others.
    pub fn union_of<L: Into<String>>(tables: impl IntoIterator<Item = (L, Self)>) -> Self {
        let mut kinds = Vec::new();
        let mut sources = Vec::new();
        for (label, table) in tables {
            let label = label.into();
            kinds.push(table.kind);
            sources.extend(table.sources.into_iter().map(|mut source| {
                source.info.label.clone_from(&label);
                source
            }));
        }
        Self::new(first_kind(&kinds), sources, true)
    }

    /// Creates one table of the organisations of one vendor, whose [`profile`](Self::profile)s are in the column
    /// `profile`. All are of the same kind and vendor; [`register`](Self::register) refuses others.
    pub fn profiles_of(tables: impl IntoIterator<Item = Self>) -> Self {
        let mut kinds = Vec::new();
        let mut sources = Vec::new();
        for table in tables {
            kinds.push(table.kind);
            sources.extend(table.sources);
        }
        Self::new(first_kind(&kinds), sources, false)
    }

    /// Sets the value of the column `profile`, which a table without profiles does not have: the name by which the user
    /// knows the organisation.
    #[must_use]
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        for source in &mut self.sources {
            source.info.profile = Some(name.clone());
        }
        let write_options = self.write_options;
        Self::new(self.kind, self.sources, self.is_union).write_options(write_options)
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

    /// Registers the table, and the rules that the crate adds to the session. Sends nothing.
    ///
    /// # Errors
    ///
    /// When the table, or the catalog or schema it is to be in, cannot be added; and for a table of several that do not
    /// belong together, or of which two have the same provider and profile, so that a row would not say which of them it
    /// belongs to.
    pub fn register(self, context: &SessionContext, name: impl Into<TableReference>) -> Result<()> {
        self.check_sources()?;
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
        add_rules(context);
        Ok(())
    }

    fn check_sources(&self) -> Result<()> {
        let mut seen = HashSet::new();
        for source in &self.sources {
            let info = &source.info;
            if source.resource.kind() != self.kind {
                let (one, other) = (self.kind.spec(), source.resource.kind().spec());
                let (one, other) = (one.plural, other.plural);
                return write::plan_error(&format!("a table cannot have both {one} and {other}"));
            }
            if !self.is_union && source.resource.provider() != self.sources[0].resource.provider() {
                return write::plan_error(
                    "a table of profiles has one vendor; use `Table::union_of` for several",
                );
            }
            if !seen.insert((&info.label, &info.profile)) {
                return write::plan_error(&format!(
                    "two tables are {info}, so that a row would not say which of them it belongs \
                     to; give them profiles"
                ));
            }
        }
        Ok(())
    }

    /// Whether another process reads the rows.
    pub(crate) fn is_elsewhere(&self) -> bool {
        let mut sources = self.sources.iter();
        sources.any(|source| source.resource.is_elsewhere())
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn sources(&self) -> &[Source] {
        &self.sources
    }

    pub(crate) fn columns(&self) -> &Arc<[Column]> {
        &self.columns
    }

    pub(crate) fn options(&self) -> &WriteOptions {
        &self.write_options
    }
}

/// Adds the rules of this crate to a session that does not have them.
pub(crate) fn add_rules(context: &SessionContext) {
    InsertCheck::add_to(context);
    intervals::add_to(context);
    words::add_to(context);
}

/// The kind of a table of several; a table of none has no rows, whatever its kind.
fn first_kind(kinds: &[Kind]) -> Kind {
    kinds.first().copied().unwrap_or(Kind::Invitations)
}

#[async_trait]
impl TableProvider for Table {
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
        let filtered = self.kind.spec().filtered;
        let support = |filter: &&Expr| match PushedFilters::supports(filter, filtered) {
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
        let filtered = self.kind.spec().filtered;
        let pushed = PushedFilters::from_conditions(filters, filtered);
        let unsupported = filters
            .iter()
            .filter(|filter| !PushedFilters::supports(filter, filtered));
        let Some(condition) = conjunction(unsupported.cloned()) else {
            return scan::plan(self, pushed, projection, limit);
        };
        // The engine may rewrite a condition after the table has promised to check it.
        let schema = DFSchema::try_from(self.schema())?;
        let condition = session.create_physical_expr(condition, &schema)?;
        let filter = FilterExecBuilder::new(condition, scan::plan(self, pushed, None, None)?)
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
    /// them deletes too much. [`sql`](crate::sql) plans a `DELETE` as a selection with the whole condition.
    async fn delete_from(&self, _: &dyn Session, _: Vec<Expr>) -> Result<Arc<dyn ExecutionPlan>> {
        write::plan_error("DELETE is run by `org_invitations_sql::sql`; nothing was deleted")
    }

    async fn update(
        &self,
        _: &dyn Session,
        _: Vec<(String, Expr)>,
        _: Vec<Expr>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        write::refuse(self.kind, "UPDATE")
    }

    async fn truncate(&self, _: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        write::refuse(self.kind, "TRUNCATE")
    }

    async fn merge_into(
        &self,
        _: &dyn Session,
        _: Arc<dyn ExecutionPlan>,
        _: datafusion::common::DFSchemaRef,
        _: Expr,
        _: Vec<datafusion::logical_expr::dml::MergeIntoClause>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        write::refuse(self.kind, "MERGE")
    }
}

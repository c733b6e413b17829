//! `SHOW PROVIDERS`, `SHOW SERVICES`, `SHOW RESOURCES`, `SHOW METHODS` and `DESCRIBE EXTENDED`: what there is, in StackQL's words.
//!
//! A provider is the first part of a table's name, a service the second, a resource the table, and a method an operation
//! of the vendor's API that a statement over the table may send.

mod descriptions;
mod methods;
mod parse;

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{ArrayRef, StringArray},
        datatypes::{DataType, Field, Schema},
        record_batch::RecordBatch,
    },
    catalog::{MemTable, TableProvider},
    common::{ResolvedTableReference, TableReference, plan_err},
    datasource::provider_as_source,
    error::Result,
    execution::SessionState,
    logical_expr::{LogicalPlan, LogicalPlanBuilder, lit},
    prelude::ident,
};

pub(crate) use self::parse::parse;
use crate::table::Table;

/// A statement that lists what there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Discovery {
    what: What,
    /// The pattern of `LIKE`, for the names.
    like: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Providers,
    /// The services, of one provider or of all.
    Services(Option<String>),
    /// The resources, of a provider and of one of its services.
    Resources(Option<String>, Option<String>),
    Methods(TableReference),
    Columns(TableReference),
}

/// Rows of text, and the names of their columns.
struct Listing {
    columns: &'static [&'static str],
    /// The column that `LIKE` compares.
    name: &'static str,
    rows: Vec<Vec<Option<String>>>,
}

/// Plans the list of what there is. Sends nothing.
pub(crate) async fn plan(state: &SessionState, discovery: Discovery) -> Result<LogicalPlan> {
    let listing = match discovery.what {
        What::Providers => providers(state).await?,
        What::Services(provider) => services(state, provider).await?,
        What::Resources(provider, service) => resources(state, provider, service).await?,
        What::Methods(name) => {
            let table = table(state, &name).await?;
            let Some(table) = table.downcast_ref::<Table>() else {
                return plan_err!("`{name}` is not a table of a provider, and has no methods");
            };
            methods::list(table)
        }
        What::Columns(name) => descriptions::list(&*table(state, &name).await?),
    };
    listing.plan(discovery.like)
}

impl Listing {
    fn plan(self, like: Option<String>) -> Result<LogicalPlan> {
        let fields = self.columns.iter().map(|name| {
            let is_nullable = !matches!(*name, "name" | "column_name");
            Field::new(*name, DataType::Utf8, is_nullable)
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let arrays = (0..self.columns.len()).map(|index| -> ArrayRef {
            let texts = self.rows.iter().map(|row| row[index].as_deref());
            Arc::new(texts.collect::<StringArray>())
        });
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays.collect())?;
        let table = MemTable::try_new(schema, vec![vec![batch]])?;
        let source = provider_as_source(Arc::new(table));
        let mut plan = LogicalPlanBuilder::scan("listing", source, None)?;
        if let Some(pattern) = like {
            plan = plan.filter(ident(self.name).like(lit(pattern)))?;
        }
        plan.build()
    }
}

/// Returns the full names of all tables but those of `information_schema`, sorted.
fn tables(state: &SessionState) -> Vec<ResolvedTableReference> {
    let catalogs = state.catalog_list();
    let mut found = Vec::new();
    for catalog in catalogs.catalog_names() {
        let Some(schemas) = catalogs.catalog(&catalog) else {
            continue;
        };
        for schema in schemas.schema_names() {
            let tables = match schema == "information_schema" {
                true => None,
                false => schemas.schema(&schema),
            };
            for table in tables.map_or_else(Vec::new, |tables| tables.table_names()) {
                found.push(ResolvedTableReference {
                    catalog: catalog.as_str().into(),
                    schema: schema.as_str().into(),
                    table: table.into(),
                });
            }
        }
    }
    found.sort_by(|one, other| {
        let key =
            |it: &ResolvedTableReference| (it.catalog.clone(), it.schema.clone(), it.table.clone());
        key(one).cmp(&key(other))
    });
    found
}

/// The first parts of the names of tables. A table without one is in the default catalog, which is no provider.
fn provider_names(state: &SessionState) -> Vec<String> {
    let default = &state.config_options().catalog.default_catalog;
    let tables = tables(state).into_iter();
    let mut names: Vec<String> = tables.map(|table| table.catalog.to_string()).collect();
    names.dedup();
    names.retain(|name| name != default);
    names
}

/// A provider of this name, or an error that lists those that there are.
fn check_provider(state: &SessionState, name: &str) -> Result<()> {
    let known = provider_names(state);
    let exists = |name: &str| state.catalog_list().catalog(name).is_some();
    match known.iter().any(|known| known == name) || exists(name) {
        true => Ok(()),
        false if known.is_empty() => plan_err!("there is no provider `{name}`, and no other one"),
        false => plan_err!(
            "there is no provider `{name}`; there is {}",
            known.join(", ")
        ),
    }
}

async fn providers(state: &SessionState) -> Result<Listing> {
    let mut rows = Vec::new();
    for name in provider_names(state) {
        let tables = tables(state).into_iter();
        let mut organizations = 0;
        for table in tables.filter(|table| *table.catalog == name) {
            let provider = self::table(state, &table.into()).await?;
            let found = provider.downcast_ref::<Table>();
            organizations = organizations.max(found.map_or(0, |found| found.sources().len()));
        }
        rows.push(vec![Some(name), Some(organizations.to_string())]);
    }
    Ok(Listing {
        columns: &["name", "organizations"],
        name: "name",
        rows,
    })
}

async fn services(state: &SessionState, provider: Option<String>) -> Result<Listing> {
    let providers = match provider {
        Some(name) => {
            check_provider(state, &name)?;
            vec![name]
        }
        None => provider_names(state),
    };
    let tables = tables(state).into_iter();
    let tables = tables.filter(|table| providers.iter().any(|name| *name == *table.catalog));
    let mut names: Vec<_> = tables.map(|table| (table.catalog, table.schema)).collect();
    names.dedup();
    let row = |(provider, service): (Arc<str>, Arc<str>)| {
        vec![Some(provider.to_string()), Some(service.to_string())]
    };
    Ok(Listing {
        columns: &["provider", "name"],
        name: "name",
        rows: names.into_iter().map(row).collect(),
    })
}

async fn resources(
    state: &SessionState,
    provider: Option<String>,
    service: Option<String>,
) -> Result<Listing> {
    if let Some(provider) = &provider {
        check_provider(state, provider)?;
    }
    let is_in =
        |part: &str, wanted: &Option<String>| wanted.as_ref().is_none_or(|wanted| wanted == part);
    let mut found = tables(state);
    found.retain(|table| is_in(&table.catalog, &provider) && is_in(&table.schema, &service));
    if let (Some(provider), Some(service), true) = (&provider, &service, found.is_empty()) {
        return plan_err!(
            "`{provider}` has no service `{service}`; SHOW SERVICES IN {provider} lists those that \
             it has"
        );
    }
    let row = |table: ResolvedTableReference| {
        let parts = [table.catalog, table.schema, table.table];
        parts.map(|part| Some(part.to_string())).to_vec()
    };
    Ok(Listing {
        columns: &["provider", "service", "name"],
        name: "name",
        rows: found.into_iter().map(row).collect(),
    })
}

/// Returns the table with this name.
async fn table(state: &SessionState, name: &TableReference) -> Result<Arc<dyn TableProvider>> {
    let schema = state.schema_for_ref(name.clone());
    let found = match schema {
        Ok(schema) => schema.table(name.table()).await?,
        Err(_) => None,
    };
    match found {
        Some(table) => Ok(table),
        None => plan_err!("there is no table `{name}`; SHOW TABLES lists those that there are"),
    }
}

//! Plans as bytes, for a session of several processes: a table travels as names, filters and columns.

mod exec;
mod logical;
mod named;
mod physical;
mod wire;

pub(crate) use self::exec::by_name;

use std::{fmt, sync::Arc};

use datafusion_proto::{
    logical_plan::{DefaultLogicalExtensionCodec, LogicalExtensionCodec},
    physical_plan::{DefaultPhysicalExtensionCodec, PhysicalExtensionCodec},
};
use org_invitations::{OrganizationProvider, Result};

/// The organisations that a process can read, by the names that plans have for them: its own configuration.
pub trait Organizations: fmt::Debug + Send + Sync {
    /// Returns an organisation; `None` if this process does not know it.
    ///
    /// The names are those of the rows: the provider's, which is the label in a [union](crate::Table::union_of), and the
    /// [profile](crate::Table::profile), if it has one. It is asked each time that a process reads the rows of an
    /// organisation, and should return the same provider, which has the connections and the rate limit.
    ///
    /// # Errors
    ///
    /// When the provider cannot be built. The statement fails with the error.
    fn organization(
        &self,
        provider: &str,
        profile: Option<&str>,
    ) -> Result<Option<Arc<dyn OrganizationProvider>>>;
}

/// Writes the tables of this crate in plans that other processes run, as
/// [Apache Ballista](https://datafusion.apache.org/ballista) does: as the names of their organisations, with the filters,
/// columns and limit of a scan.
///
/// No credential is in the bytes: a process that reads rows finds the organisation in its own configuration
/// ([`organizations`](Self::organizations)). One that only plans needs none; should it read rows nevertheless, the
/// statement fails. All processes run the same version of this crate.
///
/// Writes are refused: `INSERT`, `DELETE` and `DRY RUN` run in a session of one process.
///
/// ```
/// use std::sync::Arc;
///
/// use datafusion::physical_plan::collect;
/// use datafusion_proto::bytes::{
///     physical_plan_from_bytes_with_extension_codec as from_bytes,
///     physical_plan_to_bytes_with_extension_codec as to_bytes,
/// };
/// use org_invitations::{Confluent, OrganizationProvider, Result};
/// use org_invitations_sandbox::Sandbox;
/// use org_invitations_sql::{Organizations, Table, TableCodec, session, sql};
///
/// /// What the other process has in its configuration.
/// #[derive(Debug)]
/// struct Configuration(Arc<dyn OrganizationProvider>);
///
/// impl Organizations for Configuration {
///     fn organization(
///         &self,
///         _: &str,
///         profile: Option<&str>,
///     ) -> Result<Option<Arc<dyn OrganizationProvider>>> {
///         Ok((profile == Some("blue")).then(|| Arc::clone(&self.0)))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
/// let sandbox = Sandbox::builder().seed(3).start().await?;
/// let key = &sandbox.credentials().confluent;
/// let builder = Confluent::builder().api_key(&key.api_key, key.api_secret.as_str());
/// let provider: Arc<dyn OrganizationProvider> =
///     Arc::new(builder.base_url(sandbox.url()).build()?);
///
/// let context = session();
/// let table = Table::invitations(Arc::clone(&provider) as _).profile("blue");
/// table.register(&context, "invitations")?;
/// let plan = sql(&context, "SELECT email FROM invitations").await?;
/// let bytes = to_bytes(plan.create_physical_plan().await?, &TableCodec::default())?;
///
/// let elsewhere = TableCodec::default().organizations(Arc::new(Configuration(provider)));
/// let plan = from_bytes(&bytes, &context.task_ctx(), &elsewhere)?;
/// let rows = collect(plan, context.task_ctx()).await?;
/// assert_eq!(rows.iter().map(|batch| batch.num_rows()).sum::<usize>(), 3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TableCodec {
    logical: Arc<dyn LogicalExtensionCodec>,
    physical: Arc<dyn PhysicalExtensionCodec>,
    organizations: Option<Arc<dyn Organizations>>,
}

impl TableCodec {
    /// Creates a codec of a process that plans, and reads no rows. What is no table of this crate is left to the other two
    /// codecs, such as Ballista's.
    pub fn new(
        logical: Arc<dyn LogicalExtensionCodec>,
        physical: Arc<dyn PhysicalExtensionCodec>,
    ) -> Self {
        Self {
            logical,
            physical,
            organizations: None,
        }
    }

    /// Sets where the process finds the organisations whose rows it reads.
    #[must_use]
    pub fn organizations(mut self, organizations: Arc<dyn Organizations>) -> Self {
        self.organizations = Some(organizations);
        self
    }
}

/// A codec of a process that plans, with nothing but the engine's own nodes and the tables of this crate.
impl Default for TableCodec {
    fn default() -> Self {
        Self::new(
            Arc::new(DefaultLogicalExtensionCodec {}),
            Arc::new(DefaultPhysicalExtensionCodec {}),
        )
    }
}

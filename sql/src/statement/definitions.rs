//! `CREATE` and `DROP` of a name that is a table of this crate: a copy of that name would be taken for the vendor's rows.

use datafusion::{
    common::{TableReference, plan_err},
    error::Result,
    execution::SessionState,
    logical_expr::{DdlStatement, LogicalPlan},
};

use super::delete;
use crate::table::Table;

/// Refuses a definition that hides or removes a table of this crate.
pub(super) async fn check(state: &SessionState, plan: &LogicalPlan) -> Result<()> {
    let LogicalPlan::Ddl(definition) = plan else {
        return Ok(());
    };
    let (name, verb): (&TableReference, _) = match definition {
        DdlStatement::CreateExternalTable(table) => (&table.name, "create"),
        DdlStatement::CreateMemoryTable(table) => (&table.name, "create"),
        DdlStatement::CreateView(view) => (&view.name, "create"),
        DdlStatement::DropTable(table) => (&table.name, "drop"),
        DdlStatement::DropView(view) => (&view.name, "drop"),
        _ => return Ok(()),
    };
    let table = delete::provider(state, name).await?;
    match table.is_some_and(|table| table.is::<Table>()) {
        true => plan_err!(
            "`{name}` is a table of a provider, and a statement cannot {verb} one: use another \
             name, or DELETE for its rows"
        ),
        false => Ok(()),
    }
}

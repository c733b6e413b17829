//! JSON in columns: functions, the operators `->` and `->>`, and names after a dot, as in `extra.name`.

use std::sync::Arc;

use datafusion::{
    arrow::datatypes::{DataType, Field},
    common::{Column as QualifiedColumn, TableReference},
    error::Result,
    logical_expr::{
        Expr,
        expr::ScalarFunction,
        lit,
        planner::{ExprPlanner, PlannerResult},
    },
    prelude::SessionContext,
};
use datafusion_functions_json::udfs::json_as_text_udf;

use crate::columns::Column;

/// The planner of names after a dot. It has to come before those of the engine, which look for a struct.
pub(crate) fn planner() -> Arc<dyn ExprPlanner> {
    Arc::new(JsonFields)
}

/// Adds the functions and operators to a session.
pub(crate) fn enable(context: &mut SessionContext) {
    // It fails for a registry without expression planners only, and that of a session has them.
    let _ = datafusion_functions_json::register_all(context);
}

/// `extra.a.b` is the text of `b` in `a`, as `extra->'a'->>'b'` is.
#[derive(Debug)]
struct JsonFields;

impl ExprPlanner for JsonFields {
    fn plan_compound_identifier(
        &self,
        field: &Field,
        qualifier: Option<&TableReference>,
        names: &[String],
    ) -> Result<PlannerResult<Vec<Expr>>> {
        let column = Expr::Column(QualifiedColumn::from((qualifier, field)));
        let is_json = [Column::Extra, Column::Metadata]
            .iter()
            .any(|json| json.name() == field.name());
        if !is_json || *field.data_type() != DataType::Utf8 {
            return Ok(PlannerResult::Original(vec![column]));
        }
        // The name of the column of the result.
        let written = format!("{}.{}", field.name(), names.join("."));
        let names = names.iter().map(|name| lit(name.as_str()));
        let args = std::iter::once(column).chain(names).collect();
        let text = ScalarFunction::new_udf(json_as_text_udf(), args);
        let text = Expr::ScalarFunction(text).alias(written);
        Ok(PlannerResult::Planned(text))
    }
}

//! The columns that `RETURNING` asks for.

use datafusion::{
    common::plan_err,
    error::Result,
    sql::sqlparser::ast::{Expr, Function, FunctionArguments, Ident, SelectItem},
};

use crate::{columns::Column, resource::Kind, table::Table};

/// What a write returns of the rows that it wrote: columns, or all of them.
#[derive(Clone, Debug)]
pub(crate) struct Returning(Option<Vec<Item>>);

#[derive(Clone, Debug)]
struct Item {
    column: String,
    name: String,
}

impl Returning {
    /// # Errors
    ///
    /// For anything but `*` and columns.
    pub fn new(items: &[SelectItem], normalizes: bool) -> Result<Self> {
        let text = |ident: &Ident| match ident.quote_style {
            None if normalizes => ident.value.to_lowercase(),
            _ => ident.value.clone(),
        };
        let mut columns = Vec::new();
        for item in items {
            let (expr, alias) = match item {
                // A wildcard may have EXCEPT and others.
                SelectItem::Wildcard(_) if items.len() == 1 && item.to_string() == "*" => {
                    return Ok(Self(None));
                }
                SelectItem::UnnamedExpr(expr) => (expr, None),
                SelectItem::ExprWithAlias { expr, alias } => (expr, Some(text(alias))),
                _ => return unexpected(item),
            };
            let column = match expr {
                Expr::Identifier(ident) => text(ident),
                Expr::CompoundIdentifier(parts) => match parts.last() {
                    Some(ident) => text(ident),
                    None => return unexpected(item),
                },
                // The parser takes `user` for a function.
                Expr::Function(Function {
                    name,
                    args: FunctionArguments::None,
                    ..
                }) => name.to_string().to_lowercase(),
                _ => return unexpected(item),
            };
            let name = alias.unwrap_or_else(|| column.clone());
            columns.push(Item { column, name });
        }
        Ok(Self(Some(columns)))
    }

    /// Returns the columns of a table, and the names that they have in the result.
    ///
    /// # Errors
    ///
    /// For a column that the table does not have, and for two with one name.
    pub fn columns(&self, table: &Table) -> Result<Vec<(Column, String)>> {
        let all = table.columns().iter();
        let Some(items) = &self.0 else {
            return Ok(all.map(|it| (*it, it.name().to_owned())).collect());
        };
        let mut columns: Vec<(Column, String)> = Vec::new();
        for Item { column, name } in items {
            let Some(found) = all.clone().find(|it| it.name() == column) else {
                let known: Vec<&str> = all.map(|it| it.name()).collect();
                return plan_err!(
                    "RETURNING: the table has no column `{column}`; it has {}",
                    known.join(", ")
                );
            };
            if columns.iter().any(|(_, other)| other == name) {
                return plan_err!("RETURNING: two columns have the name `{name}`; use AS");
            }
            columns.push((*found, name.clone()));
        }
        Ok(columns)
    }

    /// Refuses a table of which an `INSERT` returns no rows.
    pub fn check_insert(&self, table: &Table) -> Result<()> {
        match table.kind() {
            Kind::Invitations => Ok(()),
            kind => plan_err!(
                "INSERT … RETURNING is for invitations; SELECT the {} afterwards",
                kind.spec().plural
            ),
        }
    }
}

fn unexpected<T>(item: &SelectItem) -> Result<T> {
    plan_err!("RETURNING takes columns, or * alone, and not `{item}`")
}

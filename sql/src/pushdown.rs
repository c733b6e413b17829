//! Filter pushdown: conditions that are sets of values for columns.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use datafusion::{
    common::ScalarValue,
    logical_expr::{BinaryExpr, Expr, Operator, expr::InList},
};

use crate::{
    columns::{Column, ProviderInfo},
    resource::Row,
};

/// The allowed values of columns. A column without an entry allows any value.
///
/// Values compare byte by byte, as text does in SQL.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "ballista", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct PushedFilters(BTreeMap<Column, BTreeSet<String>>);

impl PushedFilters {
    /// Combines conditions with `AND`, and ignores those that are not sets of values for one of `columns`.
    pub fn from_conditions(conditions: &[Expr], columns: &[Column]) -> Self {
        let mut filters = Self::default();
        let sets = conditions.iter();
        for (column, values) in sets.filter_map(|condition| values(condition, columns)) {
            filters
                .0
                .entry(column)
                .and_modify(|known| known.retain(|value| values.contains(value)))
                .or_insert(values);
        }
        filters
    }

    /// Whether a condition is a set of values for one of `columns`.
    pub fn supports(condition: &Expr, columns: &[Column]) -> bool {
        values(condition, columns).is_some()
    }

    /// Whether every row matches.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the columns with allowed values.
    pub fn columns(&self) -> impl Iterator<Item = Column> {
        self.0.keys().copied()
    }

    /// Whether no row can match.
    pub fn matches_nothing(&self) -> bool {
        self.0.values().any(BTreeSet::is_empty)
    }

    /// Returns the allowed values of a column; `None` if any value is allowed.
    pub fn values(&self, column: Column) -> Option<&BTreeSet<String>> {
        self.0.get(&column)
    }

    /// Returns the filters with only this value for a column.
    pub fn narrowed_to(&self, column: Column, value: &str) -> Self {
        let mut narrowed = self.clone();
        narrowed.0.insert(column, [value.to_owned()].into());
        narrowed
    }

    /// Whether rows of this provider can match.
    pub fn matches_provider(&self, info: &ProviderInfo) -> bool {
        let allows = |column, value: Option<&str>| {
            self.values(column)
                .is_none_or(|values| value.is_some_and(|value| values.contains(value)))
        };
        allows(Column::Provider, Some(&info.label))
            && allows(Column::Profile, info.profile.as_deref())
    }

    /// Whether a row of a matching provider matches.
    pub fn matches(&self, row: &dyn Row) -> bool {
        self.0.iter().all(|(column, values)| match column {
            Column::Provider | Column::Profile => true,
            _ => row
                .text(*column)
                .is_some_and(|value| values.contains(&*value)),
        })
    }
}

/// `email IN ('ann@example.com', 'bob@example.com') AND status = 'sent'`
impl fmt::Display for PushedFilters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (column, values)) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" AND ")?;
            }
            let quoted: Vec<String> = values.iter().map(|value| quote(value)).collect();
            match &quoted[..] {
                [only] => write!(f, "{} = {only}", column.name())?,
                several => write!(f, "{} IN ({})", column.name(), several.join(", "))?,
            }
        }
        Ok(())
    }
}

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Returns the values that a condition allows for one column: of `=`, of `IN`, and of these combined with `OR`.
/// Nulls are dropped, because they match nothing.
fn values(condition: &Expr, columns: &[Column]) -> Option<(Column, BTreeSet<String>)> {
    match condition {
        never if is_always_false(never) => Some((Column::Id, BTreeSet::new())),
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::Eq => match (column(left, columns), column(right, columns)) {
                (Some(column), _) => Some((column, literal(right)?)),
                (_, Some(column)) => Some((column, literal(left)?)),
                _ => None,
            },
            Operator::Or if is_always_false(left) => values(right, columns),
            Operator::Or if is_always_false(right) => values(left, columns),
            Operator::Or => {
                let (column, mut one) = values(left, columns)?;
                let (same, other) = values(right, columns)?;
                one.extend(other);
                (column == same).then_some((column, one))
            }
            _ => None,
        },
        Expr::InList(InList {
            expr,
            list,
            negated: false,
        }) => {
            let column = column(expr, columns)?;
            let values: Option<Vec<_>> = list.iter().map(literal).collect();
            Some((column, values?.into_iter().flatten().collect()))
        }
        _ => None,
    }
}

/// Whether a condition is false or null; the engine simplifies comparisons with null to this.
fn is_always_false(condition: &Expr) -> bool {
    matches!(
        condition,
        Expr::Literal(
            ScalarValue::Boolean(None | Some(false)) | ScalarValue::Null,
            _
        )
    )
}

fn column(expr: &Expr, columns: &[Column]) -> Option<Column> {
    let Expr::Column(found) = expr else {
        return None;
    };
    let mut columns = columns.iter().copied();
    columns.find(|column| column.name() == found.name)
}

/// Returns the value of a text literal, or an empty set for null.
fn literal(expr: &Expr) -> Option<BTreeSet<String>> {
    let Expr::Literal(value, _) = expr else {
        return None;
    };
    Some(value.try_as_str()?.map(str::to_owned).into_iter().collect())
}

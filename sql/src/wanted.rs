//! Which rows a statement wants, as far as that is a set of values for a column.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use datafusion::{
    common::ScalarValue,
    logical_expr::{BinaryExpr, Expr, Operator, expr::InList},
};
use org_invitations::Invitation;

use crate::columns::Column;

/// Rows that have one of some values, in each of some columns; every row at first.
///
/// Values compare byte by byte, as text does in SQL.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Wanted(BTreeMap<Column, BTreeSet<String>>);

/// The columns whose values can be looked for.
const SEARCHED: [Column; 6] = [
    Column::Provider,
    Column::Id,
    Column::Email,
    Column::Status,
    Column::User,
    Column::Creator,
];

impl Wanted {
    /// What all of these conditions want; those that are no sets of values want everything.
    pub fn by(conditions: &[Expr]) -> Self {
        let mut wanted = Self::default();
        for (column, values) in conditions.iter().filter_map(values) {
            wanted
                .0
                .entry(column)
                .and_modify(|known| known.retain(|value| values.contains(value)))
                .or_insert(values);
        }
        wanted
    }

    /// Whether all that the condition asks for is in such a set.
    pub fn understands(condition: &Expr) -> bool {
        values(condition).is_some()
    }

    /// Whether no row can be wanted.
    pub fn is_nothing(&self) -> bool {
        self.0.values().any(BTreeSet::is_empty)
    }

    /// The values for a column; `None` when any will do.
    pub fn values(&self, column: Column) -> Option<&BTreeSet<String>> {
        self.0.get(&column)
    }

    /// The same with only this value in a column.
    pub fn only(&self, column: Column, value: &str) -> Self {
        let mut narrowed = self.clone();
        narrowed.0.insert(column, [value.to_owned()].into());
        narrowed
    }

    /// Whether a provider with this name may have such rows.
    pub fn matches_provider(&self, label: &str) -> bool {
        self.values(Column::Provider)
            .is_none_or(|labels| labels.contains(label))
    }

    /// Whether the invitation, of a provider that matches, is such a row.
    pub fn matches(&self, invitation: &Invitation) -> bool {
        self.0.iter().all(|(column, values)| {
            let value = match column {
                Column::Id => Some(invitation.id.as_str()),
                Column::Email => Some(invitation.email.as_str()),
                Column::Status => invitation.status.as_ref().map(|status| status.as_str()),
                Column::User => invitation.user.as_ref().map(|user| user.id.as_str()),
                Column::Creator => invitation.creator.as_ref().map(|user| user.id.as_str()),
                _ => return true,
            };
            value.is_some_and(|value| values.contains(value))
        })
    }
}

/// `email IN ('ann@example.com', 'bob@example.com') AND status = 'sent'`
impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (column, values)) in self.0.iter().enumerate() {
            if place > 0 {
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

/// The values that a condition allows in one column: of `=`, of `IN`, and of these with `OR` between them.
/// A null among them matches nothing.
fn values(condition: &Expr) -> Option<(Column, BTreeSet<String>)> {
    match condition {
        never if is_never(never) => Some((Column::Id, BTreeSet::new())),
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::Eq => match (column(left), column(right)) {
                (Some(column), _) => Some((column, literal(right)?)),
                (_, Some(column)) => Some((column, literal(left)?)),
                _ => None,
            },
            Operator::Or if is_never(left) => values(right),
            Operator::Or if is_never(right) => values(left),
            Operator::Or => {
                let (column, mut one) = values(left)?;
                let (same, other) = values(right)?;
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
            let column = column(expr)?;
            let values: Option<Vec<_>> = list.iter().map(literal).collect();
            Some((column, values?.into_iter().flatten().collect()))
        }
        _ => None,
    }
}

/// What the engine makes of a comparison with a null.
fn is_never(condition: &Expr) -> bool {
    matches!(
        condition,
        Expr::Literal(
            ScalarValue::Boolean(None | Some(false)) | ScalarValue::Null,
            _
        )
    )
}

fn column(expr: &Expr) -> Option<Column> {
    let Expr::Column(found) = expr else {
        return None;
    };
    SEARCHED
        .into_iter()
        .find(|column| column.name() == found.name)
}

/// The value of a text literal; none for a null.
fn literal(expr: &Expr) -> Option<BTreeSet<String>> {
    let Expr::Literal(value, _) = expr else {
        return None;
    };
    Some(value.try_as_str()?.map(str::to_owned).into_iter().collect())
}

//! Clauses that the parser accepts and the engine ignores, so that the statement would mean something else.
//!
//! Structures of the parser are taken apart field by field, so that a new field does not compile until somebody decided
//! about it.

use std::ops::ControlFlow;

use datafusion::{
    error::DataFusionError,
    sql::sqlparser::ast::{
        Cte, Expr, Function, FunctionArgumentClause, FunctionArguments, GroupByExpr, Insert, Join,
        OrderBy, OrderByExpr, OrderByKind, Query, Select, SelectItem, SetExpr, SetOperator,
        SetQuantifier, Statement, TableAlias, TableFactor, TableFunctionArgs, Visit, Visitor,
        WildcardAdditionalOptions, WindowType, With,
    },
};

use super::{Check, refuse};

/// Refuses the first clause that the engine would ignore.
pub(super) fn check(tree: &impl Visit) -> Check {
    tree.visit(&mut Clauses)
}

struct Clauses;

/// Refuses a clause if it is present.
fn unless(present: bool, clause: &str, instead: &str) -> Check {
    match present {
        true => refuse(format!("{clause} is not supported: {instead}")),
        false => ControlFlow::Continue(()),
    }
}

const LEAVE_OUT: &str = "leave it out";
const FILTER: &str = "use WHERE, and LIMIT with ORDER BY";

impl Visitor for Clauses {
    type Break = DataFusionError;

    fn pre_visit_statement(&mut self, statement: &Statement) -> Check {
        match statement {
            Statement::Insert(insert) => check_insert(insert),
            Statement::Prepare { statement, .. } => unless(
                matches!(
                    **statement,
                    Statement::Insert(_) | Statement::Delete(_) | Statement::Update(_)
                ),
                "PREPARE of a statement that writes",
                "run the statement itself",
            ),
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_query(&mut self, query: &Query) -> Check {
        let Query {
            with,
            body,
            order_by,
            limit_clause: _,
            fetch,
            locks,
            for_clause,
            settings,
            format_clause,
            pipe_operators,
        } = query;
        if let Some(With { cte_tables, .. }) = with {
            for cte in cte_tables {
                check_cte(cte)?;
            }
        }
        unless(fetch.is_some(), "FETCH", "use LIMIT")?;
        unless(!locks.is_empty(), "FOR UPDATE or FOR SHARE", LEAVE_OUT)?;
        unless(for_clause.is_some(), "FOR XML, JSON or BROWSE", LEAVE_OUT)?;
        unless(settings.is_some(), "SETTINGS", LEAVE_OUT)?;
        unless(
            format_clause.is_some(),
            "FORMAT",
            "the option --output has the formats",
        )?;
        unless(!pipe_operators.is_empty(), "|>", "use a subquery")?;
        check_set_operation(body)?;
        match order_by {
            Some(order_by) => check_order_by(order_by, body),
            None => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_select(&mut self, select: &Select) -> Check {
        let Select {
            select_token: _,
            // Hints are comments.
            optimizer_hints: _,
            distinct: _,
            select_modifiers,
            top,
            top_before_distinct: _,
            projection,
            exclude,
            into,
            from,
            lateral_views,
            prewhere,
            selection: _,
            connect_by,
            group_by,
            cluster_by,
            distribute_by,
            sort_by,
            having: _,
            named_window: _,
            qualify: _,
            window_before_qualify: _,
            value_table_mode,
            flavor: _,
        } = select;
        let modified = select_modifiers.as_ref().is_some_and(|it| it.is_any_set());
        unless(
            modified,
            "a modifier of SELECT, such as HIGH_PRIORITY,",
            LEAVE_OUT,
        )?;
        unless(top.is_some(), "TOP", "use LIMIT")?;
        unless(
            exclude.is_some(),
            "EXCLUDE after the columns",
            "use * EXCLUDE (…)",
        )?;
        unless(
            into.is_some(),
            "SELECT INTO",
            "use CREATE TABLE … AS SELECT",
        )?;
        unless(!lateral_views.is_empty(), "LATERAL VIEW", "use UNNEST")?;
        unless(prewhere.is_some(), "PREWHERE", "use WHERE")?;
        unless(
            !connect_by.is_empty(),
            "CONNECT BY or START WITH",
            "use WITH RECURSIVE",
        )?;
        unless(!cluster_by.is_empty(), "CLUSTER BY", "use ORDER BY")?;
        unless(!distribute_by.is_empty(), "DISTRIBUTE BY", LEAVE_OUT)?;
        unless(!sort_by.is_empty(), "SORT BY", "use ORDER BY")?;
        unless(
            value_table_mode.is_some(),
            "SELECT AS STRUCT or AS VALUE",
            LEAVE_OUT,
        )?;
        let (GroupByExpr::All(modifiers) | GroupByExpr::Expressions(_, modifiers)) = group_by;
        unless(
            !modifiers.is_empty(),
            "GROUP BY … WITH ROLLUP, CUBE or TOTALS",
            "use GROUP BY ROLLUP (…) or CUBE (…)",
        )?;
        for item in projection {
            check_item(item)?;
        }
        for Join { global, .. } in from.iter().flat_map(|table| &table.joins) {
            unless(*global, "GLOBAL JOIN", "use JOIN")?;
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> Check {
        match factor {
            TableFactor::Table {
                name: _,
                alias,
                args,
                with_hints,
                version,
                with_ordinality,
                partitions,
                json_path,
                sample,
                index_hints,
            } => {
                if let Some(TableFunctionArgs { settings, .. }) = args {
                    unless(settings.is_some(), "SETTINGS", LEAVE_OUT)?;
                }
                unless(!with_hints.is_empty(), "WITH (…) after a table", LEAVE_OUT)?;
                unless(
                    version.is_some(),
                    "a version of a table",
                    "there is only the present",
                )?;
                unless(
                    *with_ordinality,
                    "WITH ORDINALITY",
                    "use row_number() OVER ()",
                )?;
                unless(!partitions.is_empty(), "PARTITION", "use WHERE")?;
                unless(json_path.is_some(), "a path after a table", "use UNNEST")?;
                unless(sample.is_some(), "TABLESAMPLE or SAMPLE", FILTER)?;
                unless(!index_hints.is_empty(), "an index hint", LEAVE_OUT)?;
                check_alias(alias.as_ref())
            }
            TableFactor::Derived { sample, alias, .. } => {
                unless(sample.is_some(), "TABLESAMPLE or SAMPLE", FILTER)?;
                check_alias(alias.as_ref())
            }
            TableFactor::Function {
                with_ordinality, ..
            } => unless(
                *with_ordinality,
                "WITH ORDINALITY",
                "use row_number() OVER ()",
            ),
            // The engine refuses the others, or supports all that they have.
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> Check {
        match expr {
            Expr::Function(function) => check_function(function),
            _ => ControlFlow::Continue(()),
        }
    }
}

fn check_cte(cte: &Cte) -> Check {
    let Cte {
        alias: _,
        query: _,
        from,
        // A hint: the rows are the same.
        materialized: _,
        closing_paren_token: _,
    } = cte;
    unless(from.is_some(), "FROM after WITH … AS (…)", LEAVE_OUT)
}

/// `FROM t FINAL` is `FROM t AS final` to the parser.
fn check_alias(alias: Option<&TableAlias>) -> Check {
    let Some(alias) = alias else {
        return ControlFlow::Continue(());
    };
    let is_final = alias.name.value.eq_ignore_ascii_case("final");
    let is_clause = is_final && !alias.explicit && alias.name.quote_style.is_none();
    unless(
        is_clause,
        "FINAL",
        "leave it out; an alias of that name needs AS",
    )?;
    unless(alias.at.is_some(), "AT after an alias", LEAVE_OUT)
}

fn check_set_operation(body: &SetExpr) -> Check {
    let mut body = body;
    while let SetExpr::SetOperation {
        op,
        set_quantifier,
        left,
        right,
    } = body
    {
        let is_all = matches!(
            set_quantifier,
            SetQuantifier::All | SetQuantifier::AllByName
        );
        let instead = "the engine counts repeated rows wrongly; number them with row_number() \
                       OVER (PARTITION BY …) on both sides, and leave ALL out";
        match op {
            SetOperator::Intersect => unless(is_all, "INTERSECT ALL", instead)?,
            SetOperator::Except | SetOperator::Minus => unless(is_all, "EXCEPT ALL", instead)?,
            SetOperator::Union => {}
        }
        check_set_operation(right)?;
        body = left;
    }
    ControlFlow::Continue(())
}

fn check_order_by(order_by: &OrderBy, body: &SetExpr) -> Check {
    match &order_by.kind {
        OrderByKind::All(_) => unless(
            !matches!(body, SetExpr::Select(_)),
            "ORDER BY ALL after UNION, INTERSECT or EXCEPT",
            "name the columns or their positions",
        ),
        OrderByKind::Expressions(expressions) => check_sort(expressions),
    }
}

fn check_sort(expressions: &[OrderByExpr]) -> Check {
    let filled = expressions.iter().any(|it| it.with_fill.is_some());
    unless(filled, "WITH FILL", "join generate_series(…)")
}

fn check_item(item: &SelectItem) -> Check {
    let options = match item {
        SelectItem::QualifiedWildcard(_, options) | SelectItem::Wildcard(options) => options,
        SelectItem::ExprWithAliases { .. } => {
            return unless(true, "several aliases of an expression", "use one");
        }
        SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. } => {
            return ControlFlow::Continue(());
        }
    };
    let WildcardAdditionalOptions {
        wildcard_token: _,
        opt_ilike,
        opt_exclude: _,
        opt_except: _,
        opt_replace: _,
        opt_rename,
        opt_alias,
    } = options;
    unless(opt_ilike.is_some(), "* ILIKE", "name the columns")?;
    unless(opt_rename.is_some(), "* RENAME", "name the columns")?;
    unless(opt_alias.is_some(), "* AS", "name the columns")
}

fn check_function(function: &Function) -> Check {
    let Function {
        name,
        uses_odbc_syntax: _,
        parameters,
        args,
        filter: _,
        null_treatment: _,
        over,
        within_group,
    } = function;
    let has_parameters = !matches!(parameters, FunctionArguments::None);
    unless(
        has_parameters,
        &format!("{name}(…)(…)"),
        "use one list of arguments",
    )?;
    check_sort(within_group)?;
    if let Some(WindowType::WindowSpec(window)) = over {
        check_sort(&window.order_by)?;
    }
    match args {
        FunctionArguments::Subquery(_) => unless(
            true,
            &format!("a query as the argument of {name}"),
            "put a second pair of parentheses around it, or use array_agg in a subquery",
        ),
        FunctionArguments::List(list) => {
            for clause in &list.clauses {
                if let FunctionArgumentClause::OrderBy(expressions) = clause {
                    check_sort(expressions)?;
                }
            }
            ControlFlow::Continue(())
        }
        FunctionArguments::None => ControlFlow::Continue(()),
    }
}

/// Clauses of an `INSERT` for which there is something to say; the engine refuses all others.
fn check_insert(insert: &Insert) -> Check {
    let instead = "an INSERT never changes an invitation that exists";
    unless(insert.on.is_some(), "ON CONFLICT", instead)?;
    let replaces = insert.replace_into || insert.or.is_some() || insert.overwrite;
    unless(
        replaces,
        "INSERT OR …, INSERT OVERWRITE and REPLACE",
        "use INSERT INTO",
    )
}

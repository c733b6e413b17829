//! `JSON_EXTRACT(text, '$.name[0]')`, as SQLite and MySQL have it: it is `json_as_text(text, 'name', 0)`.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, Value,
};

use super::{Check, refuse};

const FORM: &str = "JSON_EXTRACT needs a text of JSON and one path, as in \
    JSON_EXTRACT(extra, '$.labels[0].\"a name\"')";

/// Rewrites a call of `JSON_EXTRACT`, and refuses one with a path that is not known before the statement runs.
pub(super) fn rewrite(expr: &mut Expr) -> Check {
    let Expr::Function(function) = expr else {
        return ControlFlow::Continue(());
    };
    if !function
        .name
        .to_string()
        .eq_ignore_ascii_case("json_extract")
    {
        return ControlFlow::Continue(());
    }
    let Some(keys) = path(function).and_then(keys) else {
        return refuse(FORM);
    };
    if keys.is_empty() {
        return refuse("JSON_EXTRACT with the path '$' is the whole text: use the column itself");
    }
    function.name = ObjectName::from(vec![Ident::new("json_as_text")]);
    if let FunctionArguments::List(list) = &mut function.args {
        list.args.truncate(1);
        let keys = keys.into_iter().map(|key| match key {
            Key::Name(name) => Value::SingleQuotedString(name),
            Key::Index(digits) => Value::Number(digits, false),
        });
        let keys = keys.map(|key| FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::value(key))));
        list.args.extend(keys);
    }
    ControlFlow::Continue(())
}

/// The path of a call with a text and a path.
fn path(function: &Function) -> Option<&str> {
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    match list.args.as_slice() {
        [
            _,
            FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(path))),
        ] => match &path.value {
            Value::SingleQuotedString(path) => Some(path),
            _ => None,
        },
        _ => None,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Key {
    Name(String),
    /// The digits of the position in an array.
    Index(String),
}

/// The keys of a path; `None` for what is not a path.
fn keys(path: &str) -> Option<Vec<Key>> {
    let mut rest = path.trim().strip_prefix('$')?;
    let mut keys = Vec::new();
    while !rest.is_empty() {
        let (key, after) = if let Some(quoted) = rest.strip_prefix(".\"") {
            let (name, after) = quoted.split_once('"')?;
            (Key::Name(name.to_owned()), after)
        } else if let Some(name) = rest.strip_prefix('.') {
            let end = name.find(['.', '[']).unwrap_or(name.len());
            let (name, after) = name.split_at(end);
            let is_plain = !name.is_empty() && !name.contains(['*', '"', ']', '?']);
            (is_plain.then(|| Key::Name(name.to_owned()))?, after)
        } else {
            let (digits, after) = rest.strip_prefix('[')?.split_once(']')?;
            let is_index = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
            (is_index.then(|| Key::Index(digits.to_owned()))?, after)
        };
        keys.push(key);
        rest = after;
    }
    Some(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> Key {
        Key::Name(name.to_owned())
    }

    #[test]
    fn a_path_is_split_into_keys() {
        let index = |digits: &str| Key::Index(digits.to_owned());
        for (path, expected) in [
            ("$", Some(vec![])),
            ("$.a", Some(vec![name("a")])),
            (
                "$.a.b[12].c",
                Some(vec![name("a"), name("b"), index("12"), name("c")]),
            ),
            ("$.\"a.b\".c", Some(vec![name("a.b"), name("c")])),
            ("$[0][1]", Some(vec![index("0"), index("1")])),
            ("a", None),
            ("", None),
            ("$a", None),
            ("$.", None),
            ("$..a", None),
            ("$.*", None),
            ("$[-1]", None),
            ("$[x]", None),
            ("$[0", None),
            ("$.\"a", None),
        ] {
            assert_eq!(keys(path), expected, "{path}");
        }
    }
}

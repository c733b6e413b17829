//! Rust identifiers, as progenitor and typify derive them from names in a document.

use std::collections::HashSet;

use heck::{ToPascalCase, ToSnakeCase};

/// Names of types that the generated code uses itself.
const RESERVED_TYPES: [&str; 21] = [
    "Box",
    "Clone",
    "Debug",
    "Default",
    "Deserialize",
    "Display",
    "Err",
    "From",
    "FromStr",
    "Into",
    "None",
    "Ok",
    "Option",
    "Result",
    "Self",
    "Serialize",
    "Some",
    "String",
    "ToString",
    "TryFrom",
    "Vec",
];

/// Names of operations that the client has as other items.
const RESERVED_OPERATIONS: [&str; 17] = [
    "api_version",
    "baseurl",
    "byte_stream",
    "client",
    "client_hooks",
    "client_info",
    "clone",
    "error",
    "exec",
    "inner",
    "new",
    "new_with_client",
    "operation_info",
    "over",
    "post",
    "pre",
    "within",
];

/// Names of parameters that a builder has as other items.
const RESERVED_PARAMETERS: [&str; 14] = [
    "body",
    "body_map",
    "client",
    "clone",
    "header_map",
    "info",
    "new",
    "request",
    "response",
    "result",
    "send",
    "stream",
    "url",
    "value",
];

/// Returns the name of a type or variant.
pub(crate) fn pascal(text: &str) -> String {
    identifier(text, str::to_pascal_case, "X")
}

/// Returns the name of a field, parameter or method.
pub(crate) fn snake(text: &str) -> String {
    identifier(text, str::to_snake_case, "x")
}

/// Returns the name of a type that does not collide with the types of the generated code.
pub(crate) fn type_name(text: &str) -> String {
    // Repeated until the name is stable, because typify converts it once more.
    let mut name = pascal(text);
    for _ in 0..4 {
        let again = pascal(&name);
        if again == name {
            break;
        }
        name = again;
    }
    if RESERVED_TYPES.contains(&name.trim_end_matches('_')) {
        name = format!("{}Type", name.trim_end_matches('_'));
    }
    name
}

pub(crate) fn is_reserved_operation(name: &str) -> bool {
    let extension = ["request_builder_ext", "response_value"];
    RESERVED_OPERATIONS.contains(&name) || extension.contains(&name)
}

pub(crate) fn is_reserved_parameter(name: &str) -> bool {
    RESERVED_PARAMETERS.contains(&name)
}

/// Returns the first candidate that is not taken, or a numbered one if all are.
pub(crate) fn first_free(
    taken: &HashSet<String>,
    candidates: &[String],
    number: fn(&str, usize) -> String,
) -> String {
    let is_free = |name: &String| !taken.contains(name);
    if let Some(name) = candidates.iter().find(|name| is_free(name)) {
        return name.clone();
    }
    let last = candidates.last().map_or("x", String::as_str);
    let mut numbered = (2..).map(|count| number(last, count));
    numbered.find(is_free).unwrap_or_default()
}

fn identifier(text: &str, case: fn(&str) -> String, prefix: &str) -> String {
    let cleaned: String = text
        .chars()
        .filter(|letter| *letter != '\'')
        .map(|letter| {
            if unicode_ident::is_xid_continue(letter) {
                letter
            } else {
                '-'
            }
        })
        .collect();
    let name = match text {
        "+1" => case("plus1"),
        "-1" => case("minus1"),
        _ => case(&cleaned),
    };
    let name = match name.chars().next() {
        None => prefix.to_owned(),
        Some(first) if unicode_ident::is_xid_start(first) => name,
        Some(_) => format!("{prefix}{name}"),
    };
    if is_keyword(&name) {
        format!("{name}_")
    } else {
        name
    }
}

fn is_keyword(name: &str) -> bool {
    const KEYWORDS: &str = " abstract as async await become box break const continue crate do dyn else enum extern \
        false final fn for gen if impl in let loop macro match mod move mut override priv pub ref return Self self \
        static struct super trait true try type typeof unsafe unsized use virtual where while yield _ ";
    KEYWORDS.contains(&format!(" {name} "))
}

//! Generates Rust from a model: the client by progenitor, and what progenitor cannot express.
//!
//! | module | what it writes |
//! |---|---|
//! | `builders` | builders of types, which start with an empty `extra` |
//! | `renames` | placeholders for names that collide in Rust |
//! | `enums` | sets of values, open to values that a document does not list |
//! | `unions` | unions with a discriminator, open in the same way |
//! | `tables` | constants for the hooks of a client and for its users |

mod builders;
mod enums;
mod renames;
mod tables;
mod unions;

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use openapiv3::OpenAPI;
use proc_macro2::TokenStream;
use progenitor_impl::{
    GenerationSettings, Generator, HooksMode, InterfaceStyle, TypeImpl, TypePatch,
};
use quote::{format_ident, quote};
use serde_json::Value;

use crate::{
    bindings::Bindings,
    diagnostic::Diagnostic,
    lower::{
        docs,
        model::{Body, Model, Node, Shape},
        openapi::{self, Form},
    },
};
use renames::Renames;
pub(crate) use tables::SourceFile;

/// The component that represents timestamps in the document that progenitor reads.
const TIMESTAMP: &str = "TimestampOfSupport";

/// Generates the Rust text of a module.
pub(crate) fn emit(
    bindings: &Bindings,
    model: &Model,
    files: &[SourceFile],
) -> Result<String, Diagnostic> {
    let form = Form {
        timestamp: bindings.support.is_some().then_some(TIMESTAMP),
    };
    let renames = Renames::new(model);
    let mut document = openapi::document(model, form);
    renames.apply(&mut document);
    join_summaries(&mut document);
    if let Some(Value::String(version)) = document["info"].get_mut("version") {
        // The version is sent as the value of a header.
        version.retain(|letter| letter == ' ' || letter.is_ascii_graphic());
    }
    let client = without_panic(|| client(bindings, model, document))?;
    let client = renames.restore(client);
    let aliases = model.aliases.iter().map(|(name, node)| {
        let (name, of) = (format_ident!("{name}"), alias(model, node, bindings));
        quote! {
            /// Another name that code around the bindings uses.
            pub type #name = #of;
        }
    });
    let enums = enums::tokens(model);
    let unions = unions::tokens(model);
    let tables = tables::tokens(bindings, model, files);
    let allowed = quote! {
        #[allow(
            clippy::all,
            dead_code,
            missing_docs,
            rustdoc::all,
            unreachable_patterns,
            unreachable_pub,
            unused_imports,
            clippy::unwrap_used,
            clippy::expect_used,
            clippy::panic
        )]
    };
    let tokens = quote! {
        #allowed
        mod client { #client }
        #[allow(unused_imports)]
        pub use self::client::{builder, ByteStream, Client, ClientInfo, Error, ResponseValue};
        /// What is sent and what comes back.
        #allowed
        pub mod types {
            #[doc(inline)]
            pub use super::client::types::*;
            #enums
            #unions
            #(#aliases)*
        }
        #tables
    };
    let mut file = syn::parse2(tokens).map_err(|error| failed(&error.to_string()))?;
    let objects = model
        .types
        .iter()
        .filter(|named| matches!(named.body, Body::Object(_)))
        .count();
    let builders = builders::start_empty(&mut file);
    if builders != objects {
        return Err(failed(&format!(
            "{builders} builders for {objects} objects"
        )));
    }
    let notes = model
        .notes
        .iter()
        .map(|note| format!("// note: {}\n", one_line(note)));
    let notes: String = notes.collect();
    let mut text = format!("{notes}{}", prettyplease::unparse(&file));
    // The compiler refuses some of these characters in comments. In string literals they are escaped.
    text.retain(|letter| letter == '\n' || !docs::is_invisible(letter));
    Ok(text)
}

fn client(bindings: &Bindings, model: &Model, document: Value) -> Result<TokenStream, Diagnostic> {
    let document: OpenAPI =
        serde_json::from_value(document).map_err(|error| failed(&error.to_string()))?;
    let mut settings = GenerationSettings::new();
    settings.with_interface(InterfaceStyle::Builder);
    if let Some(support) = &bindings.support {
        let transport = syn::parse_str::<syn::Path>(&format!("{support}::Transport"));
        let transport = transport.map_err(|error| failed(&error.to_string()))?;
        settings
            .with_hooks(HooksMode::Expected)
            .with_inner_type(quote!(#transport))
            .with_replacement(
                TIMESTAMP,
                format!("{support}::Timestamp"),
                [TypeImpl::Display].into_iter(),
            );
    }
    for named in &model.types {
        let path = format!("{}::types::{}", bindings.module, named.name);
        match &named.body {
            Body::Object(properties) => {
                let mut patch = TypePatch::default();
                patch.with_attr("#[non_exhaustive]");
                if properties.iter().all(|property| !property.required) {
                    patch.with_derive("Default");
                }
                settings.with_patch(&named.name, &patch)
            }
            Body::Enum(_) => settings.with_replacement(
                &named.name,
                path,
                [TypeImpl::Display, TypeImpl::FromStr].into_iter(),
            ),
            Body::Union(_) => settings.with_replacement(&named.name, path, std::iter::empty()),
        };
    }
    Generator::new(&settings)
        .generate_tokens(&document)
        .map_err(|error| failed(&error.to_string()))
}

/// Moves summaries into descriptions, because progenitor truncates a summary.
fn join_summaries(document: &mut Value) {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (_, item) in paths {
        for (_, operation) in item.as_object_mut().into_iter().flatten() {
            let Some(operation) = operation.as_object_mut() else {
                continue;
            };
            let summary = operation.remove("summary");
            let parts = [summary.as_ref(), operation.get("description")];
            let parts = parts.into_iter().flatten().filter_map(Value::as_str);
            let text = parts.collect::<Vec<_>>().join("\n\n");
            if !text.is_empty() {
                operation.insert("description".to_owned(), Value::from(text));
            }
            let parameters = operation
                .get_mut("parameters")
                .and_then(Value::as_array_mut);
            for parameter in parameters.into_iter().flatten() {
                // The descriptions become items of a Markdown list.
                if let Some(Value::String(text)) = parameter.get_mut("description") {
                    *text = text.replace('\n', "\n  ");
                }
            }
        }
    }
}

fn alias(model: &Model, node: &Node, bindings: &Bindings) -> TokenStream {
    match &node.shape {
        Shape::Any => quote!(::serde_json::Value),
        Shape::Text => quote!(::std::string::String),
        Shape::DateTime => match &bindings.support {
            Some(support) => {
                let path: TokenStream = format!("{support}::Timestamp").parse().unwrap_or_default();
                path
            }
            None => quote!(::chrono::DateTime<::chrono::offset::Utc>),
        },
        Shape::Integer => quote!(i64),
        Shape::Number => quote!(f64),
        Shape::Boolean => quote!(bool),
        Shape::List(items) => {
            let items = alias(model, items, bindings);
            quote!(::std::vec::Vec<#items>)
        }
        Shape::Map(values) => {
            let values = alias(model, values, bindings);
            quote!(::std::collections::HashMap<::std::string::String, #values>)
        }
        Shape::Named(id) => {
            let name = format_ident!("{}", model.types[*id].name);
            quote!(#name)
        }
    }
}

/// Turns a panic into a diagnostic, because progenitor panics on some inputs.
fn without_panic<T>(run: impl FnOnce() -> Result<T, Diagnostic>) -> Result<T, Diagnostic> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|panic| Err(failed(&panic_message(panic.as_ref()))))
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

fn failed(found: &str) -> Diagnostic {
    Diagnostic {
        pointer: String::new(),
        expected: "code for the client".to_owned(),
        found: one_line(found),
        advice: "this is a defect of the code generator; report it with the document".to_owned(),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

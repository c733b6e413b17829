//! Constants for the hooks of a client and for its users.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::{
    bindings::Bindings,
    lower::model::{Body, Media, Model},
};

/// A document that the bindings were generated from.
#[derive(Clone, Debug)]
pub(crate) struct SourceFile {
    pub title: String,
    pub version: String,
    /// The name of the file, without its folder.
    pub file: String,
    pub sha256: String,
    /// Whether it is the project's own document.
    pub own: bool,
}

pub(super) fn tokens(bindings: &Bindings, model: &Model, files: &[SourceFile]) -> TokenStream {
    let offers = model.offers.iter().map(|(name, offered)| {
        let name = format_ident!("{name}");
        quote! { pub const #name: bool = #offered; }
    });
    let offers = (!model.offers.is_empty()).then(|| {
        quote! {
            /// Whether the document that this was built from has what code around the bindings can do without.
            #[allow(missing_docs)]
            pub mod offers { #(#offers)* }
        }
    });
    let Some(support) = &bindings.support else {
        return quote! { #offers };
    };
    let support: TokenStream = support.parse().unwrap_or_default();
    let operations = model.operations.iter().map(|op| {
        let (name, method, path) = (&op.name, op.method.to_ascii_uppercase(), &op.path);
        let offered = op.offered;
        let summary = op.summary.as_deref().unwrap_or_default();
        let raw = op
            .success
            .as_ref()
            .is_some_and(|success| success.media != Media::Json);
        let queries = |offered: bool| {
            let parameters = op.parameters.iter();
            let queries = parameters
                .filter(move |param| param.location == "query" && param.offered == offered);
            queries.map(|param| param.name.clone())
        };
        let (queries, absent_queries) = (queries(true), queries(false));
        let body = op.request.as_ref().and_then(|request| request.node.named());
        let properties = body.map(|id| match &model.types[id].body {
            Body::Object(properties) => properties.iter().filter(|it| !it.offered).collect(),
            _ => Vec::new(),
        });
        let properties = properties
            .into_iter()
            .flatten()
            .map(|property| property.name.clone());
        quote! {
            #support::OperationSpec {
                name: #name,
                method: #method,
                path: #path,
                summary: #summary,
                offered: #offered,
                is_raw: #raw,
                queries: &[#(#queries),*],
                absent_queries: &[#(#absent_queries),*],
                absent_properties: &[#(#properties),*],
            }
        }
    });
    let properties = described_properties(model);
    let files = files.iter().map(|each| {
        let SourceFile {
            title,
            version,
            file,
            sha256,
            own,
        } = each;
        quote! {
            #support::SourceDocument {
                title: #title,
                version: #version,
                file: #file,
                sha256: #sha256,
                is_own: #own,
            }
        }
    });
    let description = bindings.description();
    quote! {
        #offers
        /// The operations, for the hooks.
        #[allow(dead_code)]
        pub(crate) const OPERATIONS: &[#support::OperationSpec] = &[#(#operations),*];
        /// The documents that this was built from.
        #[allow(dead_code)]
        pub(crate) const DOCUMENTS: &[#support::SourceDocument] = &[#(#files),*];
        /// What the documents say of the properties of types that code around the bindings names: type, property, text.
        #[allow(dead_code)]
        pub(crate) const PROPERTIES: &[(&str, &str, &str)] = &[#(#properties),*];
        /// What code around the bindings needs of the documents.
        #[allow(dead_code)]
        pub(crate) const DESCRIPTION: &str = #description;
    }
}

/// The descriptions of the properties of types with a name that the builder gives.
fn described_properties(model: &Model) -> impl Iterator<Item = TokenStream> + '_ {
    let named = model
        .types
        .iter()
        .filter(|each| each.origin.pinned.is_some());
    named.flat_map(|each| {
        let properties = match &each.body {
            Body::Object(properties) => &properties[..],
            _ => &[],
        };
        let type_name = &each.name;
        properties.iter().filter_map(move |property| {
            let (name, text) = (&property.name, property.docs.text.as_deref()?);
            Some(quote! { (#type_name, #name, #text) })
        })
    })
}

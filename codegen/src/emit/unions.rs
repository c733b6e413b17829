//! Enums for unions with a discriminator, which keep values that match none of the objects.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::lower::{
    docs,
    model::{Body, Model},
    openapi::doc_text,
    variants,
};

pub(super) fn tokens(model: &Model) -> TokenStream {
    let unions = model.types.iter().filter_map(|named| match &named.body {
        Body::Union(union) => Some((named, union)),
        _ => None,
    });
    let unions: Vec<TokenStream> = unions
        .map(|(named, union)| {
            let name = format_ident!("{}", named.name);
            let docs = doc_text(&named.docs)
                .unwrap_or_else(|| format!("One of several objects, `{}`.", named.name));
            let discriminator = &union.discriminator;
            let values: Vec<String> = union.arms.iter().map(|(value, _)| value.clone()).collect();
            let arms = variants(&values).into_iter().zip(&union.arms);
            let arms = arms.filter_map(|(variant, (value, node))| {
                let of = format_ident!("{}", model.types[node.named()?].name);
                let variant = format_ident!("{variant}");
                let docs = format!(
                    "Where {} is {}.",
                    docs::code(discriminator),
                    docs::code(value)
                );
                Some(quote! { #[doc = #docs] #variant(#of) = #value })
            });
            quote! {
                tagged_enum! {
                    #[doc = #docs]
                    #name by #discriminator { #(#arms,)* }
                }
            }
        })
        .collect();
    if unions.is_empty() {
        return TokenStream::new();
    }
    let union = definition();
    quote! { #union #(#unions)* }
}

/// The macro that defines the unions of the output.
fn definition() -> TokenStream {
    quote! {
        macro_rules! tagged_enum {
            ($(#[$docs:meta])* $name:ident by $discriminator:literal {
                $($(#[$doc_text:meta])* $variant:ident($of:ident) = $value:literal,)*
            }) => {
                $(#[$docs])*
                ///
                /// What is none of these objects is kept in `Other`.
                #[derive(Clone, Debug)]
                #[non_exhaustive]
                pub enum $name {
                    $($(#[$doc_text])* $variant(::std::boxed::Box<$of>),)*
                    /// Something that the document does not list, as it came.
                    Other(::serde_json::Value),
                }

                impl ::serde::Serialize for $name {
                    fn serialize<S: ::serde::Serializer>(
                        &self,
                        serializer: S,
                    ) -> ::std::result::Result<S::Ok, S::Error> {
                        match self {
                            $(Self::$variant(value) => value.serialize(serializer),)*
                            Self::Other(value) => value.serialize(serializer),
                        }
                    }
                }

                impl<'de> ::serde::Deserialize<'de> for $name {
                    fn deserialize<D: ::serde::Deserializer<'de>>(
                        deserializer: D,
                    ) -> ::std::result::Result<Self, D::Error> {
                        let value = <::serde_json::Value as ::serde::Deserialize>::deserialize(deserializer)?;
                        let read = match value.get($discriminator).and_then(::serde_json::Value::as_str) {
                            $(::std::option::Option::Some($value) => {
                                <::std::boxed::Box<$of> as ::serde::Deserialize>::deserialize(&value)
                                    .ok()
                                    .map(Self::$variant)
                            })*
                            _ => ::std::option::Option::None,
                        };
                        ::std::result::Result::Ok(read.unwrap_or(Self::Other(value)))
                    }
                }
            };
        }
    }
}

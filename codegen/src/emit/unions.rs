//! Objects that a property tells apart: enums that keep what is none of them.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::lower::{
    model::{Body, Model},
    render::said,
    variants, words,
};

pub(super) fn tokens(model: &Model) -> TokenStream {
    let unions = model.types.iter().filter_map(|named| match &named.body {
        Body::Union(union) => Some((named, union)),
        _ => None,
    });
    let unions: Vec<TokenStream> = unions
        .map(|(named, union)| {
            let name = format_ident!("{}", named.name);
            let words = said(&named.words)
                .unwrap_or_else(|| format!("One of several objects, `{}`.", named.name));
            let tag = &union.tag;
            let values: Vec<String> = union.arms.iter().map(|(value, _)| value.clone()).collect();
            let arms = variants(&values).into_iter().zip(&union.arms);
            let arms = arms.filter_map(|(variant, (value, node))| {
                let of = format_ident!("{}", model.types[node.named()?].name);
                let variant = format_ident!("{variant}");
                let words = format!("Where {} is {}.", words::code(tag), words::code(value));
                Some(quote! { #[doc = #words] #variant(#of) = #value })
            });
            quote! {
                tagged! {
                    #[doc = #words]
                    #name by #tag { #(#arms,)* }
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

/// The macro that the output defines its unions with.
fn definition() -> TokenStream {
    quote! {
        macro_rules! tagged {
            ($(#[$words:meta])* $name:ident by $tag:literal {
                $($(#[$said:meta])* $variant:ident($of:ident) = $value:literal,)*
            }) => {
                $(#[$words])*
                ///
                /// What is none of these objects is kept in `Other`.
                #[derive(Clone, Debug)]
                #[non_exhaustive]
                pub enum $name {
                    $($(#[$said])* $variant(::std::boxed::Box<$of>),)*
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
                        let read = match value.get($tag).and_then(::serde_json::Value::as_str) {
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

//! Enums for sets of values, which keep values that the document does not list.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::lower::{
    docs,
    model::{Body, Model},
    openapi::doc_text,
    variants,
};

pub(super) fn tokens(model: &Model) -> TokenStream {
    let enums = model.types.iter().filter_map(|named| match &named.body {
        Body::Enum(values) => Some((named, values)),
        _ => None,
    });
    let mut any = false;
    let enums: Vec<TokenStream> = enums
        .map(|(named, values)| {
            any = true;
            let name = format_ident!("{}", named.name);
            let docs = doc_text(&named.docs)
                .unwrap_or_else(|| format!("A set of values, `{}`.", named.name));
            let variants = variants(values)
                .into_iter()
                .zip(values)
                .map(|(variant, value)| {
                    let variant = format_ident!("{variant}");
                    let docs = docs::code(value);
                    quote! { #[doc = #docs] #variant = #value }
                });
            quote! {
                open_enum! {
                    #[doc = #docs]
                    #name { #(#variants,)* }
                }
            }
        })
        .collect();
    if !any {
        return TokenStream::new();
    }
    let definition = definition();
    quote! { #definition #(#enums)* }
}

/// The macro that defines the enums of the output.
fn definition() -> TokenStream {
    quote! {
        macro_rules! open_enum {
            ($(#[$docs:meta])* $name:ident { $($(#[$doc_text:meta])* $variant:ident = $value:literal,)* }) => {
                $(#[$docs])*
                ///
                /// An open set: a value that the document does not list is kept in `Other`.
                #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
                #[non_exhaustive]
                pub enum $name {
                    $($(#[$doc_text])* $variant,)*
                    /// A value that the document does not list, as it was written.
                    Other(::std::string::String),
                }

                impl $name {
                    /// The value as it is written.
                    pub fn as_str(&self) -> &str {
                        match self {
                            $(Self::$variant => $value,)*
                            Self::Other(other) => other,
                        }
                    }
                }

                impl ::std::convert::From<&str> for $name {
                    fn from(value: &str) -> Self {
                        match value {
                            $($value => Self::$variant,)*
                            other => Self::Other(::std::borrow::ToOwned::to_owned(other)),
                        }
                    }
                }

                impl ::std::convert::From<::std::string::String> for $name {
                    fn from(value: ::std::string::String) -> Self {
                        match value.as_str() {
                            $($value => Self::$variant,)*
                            _ => Self::Other(value),
                        }
                    }
                }

                impl ::std::str::FromStr for $name {
                    type Err = ::std::convert::Infallible;

                    fn from_str(value: &str) -> ::std::result::Result<Self, ::std::convert::Infallible> {
                        ::std::result::Result::Ok(Self::from(value))
                    }
                }

                impl ::std::convert::AsRef<str> for $name {
                    fn as_ref(&self) -> &str {
                        self.as_str()
                    }
                }

                impl ::std::fmt::Display for $name {
                    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                        f.pad(self.as_str())
                    }
                }

                impl ::serde::Serialize for $name {
                    fn serialize<S: ::serde::Serializer>(
                        &self,
                        serializer: S,
                    ) -> ::std::result::Result<S::Ok, S::Error> {
                        serializer.serialize_str(self.as_str())
                    }
                }

                impl<'de> ::serde::Deserialize<'de> for $name {
                    fn deserialize<D: ::serde::Deserializer<'de>>(
                        deserializer: D,
                    ) -> ::std::result::Result<Self, D::Error> {
                        struct Reader;

                        impl ::serde::de::Visitor<'_> for Reader {
                            type Value = $name;

                            fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                                f.write_str("a string")
                            }

                            fn visit_str<E>(self, value: &str) -> ::std::result::Result<$name, E> {
                                ::std::result::Result::Ok(<$name as ::std::convert::From<&str>>::from(value))
                            }
                        }

                        deserializer.deserialize_str(Reader)
                    }
                }
            };
        }
    }
}

//! How the generated types are read: in one pass, unknown properties included.
//!
//! What serde derives for a flattened map makes a value of every unknown property, in a buffer of its
//! own before it goes into the map. The readers here hand its text to the library's `Rest`, which becomes
//! the library's `Extra`. Fields are read as the derived readers read them, errors included; what is looked
//! up in a property that is kept stays in it too.
//!
//! A type with a list of objects is generic over the list, `Vec` by default: whoever reads it can have
//! every object made into something else at once, and not all of them held in two forms.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{
    Attribute, Field, Fields, File, GenericArgument, Item, ItemStruct, LitStr, Path, PathArguments,
    Token, Type, parse_quote, punctuated::Punctuated,
};

use crate::client_document::WITHIN;

/// Replaces the derived `Deserialize` of every type that keeps unknown properties.
pub(crate) fn read_in_one_pass(file: &mut File) -> syn::Result<()> {
    for item in &mut file.items {
        let Item::Mod(module) = item else { continue };
        let Some((_, items)) = &mut module.content else {
            continue;
        };
        let mut readers = Vec::new();
        for item in items.iter_mut() {
            let Item::Struct(item) = item else { continue };
            over_any_list(item);
            keep_as_text(item);
            if let Some(reader) = reader(item)? {
                without_derived(&mut item.attrs)?;
                readers.push(reader);
            }
        }
        items.extend(readers);
    }
    Ok(())
}

/// Makes a type generic over its list of objects, if it has one.
fn over_any_list(item: &mut ItemStruct) {
    for field in &mut item.fields {
        let list = argument(&field.ty, "Option").and_then(|list| argument(list, "Vec"));
        if let Some(Type::Path(object)) = list
            && object.path.get_ident().is_some()
        {
            item.generics = parse_quote! { <L = ::std::vec::Vec<#object>> };
            field.ty = parse_quote! { ::std::option::Option<L> };
            return;
        }
    }
}

/// Gives the map of unknown properties the type that the library keeps them in.
fn keep_as_text(item: &mut ItemStruct) {
    for field in &mut item.fields {
        if told(field).is_ok_and(|told| told.flatten) {
            field.ty = parse_quote! { super::Extra };
        }
    }
}

/// `T` of `name<T>`.
fn argument<'a>(kind: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(kind) = kind else { return None };
    let last = kind.path.segments.last()?;
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) if last.ident == name => {
            match arguments.args.first()? {
                GenericArgument::Type(argument) => Some(argument),
                _ => None,
            }
        }
        _ => None,
    }
}

/// What serde is told of a field.
#[derive(Default)]
struct Told {
    rename: Option<LitStr>,
    flatten: bool,
}

fn told(field: &Field) -> syn::Result<Told> {
    let mut told = Told::default();
    for attribute in field
        .attrs
        .iter()
        .filter(|each| each.path().is_ident("serde"))
    {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename") {
                told.rename = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("flatten") {
                told.flatten = true;
            } else if meta.path.is_ident("skip_serializing_if") {
                meta.value()?.parse::<LitStr>()?;
            } else {
                return Err(meta.error("serde is told what the readers do not know"));
            }
            Ok(())
        })?;
    }
    Ok(told)
}

/// The reader of a type that keeps unknown properties.
fn reader(item: &ItemStruct) -> syn::Result<Option<Item>> {
    let Fields::Named(fields) = &item.fields else {
        return Ok(None);
    };
    let mut rest = None;
    let mut known = Vec::new();
    for field in &fields.named {
        // No type with a flattened map is told anything else.
        let Ok(told) = told(field) else {
            return Ok(None);
        };
        let Some(name) = &field.ident else { continue };
        if told.flatten {
            rest = Some(name);
        } else {
            let wire = told
                .rename
                .unwrap_or_else(|| LitStr::new(&name.to_string(), name.span()));
            known.push((name, wire, &field.ty));
        }
    }
    let Some(rest) = rest else { return Ok(None) };
    // `L` where there is a list, and nothing in its place where there is none.
    let list = item.generics.type_params().next().map(|list| &list.ident);
    let listed = list.map(|list| quote! { #list, });
    let bound = list.map(|list| quote! { #list: ::serde::Deserialize<'de>, });
    let (mut variables, mut arms, mut moved) = (vec![], vec![], vec![]);
    // What is looked up, by the property that it is in: the names and the variables.
    let mut looked_up = BTreeMap::<_, (Vec<_>, Vec<_>)>::new();
    for (index, (name, wire, kind)) in known.into_iter().enumerate() {
        let variable = format_ident!("known_{index}");
        if let Some((outer, inner)) = wire.value().split_once(WITHIN) {
            let (names, variables_of) = looked_up.entry(outer.to_owned()).or_default();
            names.push(inner.to_owned());
            variables_of.push(variable.clone());
            variables.push(quote! { let mut #variable: #kind = None; });
            moved.push(quote! { #name: #variable });
            continue;
        }
        let value = value(kind);
        variables.push(quote! { let mut #variable: ::std::option::Option<#kind> = None; });
        arms.push(quote! {
            #wire => {
                if #variable.is_some() {
                    return Err(<A::Error as ::serde::de::Error>::duplicate_field(#wire));
                }
                #variable = Some(#value);
            }
        });
        moved.push(quote! { #name: #variable.unwrap_or_default() });
    }
    for (outer, (names, variables)) in looked_up {
        arms.push(quote! {
            #outer => [#(#variables),*] = rest.look_up(&name, &mut map, [#(#names),*])?,
        });
    }
    let name = &item.ident;
    let expected = format!("struct {name}");
    let reader = quote! {
        const _: () = {
            struct Reader<#list>(::std::marker::PhantomData<(#listed)>);

            impl<'de, #bound> ::serde::de::Visitor<'de> for Reader<#list> {
                type Value = #name<#list>;

                fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                    f.write_str(#expected)
                }

                fn visit_map<A>(self, mut map: A) -> ::std::result::Result<Self::Value, A::Error>
                where
                    A: ::serde::de::MapAccess<'de>,
                {
                    #(#variables)*
                    let mut rest = super::Rest::default();
                    while let Some(name) = map.next_key::<super::Key<'de>>()? {
                        match &*name {
                            #(#arms)*
                            _ => rest.read(&name, &mut map)?,
                        }
                    }
                    Ok(#name { #(#moved,)* #rest: ::std::convert::Into::into(rest) })
                }
            }

            impl<'de, #bound> ::serde::Deserialize<'de> for #name<#list> {
                fn deserialize<D>(deserializer: D) -> ::std::result::Result<Self, D::Error>
                where
                    D: ::serde::Deserializer<'de>,
                {
                    deserializer.deserialize_map(Reader(::std::marker::PhantomData))
                }
            }
        };
    };
    syn::parse2(reader).map(Some)
}

/// The expression that reads a value of this type.
fn value(kind: &Type) -> TokenStream {
    let time: Type = parse_quote!(::std::option::Option<::chrono::DateTime<::chrono::offset::Utc>>);
    if quote!(#kind).to_string() == quote!(#time).to_string() {
        quote! { map.next_value::<::std::option::Option<super::Time>>()?.map(::std::convert::Into::into) }
    } else {
        quote! { map.next_value()? }
    }
}

fn without_derived(attributes: &mut [Attribute]) -> syn::Result<()> {
    for attribute in attributes {
        if !attribute.path().is_ident("derive") {
            continue;
        }
        let derived = attribute.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated)?;
        let kept = derived.iter().filter(|path| {
            path.segments
                .last()
                .is_none_or(|last| last.ident != "Deserialize")
        });
        *attribute = parse_quote! { #[derive(#(#kept),*)] };
    }
    Ok(())
}

//! Parses generated bindings: the items that a program can name, and the names on the wire.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Attribute, Expr, ExprLit, Fields, File, FnArg, GenericParam, Ident, ImplItem, Item, ItemImpl,
    Lit, LitStr, Meta, ReturnType, Token, TypeParamBound, WherePredicate, braced, parenthesized,
    parse::{Parse, ParseStream},
};

/// The Rust text of bindings, parsed.
pub struct Output {
    pub text: String,
    file: File,
}

/// A struct for an object of the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub docs: String,
    pub attributes: Vec<String>,
    pub fields: BTreeMap<String, Field>,
}

/// A field of an [`Object`]; types are written without their paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub of: String,
    /// The name of the property.
    pub wire: String,
    pub docs: String,
}

/// An enum for a set of values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    pub docs: String,
    /// Variants and the values that they stand for.
    pub values: Vec<(String, String)>,
}

/// An enum for a union with a discriminator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Union {
    pub docs: String,
    pub tag: String,
    /// Variants, their types, and the values of the property.
    pub arms: Vec<(String, String, String)>,
}

/// A method of the client with its builder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub docs: String,
    /// The setters and their types: parameters, and `body`.
    pub setters: BTreeMap<String, String>,
    /// The required parameters.
    pub required: BTreeSet<String>,
    /// Every string literal in the code that sends the request: names on the wire, the path, media types.
    pub texts: BTreeSet<String>,
    /// The type of a success, and that of a failure.
    pub success: String,
    pub failure: String,
}

impl Output {
    /// Parses bindings; panics where they are not Rust.
    pub fn new(text: &str) -> Self {
        let file =
            syn::parse_file(text).unwrap_or_else(|error| panic!("the output is not Rust: {error}"));
        Self {
            text: text.to_owned(),
            file,
        }
    }

    /// The notes at the beginning.
    pub fn notes(&self) -> Vec<&str> {
        let lines = self.text.lines();
        lines
            .map_while(|line| line.strip_prefix("// note: "))
            .collect()
    }

    /// The names of all types that a program can use.
    pub fn types(&self) -> BTreeSet<String> {
        let objects = self.objects().into_keys();
        let sets = self.sets().into_keys();
        let unions = self.unions().into_keys();
        objects
            .chain(sets)
            .chain(unions)
            .chain(self.aliases().into_keys())
            .collect()
    }

    pub fn objects(&self) -> BTreeMap<String, Object> {
        let structs = self
            .module(&["client", "types"])
            .iter()
            .filter_map(|item| match item {
                Item::Struct(item) => Some(item),
                _ => None,
            });
        let object = |item: &syn::ItemStruct| Object {
            docs: docs(&item.attrs),
            attributes: attributes(&item.attrs),
            fields: match &item.fields {
                Fields::Named(fields) => fields.named.iter().map(field).collect(),
                _ => BTreeMap::new(),
            },
        };
        structs
            .map(|item| (item.ident.to_string(), object(item)))
            .collect()
    }

    pub fn object(&self, name: &str) -> Object {
        take(self.objects(), name)
    }

    pub fn field(&self, object: &str, field: &str) -> Field {
        take(self.object(object).fields, field)
    }

    pub fn sets(&self) -> BTreeMap<String, Set> {
        let sets = self
            .macros("open_enum")
            .map(|tokens| syn::parse2::<Named<Set>>(tokens).unwrap());
        sets.map(|named| (named.name, named.of)).collect()
    }

    pub fn set(&self, name: &str) -> Set {
        take(self.sets(), name)
    }

    pub fn unions(&self) -> BTreeMap<String, Union> {
        let unions = self
            .macros("tagged_enum")
            .map(|tokens| syn::parse2::<Named<Union>>(tokens).unwrap());
        unions.map(|named| (named.name, named.of)).collect()
    }

    pub fn union(&self, name: &str) -> Union {
        take(self.unions(), name)
    }

    /// Aliases of types.
    pub fn aliases(&self) -> BTreeMap<String, String> {
        let items = self
            .module(&["types"])
            .iter()
            .filter_map(|item| match item {
                Item::Type(item) => Some((item.ident.to_string(), short(&item.ty))),
                _ => None,
            });
        items.collect()
    }

    /// The documentation of the client itself.
    pub fn client_docs(&self) -> String {
        let mut items = self.module(&["client"]).iter();
        let client = items.find_map(|item| match item {
            Item::Struct(item) if item.ident == "Client" => Some(docs(&item.attrs)),
            _ => None,
        });
        client.unwrap()
    }

    /// The methods of the client that are operations.
    pub fn methods(&self) -> BTreeSet<String> {
        self.calls().into_keys().collect()
    }

    pub fn call(&self, method: &str) -> Call {
        take(self.calls(), method)
    }

    pub fn calls(&self) -> BTreeMap<String, Call> {
        let mut calls = BTreeMap::new();
        let functions =
            implementations(self.module(&["client"]), "Client").flat_map(|item| &item.items);
        for function in functions {
            let ImplItem::Fn(function) = function else {
                continue;
            };
            let returned = returned(&function.sig.output);
            if let Some(builder) = returned.strip_suffix("<'_>") {
                let call = self.builder(docs(&function.attrs), builder);
                calls.insert(function.sig.ident.to_string(), call);
            }
        }
        calls
    }

    fn builder(&self, docs: String, name: &str) -> Call {
        let mut call = Call {
            docs,
            setters: BTreeMap::new(),
            required: BTreeSet::new(),
            texts: BTreeSet::new(),
            success: String::new(),
            failure: String::new(),
        };
        let items = self.module(&["client", "builder"]);
        let functions = implementations(items, name).flat_map(|item| &item.items);
        for function in functions {
            let ImplItem::Fn(function) = function else {
                continue;
            };
            let name = function.sig.ident.to_string();
            match name.as_str() {
                "new" => {
                    let texts = texts(function.block.to_token_stream());
                    let missing = texts
                        .iter()
                        .filter_map(|text| text.strip_suffix(" was not initialized"));
                    call.required = missing.map(str::to_owned).collect();
                }
                "send" => {
                    call.texts = texts(function.block.to_token_stream())
                        .into_iter()
                        .collect();
                    let returned = returned(&function.sig.output);
                    let parts = returned
                        .strip_prefix("Result<ResponseValue<")
                        .and_then(|it| it.split_once(">,Error<"));
                    let (success, failure) =
                        parts.unwrap_or_else(|| panic!("{name} returns {returned}"));
                    call.success = success.to_owned();
                    call.failure = failure.strip_suffix(">>").unwrap().to_owned();
                }
                "body_map" | "stream" => {}
                _ => {
                    let value = value_type(&function.sig);
                    call.setters.insert(name, value);
                }
            }
        }
        call
    }

    /// The constants of `offers`.
    pub fn offers(&self) -> BTreeMap<String, bool> {
        let constants = self
            .module(&["offers"])
            .iter()
            .filter_map(|item| match item {
                Item::Const(item) => Some((item.ident.to_string(), is_true(&item.expr))),
                _ => None,
            });
        constants.collect()
    }

    /// The text of a constant at the root: `OPERATIONS`, `DOCUMENTS`, `DESCRIPTION`.
    pub fn constant(&self, name: &str) -> Option<TokenStream> {
        self.file.items.iter().find_map(|item| match item {
            Item::Const(item) if item.ident == name => Some(item.expr.to_token_stream()),
            _ => None,
        })
    }

    /// The items of a module; none where there is no such module.
    fn module(&self, path: &[&str]) -> &[Item] {
        let mut items = &self.file.items[..];
        for name in path {
            let inner = items.iter().find_map(|item| match item {
                Item::Mod(module) if module.ident == *name => module.content.as_ref(),
                _ => None,
            });
            items = inner.map_or(&[], |(_, inner)| inner);
        }
        items
    }

    fn macros<'o>(&'o self, name: &'o str) -> impl Iterator<Item = TokenStream> + 'o {
        self.module(&["types"])
            .iter()
            .filter_map(move |item| match item {
                Item::Macro(item) if item.mac.path.is_ident(name) => Some(item.mac.tokens.clone()),
                _ => None,
            })
    }
}

/// Every string literal in these tokens, including those within macros.
pub fn texts(tokens: TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => found.extend(texts(group.stream())),
            TokenTree::Literal(literal) => {
                found.extend(
                    syn::parse_str::<LitStr>(&literal.to_string()).map(|text| text.value()),
                );
            }
            _ => {}
        }
    }
    found
}

/// Every identifier in these tokens.
pub fn identifiers(tokens: TokenStream) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => found.extend(identifiers(group.stream())),
            TokenTree::Ident(ident) => drop(found.insert(ident.to_string())),
            _ => {}
        }
    }
    found
}

/// The code without its documentation: comments, the texts of `PROPERTIES`, and the summaries of `OPERATIONS`.
pub fn code(text: &str) -> String {
    let tokens = text
        .parse()
        .unwrap_or_else(|error| panic!("the output is not Rust: {error}"));
    let mut code = String::new();
    write_code(tokens, &mut code);
    code
}

fn write_code(tokens: TokenStream, code: &mut String) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if matches!(&token, TokenTree::Punct(mark) if mark.as_char() == '#') {
            let is_doc = |token: &TokenTree| match token {
                TokenTree::Group(group) => group.stream().to_string().starts_with("doc ="),
                _ => false,
            };
            if tokens.next_if(is_doc).is_some() {
                continue;
            }
        }
        let is_word = |word: &str| matches!(&token, TokenTree::Ident(ident) if ident == word);
        if is_word("PROPERTIES") {
            let value = tokens.by_ref().take_while(|token| !is_mark(token, ';'));
            let value = value.skip_while(|token| !is_mark(token, '='));
            assert_texts(value.skip(1).collect());
            continue;
        }
        let is_summary = is_word("summary") && tokens.next_if(|it| is_mark(it, ':')).is_some();
        if is_summary && let Some(text) = tokens.next_if(|it| matches!(it, TokenTree::Literal(_))) {
            assert_texts(TokenStream::from(text));
            continue;
        }
        match token {
            TokenTree::Group(group) => {
                code.push_str(" (");
                write_code(group.stream(), code);
                code.push_str(" )");
            }
            other => {
                code.push(' ');
                code.push_str(&other.to_string());
            }
        }
    }
}

fn is_mark(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(it) if it.as_char() == mark)
}

/// Only literals of text, in slices and tuples.
fn assert_texts(tokens: TokenStream) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => assert_texts(group.stream()),
            TokenTree::Punct(mark) => assert!(matches!(mark.as_char(), '&' | ','), "{mark}"),
            TokenTree::Literal(text) => assert!(text.to_string().starts_with('"'), "{text}"),
            TokenTree::Ident(ident) => panic!("{ident} is no text"),
        }
    }
}

/// A type without spaces and paths.
fn short(of: &impl ToTokens) -> String {
    let text: String = of
        .to_token_stream()
        .to_string()
        .split_whitespace()
        .collect();
    let mut written = String::new();
    let mut word = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_alphanumeric() || letter == '_' {
            word.push(letter);
        } else if letter == ':' && letters.peek() == Some(&':') {
            letters.next();
            word.clear();
        } else {
            written.push_str(&word);
            word.clear();
            written.push(letter);
        }
    }
    (written + &word).replace(",>", ">").replace(",)", ")")
}

fn take<T>(mut map: BTreeMap<String, T>, name: &str) -> T {
    map.remove(name)
        .unwrap_or_else(|| panic!("no {name} among {:?}", map.keys().collect::<Vec<_>>()))
}

fn implementations<'i>(items: &'i [Item], name: &'i str) -> impl Iterator<Item = &'i ItemImpl> {
    items.iter().filter_map(move |item| match item {
        Item::Impl(item) if item.trait_.is_none() => {
            let of = short(&item.self_ty);
            (of.split('<').next() == Some(name)).then_some(item)
        }
        _ => None,
    })
}

fn returned(output: &ReturnType) -> String {
    match output {
        ReturnType::Type(_, of) => short(of),
        ReturnType::Default => String::new(),
    }
}

/// The type that a setter takes: `T` of `V: TryInto<T>`, or of its plain argument.
fn value_type(signature: &syn::Signature) -> String {
    let bounds = signature
        .generics
        .params
        .iter()
        .filter_map(|param| match param {
            GenericParam::Type(param) => Some(&param.bounds),
            _ => None,
        });
    let predicates = signature
        .generics
        .where_clause
        .iter()
        .flat_map(|clause| &clause.predicates);
    let predicates = predicates.filter_map(|predicate| match predicate {
        WherePredicate::Type(predicate) => Some(&predicate.bounds),
        _ => None,
    });
    let mut all = bounds
        .chain(predicates)
        .flatten()
        .filter_map(|bound| match bound {
            TypeParamBound::Trait(bound) => Some(short(bound)),
            _ => None,
        });
    let converted = all.find_map(|bound| {
        Some(
            bound
                .strip_prefix("TryInto<")?
                .strip_suffix('>')?
                .to_owned(),
        )
    });
    converted.unwrap_or_else(|| {
        let values = signature.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(input) => Some(short(&input.ty)),
            FnArg::Receiver(_) => None,
        });
        values.last().unwrap_or_default()
    })
}

fn field(field: &syn::Field) -> (String, Field) {
    let ident = field
        .ident
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let ident = ident.trim_start_matches("r#").to_owned();
    let serde = field
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("serde"));
    let mut renamed = serde.filter_map(|attribute| {
        let mut name = None;
        let parsed = attribute.parse_nested_meta(|meta| {
            if let Ok(value) = meta.value() {
                let value: LitStr = value.parse()?;
                name = meta
                    .path
                    .is_ident("rename")
                    .then(|| value.value())
                    .or(name.take());
            }
            Ok(())
        });
        parsed.unwrap();
        name
    });
    let wire = renamed.next().unwrap_or_else(|| ident.clone());
    let of = Field {
        of: short(&field.ty),
        wire,
        docs: docs(&field.attrs),
    };
    (ident, of)
}

fn docs(attributes: &[Attribute]) -> String {
    let lines = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"));
    let lines = lines.filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(meta) => match &meta.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    let lines: Vec<String> = lines.collect();
    lines.join("\n").trim().to_owned()
}

fn attributes(attributes: &[Attribute]) -> Vec<String> {
    let plain = attributes
        .iter()
        .filter(|attribute| !attribute.path().is_ident("doc"));
    plain.map(|attribute| short(&attribute.meta)).collect()
}

fn is_true(expression: &Expr) -> bool {
    matches!(expression, Expr::Lit(ExprLit { lit: Lit::Bool(value), .. }) if value.value)
}

/// The arguments of the macros of the output.
struct Named<T> {
    name: String,
    of: T,
}

impl Parse for Named<Set> {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let docs = docs(&input.call(Attribute::parse_outer)?);
        let name = input.parse::<Ident>()?.to_string();
        let inner;
        braced!(inner in input);
        let mut values = Vec::new();
        while !inner.is_empty() {
            inner.call(Attribute::parse_outer)?;
            let variant = inner.parse::<Ident>()?.to_string();
            inner.parse::<Token![=]>()?;
            values.push((variant, inner.parse::<LitStr>()?.value()));
            inner.parse::<Token![,]>()?;
        }
        let of = Set { docs, values };
        Ok(Self { name, of })
    }
}

impl Parse for Named<Union> {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let docs = docs(&input.call(Attribute::parse_outer)?);
        let name = input.parse::<Ident>()?.to_string();
        input.parse::<Ident>()?;
        let tag = input.parse::<LitStr>()?.value();
        let inner;
        braced!(inner in input);
        let mut arms = Vec::new();
        while !inner.is_empty() {
            inner.call(Attribute::parse_outer)?;
            let variant = inner.parse::<Ident>()?.to_string();
            let of;
            parenthesized!(of in inner);
            let of = of.parse::<Ident>()?.to_string();
            inner.parse::<Token![=]>()?;
            arms.push((variant, of, inner.parse::<LitStr>()?.value()));
            inner.parse::<Token![,]>()?;
        }
        let of = Union { docs, tag, arms };
        Ok(Self { name, of })
    }
}

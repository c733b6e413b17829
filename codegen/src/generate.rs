//! Generation: the client's Rust text.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use openapiv3::OpenAPI;
use progenitor_impl::{GenerationSettings, Generator, HooksMode, InterfaceStyle};
use quote::{format_ident, quote};

use crate::{
    api::{Api, Need, Operation},
    check::check,
    client_document::client_document,
    document::Document,
    problem::{Problem, Report},
    reading::read_in_one_pass,
    sending::hand_over_answers,
    surface::Surface,
};

/// Generates the Rust text of the client of `api` from `document`.
///
/// The text expects to be included in a module that implements `progenitor_client::ClientHooks<Inner>`
/// for `Client` and has
///
/// - `Inner`, the state that the hooks see,
/// - `Time`, which reads a time and becomes a `DateTime<Utc>`,
/// - `Key`, the name of a property, and `Rest`, which reads the properties that have no field and becomes
///   an `Extra`, where they are kept.
///
/// An operation gives the `reqwest::Response` of any status. Beside the client and its `types` the text has
/// a module `offers`: one `bool` for each optional parameter and request property, false where the document
/// has no such thing.
///
/// # Errors
///
/// The [`Report`] of [`Surface::new`] or [`check()`], or one problem when the generator fails.
pub fn generate(document: &Document, api: &Api) -> Result<String, Report> {
    let surface = Surface::new(document, api)?;
    check(&surface, api)?;
    rust_text(&surface, api).map_err(|problem| Report::single(document.name(), problem))
}

fn rust_text(surface: &Surface, api: &Api) -> Result<String, Problem> {
    let client_document = client_document(api)?;
    let client = without_panic(|| client_tokens(&client_document))?;
    let offers = api
        .operations
        .iter()
        .flat_map(|operation| offers(surface, operation));
    let offers = offers.map(|(name, offered)| {
        let name = format_ident!("{name}");
        quote! { pub const #name: bool = #offered; }
    });
    let tokens = quote! {
        #client
        /// Whether the document has what the facade can do without.
        pub mod offers { #(#offers)* }
    };
    let mut file = syn::parse2(tokens).map_err(|error| failed(&error.to_string()))?;
    read_in_one_pass(&mut file)
        .and_then(|()| hand_over_answers(&mut file))
        .map_err(|error| failed(&error.to_string()))?;
    Ok(prettyplease::unparse(&file))
}

fn client_tokens(document: &OpenAPI) -> Result<proc_macro2::TokenStream, Problem> {
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Positional)
        .with_hooks(HooksMode::Expected)
        .with_inner_type(quote!(Inner));
    Generator::new(&settings)
        .generate_tokens(document)
        .map_err(|error| failed(&error.to_string()))
}

/// `CREATE_IAM_V2_INVITATION_AUTH_TYPE` and whether the document has it, for everything optional.
fn offers(surface: &Surface, operation: &Operation) -> Vec<(String, bool)> {
    let Some((_, _, found)) = surface.operation(operation) else {
        return Vec::new();
    };
    let mut offers = Vec::new();
    let mut offer = |name: &str, offered| {
        offers.push((
            format!("{}_{}", constant(operation.id), constant(name)),
            offered,
        ));
    };
    for parameter in operation
        .parameters
        .iter()
        .filter(|each| each.need == Need::Optional)
    {
        let listed = found["parameters"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        offer(
            parameter.name,
            listed.iter().any(|entry| entry["name"] == parameter.name),
        );
    }
    if let Some(request) = &operation.request {
        let schema = &found["requestBody"]["content"][request.media_type]["schema"];
        for field in request
            .body
            .fields
            .iter()
            .filter(|field| field.need == Need::Optional)
        {
            offer(field.name, schema["properties"].get(field.name).is_some());
        }
    }
    offers
}

/// `assignedRoleIds` and `page_size` as constants are written.
fn constant(name: &str) -> String {
    let mut constant = String::new();
    let mut after_lower = false;
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && after_lower {
            constant.push('_');
        }
        after_lower = !letter.is_ascii_uppercase() && letter != '_';
        constant.push(letter.to_ascii_uppercase());
    }
    constant
}

/// Progenitor panics on some inputs, and a panic is one readable line here.
///
/// No document can cause one: what progenitor reads is made from the tables in [`crate::api`] alone.
fn without_panic<T>(run: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|panic| Err(failed(&panic_message(panic.as_ref()))))
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

fn failed(found: &str) -> Problem {
    Problem {
        pointer: String::new(),
        expected: "code for the client".to_owned(),
        found: found.lines().collect::<Vec<_>>().join(" "),
        advice: "this is a defect of the code generator; report it with the document".to_owned(),
    }
}

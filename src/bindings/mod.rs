//! Clients of the vendors' APIs, generated from OpenAPI documents when this crate is built.
//!
//! The way out where the facade lacks something. Each API has a `Client` with a method for each operation, `types`
//! with all that its document describes, and builders for both. [`Confluent::bindings`](crate::Confluent::bindings)
//! and [`ClickHouse::bindings`](crate::ClickHouse::bindings) give the client that the provider itself uses: with its
//! credentials, rate limit, deadlines, redirects, redaction and tracing, and with repetition of what may be
//! repeated (GET, PUT, DELETE; POST and PATCH only where the server cannot have acted).
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use org_invitations::Confluent;
//!
//! # let sandbox = org_invitations_sandbox::Sandbox::start().await?;
//! # let key = &sandbox.credentials().confluent.api_key;
//! # let secret = sandbox.credentials().confluent.api_secret.as_str();
//! # let endpoint = sandbox.url();
//! let confluent = Confluent::builder().api_key(key, secret).base_url(endpoint).build()?;
//! // An operation that the facade does not have.
//! let request = confluent.bindings().list_iam_v2_users().page_size(10);
//! match request.send().await {
//!     Ok(users) => println!("{:?}, request {:?}", users.data, users.headers().get("x-request-id")),
//!     Err(error) => println!("{error}"),
//! }
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```
//!
//! # What they are like
//!
//! - The document is the source: set `ORG_INVITATIONS_CONFLUENT_SPEC` or `ORG_INVITATIONS_CLICKHOUSE_SPEC` to another
//!   one when building, and its parameters, properties and values are here. [`documents`] says which one it was.
//! - **They move with the document**, so they are outside the promises of this crate's version. What the facade
//!   names stays, and where a document lacks it, using it is refused before anything is sent.
//! - Nothing in a response is required, a property without a field is in `extra`, sets of values and times are open.
//! - A path does not lead out of its operation: an id such as `..` or an empty one is refused before sending.
//!
//! # Errors
//!
//! A failure that the document describes is [`Error::ErrorResponse`](confluent::Error::ErrorResponse), any other
//! response is [`Error::UnexpectedResponse`](confluent::Error::UnexpectedResponse) with status, headers and body, and
//! where no complete response came, [`TransportError::find`] says why.

pub mod support;
mod timestamp;

#[doc(inline)]
pub use self::support::{SourceDocument, Timestamp, Transport};
pub(crate) use self::timestamp::parse_rfc3339;
#[doc(inline)]
pub use crate::http::{OperationSpec, TransportError, TransportErrorKind};

/// Includes the bindings of one API from `$OUT_DIR` and connects their client with the transport.
macro_rules! bindings {
    ($file:literal) => {
        include!(concat!(env!("OUT_DIR"), "/", $file));

        $crate::http::client_hooks!(Client);
    };
}

/// Confluent Cloud: invitations, users, API keys, role bindings, organisations, and the exchange of tokens.
#[cfg(feature = "confluent")]
pub mod confluent {
    bindings!("confluent.rs");
}

/// ClickHouse Cloud: the organisation, its invitations, members, roles and activities.
#[cfg(feature = "clickhouse")]
pub mod clickhouse {
    bindings!("clickhouse.rs");
}

/// The documents that the bindings were generated from, each with the name of the provider.
///
/// ```
/// for (provider, document) in org_invitations::bindings::documents() {
///     println!("{provider}: {} {} ({})", document.title, document.version, document.file);
/// }
/// ```
pub fn documents() -> impl Iterator<Item = (&'static str, &'static SourceDocument)> {
    let of_each: &[(&str, &[SourceDocument])] = &[
        #[cfg(feature = "confluent")]
        (crate::Confluent::NAME, confluent::DOCUMENTS),
        #[cfg(feature = "clickhouse")]
        (crate::ClickHouse::NAME, clickhouse::DOCUMENTS),
    ];
    let of_each = of_each.iter();
    of_each.flat_map(|(provider, documents)| documents.iter().map(|one| (*provider, one)))
}

/// The operations of the bindings, each with the name of the provider.
///
/// ```
/// let mut operations = org_invitations::bindings::operations();
/// let (provider, list) = operations.find(|(_, each)| each.path == "/iam/v2/invitations").unwrap();
/// assert_eq!((provider, list.method, list.name), ("confluent", "GET", "list_iam_v2_invitations"));
/// ```
pub fn operations() -> impl Iterator<Item = (&'static str, &'static OperationSpec)> {
    let of_each: &[(&str, &[OperationSpec])] = &[
        #[cfg(feature = "confluent")]
        (crate::Confluent::NAME, confluent::OPERATIONS),
        #[cfg(feature = "clickhouse")]
        (crate::ClickHouse::NAME, clickhouse::OPERATIONS),
    ];
    let of_each = of_each.iter();
    of_each.flat_map(|(provider, operations)| operations.iter().map(|one| (*provider, one)))
}

/// A type, a property, and what the document says of it.
type Property = (&'static str, &'static str, &'static str);

/// Returns what a provider's document says of a property of a type that the facade uses, such as `Invitation`. `None` if it
/// says nothing, or has no such type or property.
///
/// ```
/// use org_invitations::bindings::property_description;
///
/// if let Some(text) = property_description("confluent", "Invitation", "email") {
///     println!("email: {text}");
/// }
/// assert_eq!(property_description("confluent", "Invitation", "colour"), None);
/// ```
pub fn property_description(
    provider: &str,
    type_name: &str,
    property: &str,
) -> Option<&'static str> {
    let of_each: &[(&str, &[Property])] = &[
        #[cfg(feature = "confluent")]
        (crate::Confluent::NAME, confluent::PROPERTIES),
        #[cfg(feature = "clickhouse")]
        (crate::ClickHouse::NAME, clickhouse::PROPERTIES),
    ];
    let of_provider = of_each.iter().filter(|(name, _)| *name == provider);
    let mut properties = of_provider.flat_map(|(_, properties)| *properties);
    let found = properties.find(|(of, name, _)| (*of, *name) == (type_name, property));
    found.map(|(_, _, text)| *text)
}

/// What the facade needs of the documents, for the command.
#[doc(hidden)]
pub fn descriptions() -> &'static [&'static str] {
    &[
        #[cfg(feature = "confluent")]
        confluent::DESCRIPTION,
        #[cfg(feature = "clickhouse")]
        clickhouse::DESCRIPTION,
    ]
}

//! Invite people to a **Confluent Cloud** or **ClickHouse Cloud** organisation, through one trait.
//!
//! [`InvitationProvider`] creates, reads, lists and deletes invitations, and [`InvitationProviderExt`] adds what follows
//! from that: streams, idempotent forms, renewals, many people at once. [`Confluent`] and [`ClickHouse`] implement it
//! over clients that the build generates from OpenAPI documents ([`bindings`]). A request means the same on both:
//! an option is honoured, or refused before anything is sent.
//!
//! # First example
//!
//! It runs offline, against the sandbox (`org-invitations-sandbox`, a development dependency):
//!
//! ```
//! use futures::TryStreamExt;
//! use org_invitations::{
//!     Confluent, ErrorKind, InvitationProvider, InvitationProviderExt, ListQuery, NewInvitation,
//! };
//! use org_invitations_sandbox::Sandbox;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let sandbox = Sandbox::start().await?;
//!     let key = &sandbox.credentials().confluent;
//!     // With an account, `Confluent::from_env()?` replaces these lines.
//!     let builder = Confluent::builder().api_key(&key.api_key, key.api_secret.as_str());
//!     let provider = builder.base_url(sandbox.url()).build()?;
//!
//!     let ann = provider.create(NewInvitation::new("ann@example.com")).await?;
//!     match provider.create(NewInvitation::new("ann@example.com")).await {
//!         Err(error) if error.kind() == ErrorKind::AlreadyExists => println!("{error}"),
//!         other => panic!("a second invitation: {other:?}"),
//!     }
//!     let all: Vec<_> = provider.list(ListQuery::new()).try_collect().await?;
//!     assert_eq!(all, [ann]);
//!     Ok(())
//! }
//! ```
//!
//! # What differs between the vendors
//!
//! [`InvitationProvider::capabilities`] says the same at run time, for the documents that the build used.
//!
//! | | Confluent Cloud | ClickHouse Cloud |
//! |---|---|---|
//! | create, get, list, delete | yes | yes |
//! | [`auth_type`](NewInvitation::auth_type()) of the invitee | yes | refused |
//! | [roles](RoleGrant) of an invitation | bound to the invited user after the create, each in a scope | created with the invitation |
//! | the deprecated single role | refused | yes |
//! | [members](MemberProvider) and their roles | yes | yes; roles are written as a whole |
//! | [list of roles](MemberProvider::list_roles) | refused: no API | yes |
//! | [`ListQuery`] filters `email`, `status` | by the server | by the library, exactly |
//! | [`ListQuery`] filters `user`, `creator` | by the server | refused |
//! | pages | by the server, at most 100 invitations | cut by the library |
//! | [status](InvitationStatus) | reported | derived from the expiry: `Sent` or `Expired` |
//! | credentials | API key, access token, or [STS](StsCredentials) with tokens that are renewed in time | API key |
//! | rate limit | learnt from response headers | 10 requests in 10 s as published, then learnt from response headers |
//! | variables | see [`Confluent::from_env`] | see [`ClickHouse::from_env`] |
//!
//! # Guides
//!
//! | guide | what it shows |
//! |---|---|
//! | [switching backends](guide::switching_backends) | one program for both vendors, and configuration from data |
//! | [many people](guide::many_people) | bulk calls, plans, renewals, limits on removals |
//! | [errors](guide::errors) | kinds, what a failed call may have done, what to do next |
//! | [regenerating the bindings](guide::regenerating) | building from a changed or a different document |
//! | [testing](guide::testing) | tests with the sandbox, in memory, and with mocks: faults, the ledger, the clock |
//! | [writing a provider](guide::custom_provider) | implementing the trait, and the conformance suite |
//!
//! # Cargo features
//!
//! | feature | default | |
//! |---|---|---|
//! | `rustls` | yes | TLS by rustls, with the platform's certificates |
//! | `rustls-no-provider` | no | TLS by rustls with the crypto provider that the program installs, such as ring, which builds faster; set `default-features = false` and name the other features |
//! | `native-tls` | no | TLS by the platform's library; set `default-features = false` and name the other features |
//! | `confluent`, `clickhouse` | yes | the vendors, each with its bindings; one alone builds less |
//! | `transport` | with a vendor | HTTP and the configuration of providers; without it, the library has no HTTP client |
//! | `sts` | yes | [`StsCredentials`]: access to Confluent Cloud through an identity pool |
//! | `plan` | yes | [`Plan`], which brings an organisation to a roster |
//! | `client-credentials` | no | subject tokens for STS by the OAuth 2.0 client-credentials grant |
//! | `schemars` | no | JSON Schemas of the configuration, invitations and plans |
//! | `conformance` | no | `conformance`, the suite that any provider can be put through |
//! | `memory` | no | `memory`, an organisation in memory, for tests without HTTP |
//! | `provider-kit` | no | `kit`, what a provider of another vendor is written with |
//! | `metrics` | no | `Metrics`, an [`Interceptor`] that records metrics by OpenTelemetry's API, which depends on nothing |
//! | `shared-limits` | no | `SharedRateLimit`: rate limits that the processes of a machine share, by a file |
//! | `redis` | no | the same across machines, by Redis |
//!
//! Without a TLS feature the library builds, and reaches servers on loopback only.
//!
//! Without `transport`, and so with none of the features that need it, the library compiles for `wasm32-unknown-unknown` and
//! works there: the traits, plans, the organisation in memory, and a provider of the program's own. The vendors' providers do
//! not: the HTTP client of that target cannot refuse redirects, which would take credentials elsewhere, and cannot limit a
//! body.
//!
//! # Runtime
//!
//! Calls run in a [Tokio](https://docs.rs/tokio) runtime with its timers and I/O enabled. Outside of one, a call is an error
//! that says so, and sends nothing:
//!
//! ```
//! use std::{pin::pin, task::{Context, Poll, Waker}};
//!
//! use org_invitations::{Confluent, ErrorKind, InvitationProvider};
//!
//! let provider = Confluent::builder().api_key("KEY", "a-secret").build()?;
//! let id = "i-1".parse()?;
//! let mut call = pin!(provider.get(&id));
//! match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
//!     Poll::Ready(Err(error)) => assert_eq!(error.kind(), ErrorKind::Config),
//!     other => panic!("{other:?}"),
//! }
//! # Ok::<(), org_invitations::Error>(())
//! ```
//!
//! A program without async code makes a runtime, and lets it wait for each call:
//!
//! ```
//! use org_invitations::InvitationProvider;
//!
//! let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # let sandbox = runtime.block_on(org_invitations_sandbox::Sandbox::start())?;
//! # let key = &sandbox.credentials().confluent;
//! # let builder = org_invitations::Confluent::builder().base_url(sandbox.url());
//! # let provider = builder.api_key(&key.api_key, key.api_secret.as_str()).build()?;
//! let invitations = runtime.block_on(provider.list_page(&Default::default(), None))?;
//! # assert!(invitations.items.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Promises
//!
//! - A create ends with one invitation or an error, and `Error::may_have_executed() == false` means that the call made
//!   none: see [errors](guide::errors).
//! - No `Debug`, `Display`, error or trace shows a secret, and no secret leaves the configured origin.
//!   [SECURITY.md](https://github.com/org-invitations/org-invitations/blob/main/SECURITY.md) has the details.
//! - With [`tracing`](https://docs.rs/tracing), a call is a span and each of its attempts one event, with
//!   OpenTelemetry's names for method, status, host and resend count, the request id and the time that the attempt
//!   waited for the rate limit.
//! - The versions follow semver, except for [`bindings`], which move with the vendors' documents, and for `kit`.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// What one of the vendors, STS or plans need, nothing else may.
#![cfg_attr(
    not(all(
        feature = "confluent",
        feature = "clickhouse",
        feature = "sts",
        feature = "plan"
    )),
    allow(dead_code, unused_imports, unused_macros)
)]

#[cfg(all(feature = "transport", target_arch = "wasm32", target_os = "unknown"))]
compile_error!(
    "the transport does not work on wasm32-unknown-unknown, where the HTTP client cannot refuse redirects: set \
     `default-features = false`, and leave out the vendors, `provider-kit`, `metrics`, `shared-limits` and TLS"
);

#[macro_use]
mod macros;

mod address;
mod api_key;
#[cfg(feature = "transport")]
pub mod bindings;
#[cfg(feature = "transport")]
mod builder;
mod bulk;
mod call;
mod capabilities;
#[cfg(feature = "clickhouse")]
mod clickhouse;
#[cfg(feature = "transport")]
mod config;
#[cfg(feature = "confluent")]
mod confluent;
#[cfg(feature = "conformance")]
pub mod conformance;
mod crn;
#[cfg(feature = "transport")]
mod decode;
mod error;
mod extra;
#[cfg(all(any(test, fuzzing), feature = "confluent", feature = "clickhouse"))]
mod fuzzing;
#[cfg(any(doc, doctest))]
pub mod guide;
#[cfg(feature = "transport")]
mod http;
mod id;
mod invitation;
#[cfg(feature = "provider-kit")]
pub mod kit;
mod list;
mod lock;
mod lookup;
mod member;
// Also in the documentation, whose guides lead there.
#[cfg(any(feature = "memory", doc))]
pub mod memory;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "transport")]
mod operation;
mod outage;
mod person;
#[cfg(feature = "plan")]
mod plan;
mod provider;
mod provider_ext;
#[cfg(feature = "transport")]
mod reconcile;
mod removal;
mod renewal;
mod role;
#[cfg(feature = "redis")]
mod shared_rate_limit;
mod suggest;
mod time;
mod watch;
mod words;

/// The README, whose examples are tested with the others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(feature = "clickhouse")]
pub use crate::clickhouse::{ClickHouse, ClickHouseBuilder};
#[cfg(feature = "confluent")]
pub use crate::confluent::{Confluent, ConfluentBuilder, ConfluentCredentials};
#[cfg(feature = "sts")]
pub use crate::confluent::{StsCredentials, SubjectToken};
#[cfg(fuzzing)]
#[doc(hidden)]
pub use crate::fuzzing::decode_anything;
#[cfg(feature = "shared-limits")]
pub use crate::http::SharedRateLimit;
#[cfg(feature = "metrics")]
pub use crate::metrics::Metrics;
#[cfg(feature = "plan")]
pub use crate::plan::{
    Action, ApplyOptions, Plan, PlanOptions, Previous, Step, StepOutcome, StepResult, Withdrawal,
};
/// For the command, which shares it with the errors of the library.
#[doc(hidden)]
pub use crate::suggest::nearest_word;
pub use crate::{
    address::{email_skeleton, is_invisible, normalize_email},
    api_key::ApiKey,
    bulk::{
        BulkOptions, BulkRun, CreateOutcome, CreateResult, DeleteOutcome, DeleteResult,
        ItemOutcome, ItemResult, for_each_concurrent, for_each_concurrent_from_stream,
    },
    call::{CallOptions, CallPriority},
    capabilities::Capabilities,
    error::{Error, ErrorDetail, ErrorKind, Operation, RateLimit, Result},
    extra::Extra,
    invitation::{
        AuthType, Invitation, InvitationId, InvitationStatus, NewInvitation, ResourceReference,
        RoleAssignment, RoleKind, Roles, UnknownValue, WireInvitation,
    },
    list::{ListQuery, Page, PageToken},
    member::{
        Member, MemberId, MemberProvider, MemberProviderExt, MembershipEvent, MembershipEventKind,
    },
    outage::{Outage, OutageEvent, OutageOptions},
    person::{OrganizationProvider, OrganizationProviderExt, People, Person, PersonState},
    provider::InvitationProvider,
    provider_ext::InvitationProviderExt,
    removal::{Removable, RemovalLimit, TooManyRemovals},
    renewal::{Renewal, RenewalObserver, RenewalOptions, RenewalResult},
    role::{Role, RoleChange, RoleFailure, RoleGrant},
    watch::{PersonEvent, WaitResult, WatchOptions},
};
#[cfg(feature = "client-credentials")]
pub use crate::{config::ClientCredentialsConfig, confluent::ClientCredentials, http::TokenUrl};
#[cfg(feature = "transport")]
pub use crate::{
    config::{
        ClickHouseConfig, ConfigKey, ConfluentConfig, ConnectionConfig, ProviderConfig,
        ProviderKind, ProviderRegistry, RateLimitConfig, RetryBudgetConfig, RetryConfig,
        SecretSource, SharedRateLimitConfig, StsConfig, SubjectTokenConfig,
    },
    http::{
        AttemptEvent, AttemptOutcome, AttemptRequest, BaseUrl, CredentialProvider, Credentials,
        Interceptor, IssuedCredentials, ProxyUrl, RefreshEvent, RetryBudget, RetryPolicy,
        SharedHttpClient, TransportError, TransportErrorKind,
    },
};
/// The HTTP client's crate, in the version whose types this library takes and gives.
#[cfg(feature = "transport")]
pub use ::reqwest;

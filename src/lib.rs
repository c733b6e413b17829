#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(any(test, fuzzing))]
mod anything;
// Not in use yet: the generated code still belongs to the providers.
#[allow(dead_code, unused_imports, unused_macros)]
mod bindings;
mod bulk;
mod capabilities;
mod clickhouse;
mod client;
mod config;
mod confluent;
#[cfg(feature = "conformance")]
pub mod conformance;
#[allow(dead_code)]
mod decode;
mod error;
mod extra;
// Not in use yet, and neither are `decode`, `operation` and `reconcile`: the providers still send through `client`.
#[allow(dead_code, unused_imports, unused_macros)]
mod http;
mod invitation;
mod list;
mod lookup;
#[allow(dead_code)]
mod operation;
mod plan;
mod provider;
#[allow(dead_code)]
mod reconcile;

#[cfg(fuzzing)]
#[doc(hidden)]
pub use crate::anything::decode_anything;
pub use crate::{
    bulk::{BulkOptions, CreateOutcome, Created, DeleteOutcome, Deleted},
    capabilities::Capabilities,
    clickhouse::{ClickHouse, ClickHouseBuilder},
    client::{BaseUrl, Credentials, Observer, ReplyInfo, RetryPolicy},
    config::{
        ClickHouseConfig, ConfluentConfig, ConnectionConfig, ProviderConfig, ProviderKind,
        RateLimitConfig, RetryConfig, StsConfig, SubjectTokenConfig,
    },
    confluent::{Confluent, ConfluentBuilder, StsCredentials, SubjectToken},
    error::{Error, ErrorDetail, ErrorKind, Operation, RateLimit, Result},
    extra::Extra,
    invitation::{
        AuthType, Invitation, InvitationId, InvitationStatus, NewInvitation, ResourceReference,
        RoleAssignment, RoleKind, Roles,
    },
    list::{ListQuery, Page, PageToken},
    plan::{Action, Plan, PlanOptions, Step, StepOutcome, StepResult},
    provider::{InvitationProvider, InvitationProviderExt},
};
#[cfg(feature = "oidc")]
pub use crate::{config::ClientCredentialsConfig, confluent::ClientCredentials};

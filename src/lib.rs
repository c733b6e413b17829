#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod address;
pub mod bindings;
mod bulk;
mod capabilities;
mod clickhouse;
mod config;
mod confluent;
#[cfg(feature = "conformance")]
pub mod conformance;
mod decode;
mod error;
mod extra;
#[cfg(any(test, fuzzing))]
mod fuzzing;
mod http;
mod invitation;
mod list;
mod lookup;
mod operation;
mod outage;
mod plan;
mod provider;
mod reconcile;
mod removal;
mod renewal;

#[cfg(fuzzing)]
#[doc(hidden)]
pub use crate::fuzzing::decode_anything;
pub use crate::{
    address::{email_skeleton, normalize_email},
    bulk::{BulkOptions, CreateOutcome, CreateResult, DeleteOutcome, DeleteResult},
    capabilities::Capabilities,
    clickhouse::{ClickHouse, ClickHouseBuilder},
    config::{
        ClickHouseConfig, ConfigKey, ConfluentConfig, ConnectionConfig, ProviderConfig,
        ProviderKind, RateLimitConfig, RetryConfig, StsConfig, SubjectTokenConfig,
    },
    confluent::{Confluent, ConfluentBuilder, StsCredentials, SubjectToken},
    error::{Error, ErrorDetail, ErrorKind, Operation, RateLimit, Result},
    extra::Extra,
    http::{BaseUrl, Credentials, ResponseEvent, ResponseObserver, RetryPolicy},
    invitation::{
        AuthType, Invitation, InvitationId, InvitationStatus, NewInvitation, ResourceReference,
        RoleAssignment, RoleKind, Roles, UnknownValue, WireInvitation,
    },
    list::{ListQuery, Page, PageToken},
    outage::{Outage, OutageEvent, OutageOptions},
    plan::{
        Action, ApplyOptions, Plan, PlanOptions, Previous, Step, StepOutcome, StepResult,
        Withdrawal,
    },
    provider::{InvitationProvider, InvitationProviderExt},
    removal::{RemovalLimit, TooManyRemovals},
    renewal::{Renewal, RenewalObserver, RenewalOptions, RenewalResult},
};
#[cfg(feature = "client-credentials")]
pub use crate::{config::ClientCredentialsConfig, confluent::ClientCredentials, http::TokenUrl};

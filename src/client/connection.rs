//! One provider's connection: shared by its clones.

use std::{fmt, sync::Arc};

use crate::{
    client::{
        Authorization, Call, Endpoint, Rate, Reply, Settings, clock::ServerClock, limiter::Limiter,
    },
    error::{Error, ErrorKind, Operation, Result},
};

/// What a backend has of its own in making calls.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// The provider's name.
    pub provider: &'static str,
    /// What the vendor publishes of its rate limit.
    pub published_rate: Option<Rate>,
    /// Finds the id of the request; may have to look into the body.
    pub request_id: fn(&Reply) -> Option<String>,
    /// Reads a reply that is no success.
    pub failure: fn(&Call<'_>, &Reply) -> Error,
}

/// Where requests go and what goes with them.
pub(crate) struct Connection {
    pub dialect: Dialect,
    pub endpoint: Endpoint,
    pub settings: Settings,
    pub authorization: Authorization,
    pub http: reqwest::Client,
    pub limiter: Limiter,
    pub clock: ServerClock,
}

impl Connection {
    pub fn new(
        dialect: Dialect,
        endpoint: Endpoint,
        authorization: Authorization,
        settings: Settings,
    ) -> Result<Arc<Self>> {
        let provider = dialect.provider;
        // The hooks follow redirects, because only there the method is kept and the origin checked.
        let http = settings.http_client(endpoint.is_plain()).map_err(|error| {
            Error::new(
                ErrorKind::Config,
                Operation::Configure,
                "cannot set up the HTTP client",
            )
            .with_provider(provider)
            .with_source(error)
        })?;
        let limiter = Limiter::new(
            dialect.published_rate,
            settings.rate,
            settings.max_concurrency,
            settings.retry.max_delay,
        );
        Ok(Arc::new(Self {
            limiter,
            clock: ServerClock::default(),
            dialect,
            endpoint,
            settings,
            authorization,
            http,
        }))
    }

    /// Begins a call: `subject` is what it is about, for messages.
    pub fn call<'a>(&'a self, operation: Operation, subject: Option<&'a str>) -> Call<'a> {
        Call {
            connection: self,
            operation,
            subject,
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("provider", &self.dialect.provider)
            .field("base_url", &self.endpoint.as_base())
            .field("settings", &self.settings)
            .field("authorization", &"[REDACTED]")
            .finish_non_exhaustive()
    }
}

//! Metrics by OpenTelemetry, as an interceptor.

use std::{fmt, time::Duration};

use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Histogram, Meter},
};

use crate::http::{AttemptEvent, AttemptOutcome, Interceptor, RefreshEvent, TransportErrorKind};

/// The boundaries of OpenTelemetry's conventions for HTTP durations, in seconds.
const DURATIONS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// The boundaries of waits for a rate limit, which are as long as its windows, in seconds.
const WAITS: [f64; 10] = [0.0, 0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// An [`Interceptor`] that records metrics through the API of [OpenTelemetry](https://docs.rs/opentelemetry) (feature
/// `metrics`). The program chooses where they go, by its SDK.
///
/// | instrument | unit | one measurement is |
/// |---|---|---|
/// | `http.client.request.duration`, histogram | s | an attempt, by the conventions for HTTP clients |
/// | `org_invitations.retries`, counter | `{retry}` | an attempt after the first of its call |
/// | `org_invitations.rate_limit.wait.duration`, histogram | s | what an attempt waited for the rate limit |
/// | `org_invitations.credentials.refresh.duration`, histogram | s | a token exchange, or a question to a [`CredentialProvider`](crate::CredentialProvider) |
///
/// The attributes of attempts are `http.request.method`, `server.address`, `server.port`, `http.response.status_code`,
/// `error.type`, `org_invitations.provider` and `org_invitations.operation`, the operation's name in the bindings; none has
/// an address, an id or a tag. Retries and waits have the last two, and refreshes the provider and `error.type`.
///
/// Attempts that an interceptor refused are not measured. Clones record into the same instruments.
///
/// ```
/// use opentelemetry::metrics::MeterProvider;
/// use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
/// use org_invitations::{Confluent, InvitationProvider, ListQuery, Metrics};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = org_invitations_sandbox::Sandbox::start().await?;
/// # let key = &sandbox.credentials().confluent;
/// # let builder = Confluent::builder().api_key(&key.api_key, key.api_secret.as_str()).base_url(sandbox.url());
/// let exporter = InMemoryMetricExporter::default();
/// let reader = PeriodicReader::builder(exporter.clone()).build();
/// let meters = SdkMeterProvider::builder().with_reader(reader).build();
/// let metrics = Metrics::with_meter(&meters.meter("roster-sync"));
/// let provider = builder.interceptor(metrics).build()?;
/// provider.list_page(&ListQuery::new(), None).await?;
/// meters.force_flush()?;
/// assert!(format!("{:?}", exporter.get_finished_metrics()?).contains("http.client.request.duration"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Metrics {
    requests: Histogram<f64>,
    retries: Counter<u64>,
    waits: Histogram<f64>,
    refreshes: Histogram<f64>,
}

impl Metrics {
    /// Records through the program's global meter provider. Set that first: instruments of a provider that is set later
    /// get nothing.
    pub fn new() -> Self {
        Self::with_meter(&global::meter("org-invitations"))
    }

    /// Records through this meter.
    pub fn with_meter(meter: &Meter) -> Self {
        let seconds = |name: &'static str, what: &'static str, boundaries: &[f64]| {
            meter
                .f64_histogram(name)
                .with_unit("s")
                .with_description(what)
                .with_boundaries(boundaries.to_vec())
                .build()
        };
        Self {
            requests: seconds(
                "http.client.request.duration",
                "Duration of HTTP client requests.",
                &DURATIONS,
            ),
            retries: meter
                .u64_counter("org_invitations.retries")
                .with_unit("{retry}")
                .with_description("Attempts after the first of a call.")
                .build(),
            waits: seconds(
                "org_invitations.rate_limit.wait.duration",
                "What attempts wait for the rate limit.",
                &WAITS,
            ),
            refreshes: seconds(
                "org_invitations.credentials.refresh.duration",
                "Duration of token exchanges and questions for credentials.",
                &DURATIONS,
            ),
        }
    }
}

/// As [`new`](Self::new).
impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Interceptor for Metrics {
    fn after_attempt(&self, event: &AttemptEvent<'_>) {
        if let AttemptOutcome::Failed(error) = event.outcome
            && error.kind() == TransportErrorKind::Intercepted
        {
            return;
        }
        let mut attributes = Vec::with_capacity(7);
        attributes.push(provider(event.provider));
        attributes.push(KeyValue::new("org_invitations.operation", event.operation));
        self.waits.record(seconds(event.waited), &attributes);
        if event.number > 1 {
            self.retries.add(1, &attributes);
        }
        attributes.push(KeyValue::new(
            "http.request.method",
            event.method.to_owned(),
        ));
        attributes.push(KeyValue::new("server.address", event.host().to_owned()));
        let port = event.port().map(i64::from);
        attributes.extend(port.map(|port| KeyValue::new("server.port", port)));
        let status = event.status().map(i64::from);
        attributes.extend(status.map(|status| KeyValue::new("http.response.status_code", status)));
        attributes.extend(event.error_type().map(error_type));
        self.requests.record(seconds(event.elapsed), &attributes);
    }

    fn after_refresh(&self, event: &RefreshEvent<'_>) {
        let mut attributes = vec![provider(event.provider)];
        let kind = event.error.map(|error| format!("{:?}", error.kind()));
        attributes.extend(kind.map(error_type));
        self.refreshes.record(seconds(event.elapsed), &attributes);
    }
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

fn provider(name: &'static str) -> KeyValue {
    KeyValue::new("org_invitations.provider", name)
}

fn error_type(kind: impl Into<String>) -> KeyValue {
    KeyValue::new("error.type", kind.into())
}

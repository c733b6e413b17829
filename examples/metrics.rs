//! Metrics of every attempt, and a budget of retries while a service is down:
//! `cargo run --example metrics --features metrics`.

use std::time::Duration;

use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::{
    InMemoryMetricExporter, PeriodicReader, SdkMeterProvider,
    data::{AggregatedMetrics, MetricData},
};
use org_invitations::{
    ClickHouse, InvitationProviderExt, Metrics, NewInvitation, RetryBudget, RetryPolicy,
};
use org_invitations_sandbox::{Fault, Faults, Rule, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    // A program exports over OTLP or to Prometheus; this one keeps what it measured.
    let exporter = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(exporter.clone()).build();
    let meters = SdkMeterProvider::builder().with_reader(reader).build();
    let metrics = Metrics::with_meter(&meters.meter("roster-sync"));

    let budget = RetryBudget::new(4, 0.1);
    let key = &sandbox.credentials().clickhouse;
    let provider = ClickHouse::builder(&key.organization_id)
        .api_key(&key.api_key, key.api_secret.as_str())
        .base_url(sandbox.url())
        .retry(RetryPolicy::default().initial_delay(Duration::from_millis(1)))
        .retry_budget(budget.clone())
        .interceptor(metrics)
        .build()?;

    for name in ["ann", "bob"] {
        let new = NewInvitation::new(format!("{name}@example.com"));
        provider.get_or_create(new).await?;
    }
    // The service fails from now on: eight calls would be forty requests without a budget.
    sandbox.set_faults(Faults::script([
        Rule::new(Fault::status_before(503)).always()
    ]));
    for _ in 0..3 {
        let failed = provider.find_by_email("ann@example.com").await;
        println!("{}", failed.expect_err("the service is down"));
    }
    println!("{} retries are left", budget.remaining());

    meters.force_flush()?;
    for resource in exporter.get_finished_metrics()? {
        for scope in resource.scope_metrics() {
            for metric in scope.metrics() {
                println!("{}: {} measurements", metric.name(), count(metric.data()));
            }
        }
    }
    Ok(())
}

/// How many measurements an instrument took.
fn count(data: &AggregatedMetrics) -> u64 {
    match data {
        AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
            histogram.data_points().map(|point| point.count()).sum()
        }
        AggregatedMetrics::U64(MetricData::Sum(sum)) => {
            sum.data_points().map(|point| point.value()).sum()
        }
        _ => 0,
    }
}

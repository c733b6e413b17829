//! What is measured, under which names.

use std::time::Duration;

use opentelemetry::{Value, metrics::MeterProvider};
use opentelemetry_sdk::metrics::{
    InMemoryMetricExporter, PeriodicReader, SdkMeterProvider,
    data::{AggregatedMetrics, MetricData},
};
use org_invitations::{Confluent, InvitationProvider, ListQuery, Metrics, RetryPolicy};
use serde_json::json;

use crate::support::{Answer, Wire};

/// Each measured series: its instrument, its attributes in order, and how many measurements it has.
fn series(exporter: &InMemoryMetricExporter) -> Vec<(String, String, u64)> {
    let mut all = Vec::new();
    let text = |attributes: &mut dyn Iterator<Item = &opentelemetry::KeyValue>| {
        let mut texts: Vec<_> = attributes
            .filter(|attribute| attribute.key.as_str() != "server.port")
            .map(|attribute| match &attribute.value {
                Value::I64(number) => format!("{}={number}", attribute.key),
                value => format!("{}={}", attribute.key, value.as_str()),
            })
            .collect();
        texts.sort();
        texts.join(" ")
    };
    for resource in exporter.get_finished_metrics().unwrap() {
        for metric in resource.scope_metrics().flat_map(|scope| scope.metrics()) {
            let name = metric.name().to_owned();
            match metric.data() {
                AggregatedMetrics::F64(MetricData::Histogram(data)) => {
                    assert_eq!(metric.unit(), "s");
                    all.extend(data.data_points().map(|point| {
                        let attributes = text(&mut point.attributes());
                        (name.clone(), attributes, point.count())
                    }));
                }
                AggregatedMetrics::U64(MetricData::Sum(data)) => {
                    all.extend(data.data_points().map(|point| {
                        let attributes = text(&mut point.attributes());
                        (name.clone(), attributes, point.value())
                    }));
                }
                other => panic!("{other:?}"),
            }
        }
    }
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_are_measured_by_the_conventions() {
    let page = Answer::json(200, &json!({ "data": [], "metadata": {} }));
    let wire = Wire::script([Answer::empty(503), page.clone(), page]).await;
    let exporter = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(exporter.clone()).build();
    let meters = SdkMeterProvider::builder().with_reader(reader).build();
    let retry = RetryPolicy::default().initial_delay(Duration::from_millis(1));
    let provider = Confluent::builder()
        .api_key("key", "secret")
        .base_url(wire.url())
        .retry(retry)
        .interceptor(Metrics::with_meter(&meters.meter("tests")))
        .build()
        .unwrap();
    for _ in 0..2 {
        provider.list_page(&ListQuery::new(), None).await.unwrap();
    }
    meters.force_flush().unwrap();
    let call =
        "org_invitations.operation=list_iam_v2_invitations org_invitations.provider=confluent";
    let own = |name: &str, count| (name.to_owned(), call.to_owned(), count);
    let request = |status: u16, error: &str, count| {
        let attributes = format!(
            "{error}http.request.method=GET http.response.status_code={status} {call} server.address=127.0.0.1"
        );
        ("http.client.request.duration".to_owned(), attributes, count)
    };
    let expected = [
        request(503, "error.type=503 ", 1),
        request(200, "", 2),
        own("org_invitations.rate_limit.wait.duration", 3),
        own("org_invitations.retries", 1),
    ];
    assert_eq!(series(&exporter), expected);
}

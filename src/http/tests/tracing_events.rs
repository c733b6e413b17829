//! One event for an attempt, and a span for a call that is part of no other.

use std::{
    fmt::{Debug, Write},
    sync::{Arc, Mutex},
};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, prelude::*, registry::LookupSpan};

use super::{
    connect,
    server::{Answer, Server, respond},
};

/// Writes every span and event of this crate down, each with the spans around it.
#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<String>>>);

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Capture {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let metadata = attributes.metadata();
        let mut fields = Fields(format!("span {}", metadata.name()));
        attributes.record(&mut fields);
        if metadata.target().starts_with("org_invitations") {
            self.0.lock().unwrap().push(fields.0);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let name = context.span(id).map_or("", |span| span.name());
        let mut fields = Fields(format!("record in {name}"));
        values.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields("event".to_owned());
        for span in context.event_scope(event).into_iter().flatten() {
            write!(fields.0, " in {}", span.name()).unwrap();
        }
        event.record(&mut fields);
        if event.metadata().target().starts_with("org_invitations") {
            self.0.lock().unwrap().push(fields.0);
        }
    }
}

#[tokio::test]
async fn a_call_is_a_span_and_an_attempt_an_event() {
    let capture = Capture::default();
    let subscriber = tracing_subscriber::registry().with(capture.clone());
    // While there is only one subscriber, what another thread's test logs first is never logged for this one either.
    let _other = tracing::Dispatch::new(tracing_subscriber::registry());
    let _guard = tracing::subscriber::set_default(subscriber);
    let answers = || {
        [
            respond(503, &["x-request-id: r-1"], ""),
            Answer::Close,
            respond(200, &["x-request-id: r-3"], r#"{"id": "t-1"}"#),
        ]
    };
    let server = Server::start(answers()).await;
    connect(&server).get_thing("t-1").await.unwrap();
    let seen = std::mem::take(&mut *capture.0.lock().unwrap());
    let span = r#"span request otel.kind="client" provider="things" operation="get_thing""#;
    assert_eq!(seen[0], span);
    let (records, seen): (Vec<_>, Vec<_>) = seen
        .into_iter()
        .partition(|line| line.starts_with("record "));
    let last = [
        "record in request attempts=3",
        "record in request outcome=\"ok\"",
    ];
    assert_eq!(records[records.len() - 2..], last, "{records:#?}");
    assert!(records[1].ends_with("outcome=\"503\""), "{records:#?}");
    assert_eq!(seen.len(), 4, "{seen:#?}");
    for (event, expected) in seen[1..].iter().zip([
        &[
            "status_code=503",
            "resend_count=0",
            "error.type=\"503\"",
            "request_id=\"r-1\"",
        ][..],
        &["resend_count=1", "error.type=\"Transport\""],
        &["status_code=200", "resend_count=2", "request_id=\"r-3\""],
    ]) {
        assert!(event.starts_with("event in request "), "{event}");
        for field in expected.iter().chain(&[
            "http.request.method=\"GET\"",
            "server.address=\"127.0.0.1\"",
            "waited_ms=",
            "elapsed_ms=",
            "message=attempt",
        ]) {
            assert!(event.contains(field), "{field}: {event}");
        }
    }
    assert!(!seen[3].contains("error.type"), "{}", seen[3]);

    let server = Server::start(answers()).await;
    let client = connect(&server);
    let state = Arc::new(client.inner.client().start_call());
    let _ = client.within(&state).get_thing("t-1").await;
    assert!(state.take_reply().is_some());
    let seen = std::mem::take(&mut *capture.0.lock().unwrap());
    assert_eq!(seen.len(), 3, "no span of its own: {seen:#?}");
    let outside = |event: &String| event.starts_with("event ") && !event.contains(" in ");
    assert!(seen.iter().all(outside), "{seen:#?}");
}

//! Everything that is traced or logged on a thread, kept.
//!
//! The subscriber is the thread's own, so a test that captures has a runtime of one thread.

use std::{
    collections::BTreeMap,
    error::Error,
    fmt,
    sync::{Arc, Mutex},
};

use tracing::{
    Dispatch, Event, Id, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Record},
    subscriber::DefaultGuard,
};
use tracing_subscriber::{
    Layer, Registry, layer::Context, layer::SubscriberExt, registry::LookupSpan,
    util::SubscriberInitExt,
};

/// The target of the library's own spans and events.
const OURS: &str = "org_invitations";

/// What this thread traces and logs, at every level and of every target, until it is dropped.
pub struct Capture {
    kept: Kept,
    _guard: DefaultGuard,
    _other: Dispatch,
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Traced>>>);

/// A span or an event.
#[derive(Clone)]
pub struct Traced {
    pub what: What,
    pub name: String,
    pub target: String,
    pub level: Level,
    /// Of an event also its `message`.
    pub fields: BTreeMap<String, String>,
    /// The spans it is in, the innermost one first.
    pub within: Vec<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Span(u64),
    Event,
}

impl Capture {
    pub fn start() -> Self {
        let kept = Kept::default();
        // While there is only one subscriber, what another thread's test logs first is never logged for this one either.
        let other = Dispatch::new(Registry::default());
        let guard = Registry::default().with(kept.clone()).set_default();
        Self {
            kept,
            _other: other,
            _guard: guard,
        }
    }

    /// All of it so far.
    pub fn all(&self) -> Vec<Traced> {
        self.kept.0.lock().unwrap().clone()
    }

    /// Forgets what was kept so far.
    pub fn clear(&self) {
        self.kept.0.lock().unwrap().clear();
    }

    /// The library's spans with this name.
    pub fn spans(&self, name: &str) -> Vec<Traced> {
        let mut all = self.all();
        all.retain(|traced| traced.is_span() && traced.is_ours() && traced.name == name);
        all
    }

    /// The library's events directly within a span, in order.
    pub fn events_in(&self, span: &Traced) -> Vec<Traced> {
        let What::Span(id) = span.what else {
            panic!("{span:?} is no span");
        };
        let mut all = self.all();
        all.retain(|traced| {
            traced.what == What::Event && traced.is_ours() && traced.within.first() == Some(&id)
        });
        all
    }
}

impl Traced {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    fn is_span(&self) -> bool {
        self.what != What::Event
    }

    fn is_ours(&self) -> bool {
        self.target.starts_with(OURS)
    }

    fn new(what: What, metadata: &Metadata<'_>, within: Vec<u64>) -> Self {
        Self {
            what,
            name: metadata.name().to_owned(),
            target: metadata.target().to_owned(),
            level: *metadata.level(),
            fields: BTreeMap::new(),
            within,
        }
    }
}

/// In one line, because failures show many of them.
impl fmt::Debug for Traced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            name,
            target,
            level,
            fields,
            within,
        } = self;
        write!(
            f,
            "{level} {target} {what:?} {name} {fields:?} in {within:?}"
        )
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Kept {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let outer = context.span_scope(id).into_iter().flatten().skip(1);
        let within = outer.map(|span| span.id().into_u64()).collect();
        let mut span = Traced::new(What::Span(id.into_u64()), attributes.metadata(), within);
        attributes.record(&mut Fields(&mut span.fields));
        self.0.lock().unwrap().push(span);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut kept = self.0.lock().unwrap();
        let what = What::Span(id.into_u64());
        // An id is used again once its span is closed.
        if let Some(span) = kept.iter_mut().rev().find(|traced| traced.what == what) {
            values.record(&mut Fields(&mut span.fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let spans = context.event_scope(event).into_iter().flatten();
        let within = spans.map(|span| span.id().into_u64()).collect();
        let mut traced = Traced::new(What::Event, event.metadata(), within);
        event.record(&mut Fields(&mut traced.fields));
        self.0.lock().unwrap().push(traced);
    }
}

struct Fields<'a>(&'a mut BTreeMap<String, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.to_string(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.to_string(), value.to_owned());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.0
            .insert(field.to_string(), format!("{value} {value:?}"));
    }
}

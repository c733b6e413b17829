//! A server that answers as it is told and remembers every request, and a collector of mismatches.

use std::{
    collections::VecDeque,
    fmt::Debug,
    sync::{Arc, Mutex},
};

use httpmock::{HttpMockRequest, HttpMockResponse, MockServer};
use serde_json::Value;

/// A request, as it arrived.
#[derive(Clone, Debug)]
pub struct Sent {
    pub method: String,
    /// The path as it stood on the request line, percent-encoding included.
    pub path: String,
    /// The query, decoded, in order.
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Sent {
    fn new(request: &HttpMockRequest) -> Self {
        Self {
            method: request.method_str().to_owned(),
            path: request.uri().path().to_owned(),
            query: request.query_params(),
            headers: request.headers_vec().clone(),
            body: request.body_string(),
        }
    }

    /// Every value of a header.
    pub fn header(&self, name: &str) -> Vec<&str> {
        let same = |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        let found = self.headers.iter().filter(same);
        found.map(|(_, value)| value.as_str()).collect()
    }

    /// The body as JSON; `Null` when there is none.
    pub fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:#?}"))
    }

    /// The query, sorted by name, for comparison.
    pub fn sorted_query(&self) -> Vec<(&str, &str)> {
        let pairs = self.query.iter();
        let mut pairs: Vec<_> = pairs.map(|(k, v)| (k.as_str(), v.as_str())).collect();
        pairs.sort_unstable();
        pairs
    }
}

/// What the server is told to answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Self::empty(status)
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    pub fn html(status: u16) -> Self {
        Self::empty(status)
            .header("content-type", "text/html; charset=utf-8")
            .body(format!(
                "<!DOCTYPE html><html><head><title>{status}</title></head><body>A gateway</body></html>"
            ))
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// A server on a loopback port.
pub struct Wire {
    server: MockServer,
    seen: Arc<Mutex<Vec<Sent>>>,
}

impl Wire {
    /// Answers each request with what `respond` makes of it.
    pub async fn responding(respond: impl Fn(&Sent) -> Answer + Send + Sync + 'static) -> Self {
        let server = MockServer::start_async().await;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&seen);
        server
            .mock_async(move |when, then| {
                when.any_request();
                then.respond_with(move |request: &HttpMockRequest| {
                    let sent = Sent::new(request);
                    let answer = respond(&sent);
                    record.lock().unwrap().push(sent);
                    HttpMockResponse::builder()
                        .status(answer.status)
                        .headers(answer.headers)
                        .body(answer.body)
                        .build()
                });
            })
            .await;
        Self { server, seen }
    }

    /// Gives every request the same answer.
    pub async fn always(answer: Answer) -> Self {
        Self::responding(move |_| answer.clone()).await
    }

    /// Gives these answers in turn; a request too many is answered with 418.
    pub async fn script(answers: impl IntoIterator<Item = Answer>) -> Self {
        let left = Mutex::new(VecDeque::from_iter(answers));
        Self::responding(move |_| {
            let next = left.lock().unwrap().pop_front();
            next.unwrap_or_else(|| Answer::empty(418))
        })
        .await
    }

    /// Answers 418: for calls that must not get here.
    pub async fn silent() -> Self {
        Self::script([]).await
    }

    pub fn url(&self) -> String {
        self.server.base_url()
    }

    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Sent> {
        self.seen.lock().unwrap().clone()
    }

    /// The one request that was sent.
    #[track_caller]
    pub fn only(&self) -> Sent {
        let mut seen = self.seen();
        assert_eq!(seen.len(), 1, "one request was expected, not {seen:#?}");
        seen.remove(0)
    }

    #[track_caller]
    pub fn assert_untouched(&self, why: &str) {
        let seen = self.seen();
        assert!(seen.is_empty(), "{why}: nothing may be sent, but {seen:#?}");
    }
}

/// Collects mismatches, so that a table of cases shows all of them at once; panics at its end.
#[derive(Default)]
pub struct Checks {
    case: String,
    wrong: Vec<String>,
}

impl Checks {
    /// Names the case that the next checks are about.
    pub fn case(&mut self, name: impl Into<String>) {
        self.case = name.into();
    }

    pub fn same<A: PartialEq<B> + Debug, B: Debug>(&mut self, what: &str, seen: A, wanted: B) {
        if seen != wanted {
            let case = &self.case;
            self.wrong
                .push(format!("{case}: {what} is {seen:?}, not {wanted:?}"));
        }
    }

    pub fn that(&mut self, holds: bool, otherwise: impl Into<String>) {
        if !holds {
            self.wrong
                .push(format!("{}: {}", self.case, otherwise.into()));
        }
    }
}

impl Drop for Checks {
    fn drop(&mut self) {
        if !self.wrong.is_empty() && !std::thread::panicking() {
            panic!(
                "{} mismatches:\n{}",
                self.wrong.len(),
                self.wrong.join("\n")
            );
        }
    }
}

/// Reads a time.
pub fn time(text: &str) -> chrono::DateTime<chrono::Utc> {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

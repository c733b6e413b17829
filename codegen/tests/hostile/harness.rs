//! The checks for every hostile document: a clear error or a client that parses, within bounds.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::resume_unwind,
    sync::{
        Mutex, OnceLock, PoisonError,
        mpsc::{RecvTimeoutError, channel},
    },
    thread,
    time::{Duration, Instant},
};

use org_invitations_codegen::{Document, Report, Surface, check};
use org_invitations_spec_diff::{Class, diff};
use serde_json::Value;

use crate::common::{Fixture, fixtures, used_part::used_part};

/// The time after which a case counts as hanging, on a busy machine too.
const TIMEOUT: Duration = Duration::from_secs(600);

/// The memory that a document may take.
const MAX_MEMORY_BYTES: u64 = 1 << 30;

/// The longest part of one diagnostic, apart from its pointer.
const MAX_DIAGNOSTIC_BYTES: usize = 16 << 10;

/// Runs `work` in a thread of its own and fails when it panics, hangs or takes too much memory.
pub fn guarded<T: Send + 'static>(what: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = channel();
    let started = Instant::now();
    let worker = thread::spawn(move || drop(sender.send(work())));
    let done = match receiver.recv_timeout(TIMEOUT) {
        Ok(done) => done,
        Err(RecvTimeoutError::Timeout) => {
            let mebibytes = peak_memory().unwrap_or_default() >> 20;
            panic!("{what}: not done after {TIMEOUT:?}, and took {mebibytes} MiB so far")
        }
        Err(RecvTimeoutError::Disconnected) => match worker.join() {
            Err(panic) => resume_unwind(panic),
            Ok(()) => unreachable!("the worker sends before it ends"),
        },
    };
    let peak = peak_memory();
    let mebibytes = peak.map_or(0, |peak| peak >> 20);
    eprintln!(
        "{what}: {:?}, at most {mebibytes} MiB so far",
        started.elapsed()
    );
    // The figure is that of this test only if each test runs in a process of its own.
    let alone =
        std::env::var("NEXTEST_EXECUTION_MODE").is_ok_and(|mode| mode == "process-per-test");
    if alone {
        assert!(
            peak.is_none_or(|peak| peak < MAX_MEMORY_BYTES),
            "{what}: took {mebibytes} MiB"
        );
    }
    done
}

/// The most memory that this process ever had, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes << 10)
}

/// The client that is generated from a document, or the report on the document.
pub type Outcome = Result<String, Report>;

/// Returns the outcome, and checks that the client parses or the error is clear.
pub fn outcome(bytes: &[u8], fixture: &Fixture) -> Outcome {
    checked_outcome(bytes, fixture).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// As [`outcome`], with a comparison with the project's document.
pub fn assert_sound(bytes: &[u8], fixture: &'static Fixture) -> Outcome {
    let checked_outcome = read(bytes, fixture).and_then(|checked| match checked {
        Ok(checked) => {
            checked.assert_compared(own_surface(fixture), fixture)?;
            checked.generated(fixture)
        }
        Err(report) => Ok(Err(report)),
    });
    checked_outcome.unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// The surface of the project's document.
fn own_surface(fixture: &'static Fixture) -> &'static Surface {
    static SURFACES: OnceLock<Mutex<BTreeMap<&str, &'static Surface>>> = OnceLock::new();
    let surfaces = SURFACES.get_or_init(Mutex::default);
    let mut surfaces = surfaces.lock().unwrap_or_else(PoisonError::into_inner);
    surfaces
        .entry(fixture.name)
        .or_insert_with(|| Box::leak(Box::new(surface(&vendored(fixture), fixture))))
}

/// As [`outcome`]; the error describes a violation.
pub fn checked_outcome(bytes: &[u8], fixture: &Fixture) -> Result<Outcome, String> {
    match read(bytes, fixture)? {
        Ok(checked) => checked.generated(fixture),
        Err(report) => Ok(Err(report)),
    }
}

/// A document that was parsed, normalised and checked.
pub struct Checked {
    document: Document,
    surface: Surface,
    checked: Result<(), Report>,
}

impl Checked {
    /// Generates the client. A document that passes the check has one, and another one is refused for the same reasons.
    pub fn generated(&self, fixture: &Fixture) -> Result<Outcome, String> {
        match (&self.checked, fixture.generate(&self.document)) {
            (Ok(()), Ok(generated)) => rust(generated.rust),
            (Err(report), Err(build)) if diagnostics(report) == diagnostics(&build) => {
                check_clear(&build)?;
                Ok(Err(build))
            }
            (check, build) => {
                let build = build.map(|generated| generated.rust.len());
                Err(format!("the check says {check:?}, the build {build:?}"))
            }
        }
    }

    /// Compares the document with another one; a change that stops the build has to be breaking.
    pub fn assert_compared(&self, before: &Surface, fixture: &Fixture) -> Result<(), String> {
        let forth = diff(before, &self.surface, &fixture.api);
        let back = diff(&self.surface, before, &fixture.api);
        if forth.is_empty() != back.is_empty() {
            return Err(format!(
                "a change in one direction only: {forth:?} {back:?}"
            ));
        }
        let breaks = forth.iter().any(|finding| finding.class == Class::Breaking);
        match &self.checked {
            Err(report) if !breaks => Err(format!(
                "stops the build, but is not breaking: {report}\n{forth:?}"
            )),
            _ => Ok(()),
        }
    }
}

/// The problems of a report; the build lists missing operations first.
fn diagnostics(report: &Report) -> BTreeSet<String> {
    report.diagnostics.iter().map(ToString::to_string).collect()
}

/// Parses and checks a document; the error describes a violation.
pub fn read(bytes: &[u8], fixture: &Fixture) -> Result<Result<Checked, Report>, String> {
    let document = match Document::parse(NAME, bytes) {
        Ok(document) => document,
        Err(report) => return check_clear(&report).map(|()| Err(report)),
    };
    let api = &fixture.api;
    let described = api.is_described_by(&document);
    let surface = match Surface::new(&document, api) {
        Ok(surface) => surface,
        Err(report) => return check_clear(&report).map(|()| Err(report)),
    };
    if !described {
        return Err("it has a surface, but describes nothing of the API".to_owned());
    }
    if !diff(&surface, &surface, api).is_empty() {
        return Err("it differs from itself".to_owned());
    }
    let checked = check(&surface, api);
    if let Err(report) = &checked {
        check_clear(report)?;
    }
    Ok(Ok(Checked {
        document,
        surface,
        checked,
    }))
}

const NAME: &str = "some/spec.yaml";

/// The clients that parsed; most documents make one of a few.
static PARSED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

fn rust(client: String) -> Result<Outcome, String> {
    let mut parsed = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    if !parsed.contains(&client) {
        syn::parse_file(&client).map_err(|error| format!("the client is not Rust: {error}"))?;
        // The compiler refuses characters that change the direction of text.
        if let Some(letter) = client
            .chars()
            .find(|letter| *letter != '\n' && is_invisible(*letter))
        {
            return Err(format!("{letter:?} is in the client"));
        }
        parsed.insert(client.clone());
    }
    Ok(Ok(client))
}

/// Compares two documents; a change that stops the build has to be breaking.
pub fn assert_compared(before: &Value, bytes: &[u8], fixture: &Fixture) {
    let before = Document::parse(NAME, before.to_string().as_bytes());
    let assert_compared = match before.and_then(|before| fixture.surface(&before)) {
        Ok(before) => compare(&before, bytes, fixture),
        Err(report) => check_clear(&report),
    };
    assert_compared.unwrap_or_else(|wrong| panic!("{wrong}"));
}

/// The surface of a document that has one.
pub fn surface(document: &Value, fixture: &Fixture) -> Surface {
    let document = Document::parse(NAME, document.to_string().as_bytes()).unwrap();
    fixture.surface(&document).unwrap()
}

/// As [`assert_compared`]; the error describes a violation.
pub fn compare(before: &Surface, bytes: &[u8], fixture: &Fixture) -> Result<(), String> {
    match read(bytes, fixture)? {
        Ok(checked) => checked.assert_compared(before, fixture),
        Err(_) => Ok(()),
    }
}

/// Checks that a report names the document and that every diagnostic is complete.
fn check_clear(report: &Report) -> Result<(), String> {
    let text = report.to_string();
    if !text.starts_with(NAME) || report.diagnostics.is_empty() {
        return Err(format!("it does not say what is wrong with what: {text}"));
    }
    for diagnostic in &report.diagnostics {
        let parts = [&diagnostic.expected, &diagnostic.found, &diagnostic.advice];
        if parts.iter().any(|part| part.trim().is_empty()) {
            return Err(format!("a part is empty: {diagnostic}"));
        }
        if parts.iter().any(|part| part.len() > MAX_DIAGNOSTIC_BYTES) {
            return Err(format!(
                "the text is without end: {:.300}",
                diagnostic.to_string()
            ));
        }
    }
    let words = [
        "panicked",
        "called `",
        "RUST_BACKTRACE",
        "defect of the code generator",
    ];
    if let Some(words) = words.iter().find(|words| text.contains(**words)) {
        return Err(format!("{words:?} in {text}"));
    }
    Ok(())
}

/// Whether every diagnostic is one line without control characters.
pub fn is_one_line(report: &Report) -> bool {
    let text = report.to_string();
    let lines = text.lines().count();
    lines == report.diagnostics.len() + 1
        && !text.contains(|letter| letter != '\n' && is_invisible(letter))
}

/// Control characters, and those that change the direction of text.
fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The used part of the project's document.
pub fn vendored(fixture: &Fixture) -> Value {
    static DOCUMENTS: OnceLock<Vec<Value>> = OnceLock::new();
    let documents = DOCUMENTS.get_or_init(|| {
        let used = |fixture: &Fixture| used_part(&fixture.value, &fixture.api);
        fixtures().iter().map(used).collect()
    });
    let index = fixtures().iter().position(|each| each.name == fixture.name);
    documents[index.unwrap()].clone()
}

/// Sets the value at `pointer`, whose parent has to exist.
pub fn put(document: &mut Value, pointer: &str, value: Value) {
    let (holder, last) = pointer.rsplit_once('/').unwrap();
    let last = last.replace("~1", "/").replace("~0", "~");
    let holder = document
        .pointer_mut(holder)
        .unwrap_or_else(|| panic!("no {holder}"));
    match holder {
        Value::Array(list) => list[last.parse::<usize>().unwrap()] = value,
        holder => holder[last] = value,
    }
}

/// Collects the pointers of all nodes of `value`.
pub fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    let mut inner = |token: &str, value: &Value| {
        let place = format!("{at}/{}", token.replace('~', "~0").replace('/', "~1"));
        found.push(place.clone());
        pointers(value, &place, found);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| inner(key, value)),
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                inner(&index.to_string(), value);
            }
        }
        _ => {}
    }
}

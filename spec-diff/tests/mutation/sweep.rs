//! Applies the catalogue to the documents of one API, one line at a time.

use std::collections::BTreeSet;

use org_invitations_codegen::{Document, Report, Surface, check};
use org_invitations_spec_diff::{Class, Finding, diff};
use serde_json::Value;

use crate::{
    catalogue::{Mutation, catalogue},
    common::{Fixture, parsed},
    edit::Expected,
    navigator::find,
    samples::{Sample, samples, surface},
};

/// One in so many cases is generated, which takes longest and depends least on the case.
const GENERATED: usize = 24;

/// Applies every line that fits, and fails with all that was missed.
pub fn run(fixture: &'static Fixture) {
    let catalogue = catalogue();
    let samples = samples(fixture);
    let original = |one: &Sample| surface(&one.name, &one.value, fixture);
    let originals: Vec<Surface> = samples.iter().map(original).collect();
    let mut lines = 0;
    let mut cases = 0;
    let mut caught = 0;
    let mut missed = Vec::new();
    for (line, mutation) in catalogue.iter().enumerate() {
        let addresses = addresses(mutation, fixture);
        lines += usize::from(!addresses.is_empty());
        let mut wrong = Vec::new();
        for (index, (sample, original)) in samples.iter().zip(&originals).enumerate() {
            for (operation, address) in addresses.iter().enumerate() {
                // The vendor's document is much like ours: one operation in four is enough there.
                if index > 0 && addresses.len() > 4 && (line + operation) % 4 > 0 {
                    continue;
                }
                let generates = cases % GENERATED == 0;
                let Some(outcome) = case(sample, original, mutation, address, generates) else {
                    let everywhere = !mutation.at.starts_with('*');
                    assert!(!everywhere, "{} has no {address}", sample.name);
                    continue;
                };
                cases += 1;
                caught += usize::from(outcome.is_ok());
                let labelled = |labelled| format!("{}, {address}: {labelled}", sample.name);
                wrong.extend(outcome.err().map(labelled));
            }
        }
        if let Some(first) = wrong.first() {
            let (row, at, edit) = (mutation.row, mutation.at, &mutation.edit);
            let count = wrong.len();
            missed.push(format!("{row:?} {at} {edit:?}: {count} times\n    {first}"));
        }
    }
    eprintln!(
        "{}: {lines} mutations on {} documents make {cases} cases; {caught} are caught",
        fixture.name,
        samples.len(),
    );
    assert!(cases > 0, "no mutation fits {}", fixture.name);
    assert!(missed.is_empty(), "missed:\n{}", missed.join("\n"));
}

/// The addresses of a line in the documents of an API; none if it is about another API.
fn addresses(mutation: &Mutation, fixture: &Fixture) -> Vec<String> {
    let (first, rest) = mutation.at.split_once(' ').unwrap_or((mutation.at, ""));
    let ids = fixture
        .api
        .operations
        .iter()
        .map(|operation| operation.id.as_str());
    match first {
        "document" => vec![mutation.at.to_owned()],
        "*" => ids.map(|id| format!("{id} {rest}")).collect(),
        wanted => ids
            .filter(|id| *id == wanted)
            .map(|_| mutation.at.to_owned())
            .collect(),
    }
}

/// `None` when the document has no such place.
fn case(
    sample: &Sample,
    original: &Surface,
    mutation: &Mutation,
    address: &str,
    generates: bool,
) -> Option<Result<(), String>> {
    let place = find(&sample.value, address)?;
    let mut mutated = sample.value.clone();
    let expected = mutation.edit.apply(&mut mutated, &place)?;
    let mut outcome = judge(sample.fixture, original, mutation, &mutated, &expected);
    if let (Ok(Some((document, surface))), true) = (&outcome, generates)
        && let Err(wrong) = builds_if_it_passes(document, surface, sample.fixture)
    {
        outcome = Err(wrong);
    }
    Some(outcome.map(drop))
}

fn judge(
    fixture: &Fixture,
    original: &Surface,
    mutation: &Mutation,
    mutated: &Value,
    expected: &Expected,
) -> Result<Option<(Document, Surface)>, String> {
    let api = &fixture.api;
    let document = parsed("mutated.json", mutated);
    let changed = match fixture.surface(&document) {
        Ok(changed) => changed,
        // Without its only operation, a document cannot be compared, and the report says so.
        Err(report) if api.operations.len() == 1 && mutation.class == Class::Breaking => {
            assert!(report.to_string().contains("none of them"), "{report}");
            return Ok(None);
        }
        Err(report) => return Err(format!("refused: {report}")),
    };
    let forth = diff(original, &changed, api);
    let back = diff(&changed, original, api);
    found(&forth, Some(mutation.class), expected)?;
    found(&back, mutation.back, expected).map_err(|wrong| format!("on the way back: {wrong}"))?;
    let breaks = forth.iter().any(|finding| finding.class == Class::Breaking);
    match check(&changed, api) {
        Err(report) if !breaks => Err(format!("stops the build, but is not breaking: {report}")),
        _ => Ok(Some((document, changed))),
    }
}

/// Checks that every expected pointer has a finding, that no other has one, and that the worst class is `class`.
pub fn found(
    findings: &[Finding],
    class: Option<Class>,
    expected: &Expected,
) -> Result<(), String> {
    let seen = || {
        let lines = findings.iter().map(|finding| {
            let (class, pointer) = (finding.class, &finding.pointer);
            format!("\n      {class} {pointer}: {}", finding.message)
        });
        lines.collect::<String>()
    };
    let hit = |places: &Vec<String>, finding: &Finding| places.contains(&finding.pointer);
    let Some(worst) = findings.iter().map(|finding| finding.class).max() else {
        return Err("nothing was found".to_owned());
    };
    if class.is_some_and(|class| class != worst) {
        let class = class.map_or("", Class::as_str);
        return Err(format!("expected {class}, found:{}", seen()));
    }
    for places in expected {
        if !findings.iter().any(|finding| hit(places, finding)) {
            return Err(format!("expected it at {}, found:{}", places[0], seen()));
        }
    }
    for finding in findings {
        if !expected.iter().any(|places| hit(places, finding)) {
            let wanted: Vec<&String> = expected.iter().flatten().collect();
            return Err(format!("more than {wanted:?} was found:{}", seen()));
        }
    }
    Ok(())
}

/// A document that passes the check generates a client; another one does not, for the same reasons.
fn builds_if_it_passes(
    document: &Document,
    changed: &Surface,
    fixture: &Fixture,
) -> Result<(), String> {
    match (check(changed, &fixture.api), fixture.generate(document)) {
        (Ok(()), Ok(generated)) => {
            syn::parse_file(&generated.rust)
                .map_err(|error| format!("the client does not parse: {error}"))?;
            Ok(())
        }
        (Ok(()), Err(report)) => Err(format!("checked, but not generated: {report}")),
        (Err(report), Ok(_)) => Err(format!("generated in spite of: {report}")),
        (Err(report), Err(same)) if diagnostics(&report) == diagnostics(&same) => Ok(()),
        (Err(report), Err(other)) => Err(format!("{report}\n is not\n {other}")),
    }
}

/// The problems of a report; the build lists missing operations first.
fn diagnostics(report: &Report) -> BTreeSet<String> {
    report.diagnostics.iter().map(ToString::to_string).collect()
}

//! A vendor's document, whatever it holds: `cargo +nightly fuzz run documents`.
#![no_main]

use std::{slice, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use org_invitations_codegen::{Api, Bindings, Document, Source, Surface, check};
use org_invitations_spec_diff::diff;
use serde_json::Value;

#[path = "../../build.rs"]
#[allow(dead_code)]
mod tables;

/// Each API of the tables, with bindings of it alone.
static APIS: LazyLock<Vec<(Api, Bindings)>> = LazyLock::new(|| {
    let tables = [tables::confluent(), tables::clickhouse()];
    tables.iter().flat_map(alone).collect()
});

fn alone(bindings: &Bindings) -> Vec<(Api, Bindings)> {
    let description: Value = serde_json::from_str(&bindings.description()).unwrap();
    let alone = |(index, api): (usize, Api)| {
        let mut one = description.clone();
        one["sources"] = Value::Array(vec![description["sources"][index].clone()]);
        (api, Bindings::from_description(&one.to_string()).unwrap())
    };
    bindings.apis().into_iter().enumerate().map(alone).collect()
}

fuzz_target!(|data: &[u8]| {
    let Ok(document) = Document::parse("fuzz", data) else { return };
    for (api, bindings) in APIS.iter().filter(|(api, _)| api.is_described_by(&document)) {
        let Ok(surface) = Surface::new(&document, api) else { continue };
        assert!(diff(&surface, &surface, api).is_empty());
        let passes = check(&surface, api).is_ok();
        let generated = bindings.generate_from(slice::from_ref(&document), &[]);
        assert_eq!(passes, generated.is_ok(), "what passes the check generates, and nothing else");
    }
    // All that is in it, whatever it is.
    let all = Bindings::new("all").source(Source::new("fuzz").all());
    if let Err(report) = all.generate_from(&[document], &[]) {
        let text = report.to_string();
        assert!(!text.contains("defect of the code generator"), "{text}");
    }
});

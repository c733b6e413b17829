//! What generating the clients takes, from the documents in `specs/` to Rust text.

use std::{error::Error, path::Path, time::Instant};

use org_invitations_codegen::{Api, Document, generate};

const DOCUMENTS: [&str; 3] = [
    "confluent-iam-v2.yaml",
    "confluent-sts-v1.yaml",
    "clickhouse-cloud-v1.json",
];

/// Generates all the clients once; the time in milliseconds.
pub fn milliseconds() -> Result<f64, Box<dyn Error>> {
    let specs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs");
    let start = Instant::now();
    for name in DOCUMENTS {
        let document = Document::read(&specs.join(name))?;
        for api in Api::recognise(&document) {
            generate(&document, api)?;
        }
    }
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

//! Measures generation of the clients, from the documents in `specs/` to Rust text.

use std::{error::Error, path::Path, time::Instant};

use org_invitations_codegen::{Bindings, Document};

#[path = "../../build.rs"]
#[allow(dead_code)]
mod tables;

/// Generates all clients once, and returns the time in milliseconds.
pub fn milliseconds() -> Result<f64, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let start = Instant::now();
    for bindings in [tables::confluent(), tables::clickhouse()] {
        generate(&bindings, &root)?;
    }
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

fn generate(bindings: &Bindings, root: &Path) -> Result<(), Box<dyn Error>> {
    let apis = bindings.apis();
    let read = apis
        .iter()
        .map(|api| Document::read(&root.join(&api.document)));
    let documents = read.collect::<Result<Vec<_>, _>>()?;
    bindings.generate_from(&documents, &[])?;
    Ok(())
}

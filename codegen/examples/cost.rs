//! What generation costs: `cost FILE…` prints the milliseconds from each document's file to its client's
//! text, the best of five, and the sum. `just cost` runs it on the vendors' own documents.

use std::{env, error::Error, path::Path, time::Instant};

use org_invitations_codegen::{Api, Document, generate};

fn main() -> Result<(), Box<dyn Error>> {
    let mut sum = 0.0;
    for file in env::args().skip(1) {
        let once = || -> Result<f64, Box<dyn Error>> {
            let start = Instant::now();
            let document = Document::read(Path::new(&file))?;
            for api in Api::recognise(&document) {
                generate(&document, api)?;
            }
            Ok(start.elapsed().as_secs_f64() * 1e3)
        };
        let mut best = f64::INFINITY;
        for _ in 0..5 {
            best = best.min(once()?);
        }
        println!("{best:8.1} ms  {file}");
        sum += best;
    }
    println!("{sum:8.1} ms  in all");
    Ok(())
}

//! Measures generation: `cost FILE…` prints for each document the milliseconds from the file to the text of the bindings
//! of all operations, the best of five, and the sum. `just cost` runs the example on the project's own documents.

use std::{env, error::Error, path::Path, slice, time::Instant};

use org_invitations_codegen::{Bindings, Document, Source};

fn main() -> Result<(), Box<dyn Error>> {
    let mut sum = 0.0;
    for file in env::args().skip(1) {
        let bindings = Bindings::new("api").source(Source::new(&file).all());
        let once = || -> Result<f64, Box<dyn Error>> {
            let start = Instant::now();
            let document = Document::read(Path::new(&file))?;
            bindings.generate_from(slice::from_ref(&document), &[])?;
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

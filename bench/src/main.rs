//! Measures org-invitations side by side with code written by hand and with a published client.
//!
//! - `org-invitations-bench calls limit growth` measures these parts and writes what came out into
//!   `bench/README.md`; so does `builds`, which takes many minutes.
//! - `serve`, `sandbox …`, `work …`, `at-limit …`, `grow …` and `usage …` are the processes that a measurement
//!   consists of.

mod builds;
mod by_hand;
mod generating;
mod growth;
mod keeping;
mod limit;
mod plot;
mod report;
mod sandbox;
mod section;
mod server;
mod streaming;
mod usage;
mod work;

use std::{env, error::Error};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["serve"] => server::serve()?,
        ["sandbox", config] => runtime()?.block_on(sandbox::serve(config))?,
        ["work", subject, case, times, base] => {
            let taken = work::work(subject, case, times.parse()?, base)?;
            println!("{} {}", taken.time, taken.memory);
        }
        ["at-limit", vendor, subject, access] => {
            runtime()?.block_on(limit::work(vendor, subject, access))?;
        }
        ["grow", subject, rows, access] => {
            runtime()?.block_on(growth::grow(subject, rows.parse()?, access))?;
        }
        ["usage", program, ref arguments @ ..] => usage::print(program, arguments)?,
        [_, ..] => {
            for part in arguments {
                measure(part)?;
            }
        }
        [] => return Err("see the top of bench/src/main.rs for the arguments".into()),
    }
    Ok(())
}

/// Measures one part, and writes what came out.
fn measure(part: &str) -> Result<(), Box<dyn Error>> {
    match part {
        "calls" => section::write(part, &report::measure()?)?,
        "limit" => section::write(part, &limit::measure()?)?,
        "builds" => section::write(part, &builds::measure()?)?,
        "growth" => section::write(part, &growth::measure()?)?,
        _ => return Err(format!("there is no part {part}").into()),
    }
    Ok(())
}

/// One thread, as a measured process has.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

//! Measures org-invitations beside hand-written code and a published client.
//!
//! - `org-invitations-bench calls limit growth` measures these parts and writes the results to `bench/README.md`. The
//!   part `builds` takes many minutes.
//! - `serve`, `sandbox …`, `work …`, `at-limit …`, `grow …` and `usage …` run the processes of a measurement.

mod builds;
mod by_hand;
mod by_hand_flattened;
mod calls;
mod canned_server;
mod generation;
mod growth;
mod plot;
mod rate_limit;
mod readme;
mod resources;
mod sandbox;
mod streaming;
mod workload;

use std::{env, error::Error};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["serve"] => canned_server::serve()?,
        ["sandbox", config] => runtime()?.block_on(sandbox::serve(config))?,
        ["work", candidate, case, times, base] => {
            let taken = workload::run(candidate, case, times.parse()?, base)?;
            println!("{} {}", taken.time, taken.memory);
        }
        ["at-limit", vendor, candidate, access] => {
            runtime()?.block_on(rate_limit::run(vendor, candidate, access))?;
        }
        ["at-limit", vendor, "process", access, file, number] => {
            let number = number.parse()?;
            runtime()?.block_on(rate_limit::run_process(vendor, access, file, number))?;
        }
        ["grow", candidate, rows, access] => {
            runtime()?.block_on(growth::run(candidate, rows.parse()?, access))?;
        }
        ["usage", program, ref arguments @ ..] => resources::print(program, arguments)?,
        [_, ..] => {
            for part in arguments {
                measure(part)?;
            }
        }
        [] => return Err("see the top of bench/src/main.rs for the arguments".into()),
    }
    Ok(())
}

/// Measures one part, and writes the results.
fn measure(part: &str) -> Result<(), Box<dyn Error>> {
    match part {
        "calls" => readme::write(part, &calls::measure()?)?,
        "limit" => readme::write(part, &rate_limit::measure()?)?,
        "builds" => readme::write(part, &builds::measure()?)?,
        "growth" => readme::write(part, &growth::measure()?)?,
        _ => return Err(format!("there is no part {part}").into()),
    }
    Ok(())
}

/// A runtime with one thread, as in a measured process.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

//! Measures org-invitations beside hand-written code and a published client.
//!
//! - `org-invitations-bench calls limit growth` measures these parts and writes the results to `bench/README.md`. The
//!   part `builds` takes many minutes. `--rounds N` measures in N rounds in place of as many as the part has by default.
//! - `serve`, `sandbox …`, `work …`, `at-limit …`, `grow …` and `usage …` run the processes of a measurement.

mod at_limit;
mod builds;
mod by_hand;
mod by_hand_flattened;
mod calls;
mod canned_server;
mod generation;
mod growth;
mod options;
mod plot;
mod rate_limit;
mod readme;
mod resources;
mod runs;
mod sandbox;
mod spread;
mod streaming;
mod workload;
mod workos;

use std::{env, error::Error, num::NonZeroUsize};

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
            runtime()?.block_on(at_limit::run(vendor, candidate, access))?;
        }
        ["at-limit", vendor, "process", access, file, number] => {
            let number = number.parse()?;
            runtime()?.block_on(at_limit::run_process(vendor, access, file, number))?;
        }
        ["grow", candidate, rows, access] => {
            runtime()?.block_on(growth::run(candidate, rows.parse()?, access))?;
        }
        ["usage", program, ref arguments @ ..] => resources::print(program, arguments)?,
        _ => measure_parts(&arguments)?,
    }
    Ok(())
}

/// Measures the parts that the arguments name, in as many rounds as they say.
fn measure_parts(arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    let (mut parts, mut rounds) = (Vec::new(), None);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if *argument == "--rounds" {
            let number = arguments.next().ok_or("--rounds takes a number")?;
            rounds = Some(number.parse::<NonZeroUsize>()?.get());
        } else {
            parts.push(argument);
        }
    }
    if parts.is_empty() {
        return Err("see the top of bench/src/main.rs for the arguments".into());
    }
    for part in parts {
        measure(part, rounds)?;
    }
    Ok(())
}

/// Measures one part, and writes the results.
fn measure(part: &str, rounds: Option<usize>) -> Result<(), Box<dyn Error>> {
    let section = match part {
        "calls" => calls::measure(rounds.unwrap_or(calls::ROUNDS))?,
        "limit" => rate_limit::measure(rounds.unwrap_or(rate_limit::ROUNDS))?,
        "builds" => builds::measure(rounds.unwrap_or(builds::ROUNDS))?,
        "growth" => growth::measure(rounds.unwrap_or(growth::ROUNDS))?,
        _ => return Err(format!("there is no part {part}").into()),
    };
    readme::write(part, &section)
}

/// A runtime with one thread, as in a measured process.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

//! What a program of any kind takes, as the kernel counts it.

use std::{
    error::Error,
    process::{Command, Stdio},
    time::Instant,
};

use nix::sys::resource::{UsageWho, getrusage};
use serde::{Deserialize, Serialize};

/// What a program took, with all the programs that it ran.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Usage {
    /// Of the processor, for itself and in the kernel.
    pub cpu_seconds: f64,
    pub wall_seconds: f64,
    /// The most memory that one of them held.
    pub peak_mib: f64,
}

/// Runs a program to its end. The memory is right if this process ran no other before.
pub fn of(command: &mut Command) -> Result<Usage, Box<dyn Error>> {
    let (before, start) = (taken(UsageWho::RUSAGE_CHILDREN)?, Instant::now());
    let status = command.status()?;
    if !status.success() {
        return Err(format!("{command:?}: {status}").into());
    }
    let after = taken(UsageWho::RUSAGE_CHILDREN)?;
    Ok(Usage {
        cpu_seconds: after.cpu_seconds - before.cpu_seconds,
        wall_seconds: start.elapsed().as_secs_f64(),
        peak_mib: after.peak_mib,
    })
}

/// What a process has taken so far.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    pub cpu_seconds: f64,
    pub peak_mib: f64,
}

/// What this process has taken so far.
pub fn so_far() -> Result<Taken, Box<dyn Error>> {
    taken(UsageWho::RUSAGE_SELF)
}

fn taken(who: UsageWho) -> Result<Taken, Box<dyn Error>> {
    let usage = getrusage(who)?;
    let times = [usage.user_time(), usage.system_time()];
    let seconds = times.map(|time| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6);
    Ok(Taken {
        cpu_seconds: seconds.iter().sum(),
        // Linux counts in KiB.
        peak_mib: usage.max_rss() as f64 / 1024.0,
    })
}

/// Runs a program whose output does not matter; prints what it took.
pub fn print(program: &str, arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::null());
    println!("{}", serde_json::to_string(&of(&mut command)?)?);
    Ok(())
}

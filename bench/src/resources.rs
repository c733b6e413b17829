//! Measures the resources of a program, as the kernel counts them.

use std::{
    error::Error,
    process::{Command, Stdio},
    time::Instant,
};

use nix::sys::resource::{UsageWho, getrusage};
use serde::{Deserialize, Serialize};

/// The resources of a program and its children.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Usage {
    /// User and system time.
    pub cpu_seconds: f64,
    pub wall_seconds: f64,
    /// The largest peak memory of one process.
    pub peak_mib: f64,
}

/// Runs a program to its end. The memory is correct only if this process has not run another program before.
pub fn measure_command(command: &mut Command) -> Result<Usage, Box<dyn Error>> {
    let (before, start) = (rusage(UsageWho::RUSAGE_CHILDREN)?, Instant::now());
    let status = command.status()?;
    if !status.success() {
        return Err(format!("{command:?}: {status}").into());
    }
    let after = rusage(UsageWho::RUSAGE_CHILDREN)?;
    Ok(Usage {
        cpu_seconds: after.cpu_seconds - before.cpu_seconds,
        wall_seconds: start.elapsed().as_secs_f64(),
        peak_mib: after.peak_mib,
    })
}

/// The resources of a process up to now.
#[derive(Clone, Copy, Debug)]
pub struct ProcessUsage {
    pub cpu_seconds: f64,
    pub peak_mib: f64,
}

/// Returns the resources of this process up to now.
pub fn current() -> Result<ProcessUsage, Box<dyn Error>> {
    rusage(UsageWho::RUSAGE_SELF)
}

fn rusage(who: UsageWho) -> Result<ProcessUsage, Box<dyn Error>> {
    let usage = getrusage(who)?;
    let times = [usage.user_time(), usage.system_time()];
    let seconds = times.map(|time| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6);
    Ok(ProcessUsage {
        cpu_seconds: seconds.iter().sum(),
        // Linux reports KiB.
        peak_mib: usage.max_rss() as f64 / 1024.0,
    })
}

/// Runs a program, discards its output, and prints the resources.
pub fn print(program: &str, arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::null());
    println!(
        "{}",
        serde_json::to_string(&measure_command(&mut command)?)?
    );
    Ok(())
}

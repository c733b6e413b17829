//! Questions on a terminal.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::{failure::Failure, interrupt::Interrupt};

/// Whether somebody is there to answer.
pub(crate) fn somebody_is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks on stderr; only `y` and `yes` are yes.
pub(crate) async fn yes(question: &str, interrupt: &Interrupt) -> Result<bool, Failure> {
    let mut err = io::stderr().lock();
    write!(err, "{question} [y/N] ")?;
    err.flush()?;
    drop(err);
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).map(|_| answer)
    });
    let answer = tokio::select! {
        biased;
        () = interrupt.times(1) => {
            eprintln!();
            return Err(Failure::Interrupted("nothing was changed".to_owned()));
        }
        answer = answer => answer.map_err(io::Error::other)??,
    };
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

//! Confirmation prompts on a terminal.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::{
    failure::{Exit, Failure},
    interrupt::Interrupt,
    messages,
};

/// Whether a prompt can be shown and answered.
pub(crate) fn is_interactive() -> bool {
    !messages::are_captured() && io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Shows `question` on stderr and reads the answer; only `y` and `yes` confirm. If the answer is another one, or Ctrl-C,
/// the command fails, and `unchanged` says what was not done.
pub(crate) async fn require(
    question: &str,
    unchanged: &str,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    let answer = read_answer(&format!("{question} [y/N] "), unchanged, interrupt).await?;
    if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    eprintln!("{unchanged}");
    Err(Failure::AlreadyReported(Exit::Failed))
}

/// Shows `question` on stderr and reads the line of the answer. If input ends, or on Ctrl-C, the command fails, and
/// `unchanged` says what was not done.
pub(crate) async fn ask(
    question: &str,
    unchanged: &str,
    interrupt: &Interrupt,
) -> Result<String, Failure> {
    let answer = read_answer(question, unchanged, interrupt).await?;
    if answer.is_empty() {
        eprintln!();
        return Err(Failure::Usage(format!("there is no answer; {unchanged}")));
    }
    Ok(answer)
}

/// The line that answers a question, with its end; nothing if input ends.
async fn read_answer(
    question: &str,
    unchanged: &str,
    interrupt: &Interrupt,
) -> Result<String, Failure> {
    let mut err = io::stderr().lock();
    write!(err, "{question}")?;
    err.flush()?;
    drop(err);
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).map(|_| answer)
    });
    tokio::select! {
        biased;
        () = interrupt.signalled(1) => {
            eprintln!();
            Err(Failure::Interrupted(unchanged.to_owned()))
        }
        answer = answer => Ok(answer.map_err(io::Error::other)??),
    }
}

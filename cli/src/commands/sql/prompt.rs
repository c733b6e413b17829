//! The SQL prompt: statements over several lines, with a history.

use std::{fs, path::PathBuf, sync::Arc};

use datafusion::sql::sqlparser::{
    dialect::GenericDialect,
    tokenizer::{Token, Tokenizer, TokenizerError},
};
use etcetera::BaseStrategy;
use rustyline::{
    Editor, Helper,
    completion::Completer,
    error::ReadlineError,
    highlight::Highlighter,
    hint::Hinter,
    history::FileHistory,
    validate::{ValidationContext, ValidationResult, Validator},
};
use tokio::sync::Mutex;

use super::statement::Session;
use crate::{failure::Failure, interrupt::Interrupt, output::Output};

const WELCOME: &str = "\
Statements end with `;`. `SHOW TABLES;` lists the tables, `quit` ends the prompt.";

/// Reads and runs statements until the end of the input. A statement that fails does not end the prompt.
pub(super) async fn run(
    session: &Session,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let mut editor: Editor<StatementHelper, FileHistory> = Editor::new().map_err(prompt_failure)?;
    editor.set_helper(Some(StatementHelper));
    let history = history_file();
    if let Some(path) = &history {
        // The prompt works without a history.
        let _ = editor.load_history(path);
    }
    eprintln!("{WELCOME}");
    let editor = Arc::new(Mutex::new(editor));
    loop {
        let line = {
            let editor = Arc::clone(&editor);
            let already = interrupt.count();
            let line =
                tokio::task::spawn_blocking(move || editor.blocking_lock().readline("sql> "));
            tokio::select! {
                line = line => line.map_err(std::io::Error::other)?,
                // The editor handles Ctrl-C of the terminal, so this signal was sent otherwise.
                () = interrupt.signalled(already + 1) => {
                    return Err(Failure::Interrupted(String::new()));
                }
            }
        };
        let text = match line {
            Ok(text) => text,
            // Ctrl-C drops the line, as in shells.
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(prompt_failure(error)),
        };
        let statement = text.trim();
        if statement.is_empty() {
            continue;
        }
        if is_quit(statement) {
            break;
        }
        {
            let mut editor = editor.lock().await;
            editor
                .add_history_entry(statement)
                .map_err(prompt_failure)?;
            if let Some(path) = &history {
                let _ = editor.append_history(path);
            }
        }
        match session.run_all(statement, interrupt, out).await {
            Err(failure @ Failure::Io(_)) => return Err(failure),
            Err(failure) => failure.report(),
            Ok(()) => {}
        }
    }
    Ok(())
}

fn prompt_failure(error: ReadlineError) -> Failure {
    Failure::Other(format!("the prompt failed: {error}"))
}

fn is_quit(text: &str) -> bool {
    let word = text.trim_end_matches(';').trim().to_lowercase();
    matches!(word.as_str(), "quit" | "exit" | "\\q")
}

/// The file of the history, in the platform's folder for state.
fn history_file() -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    let folder = base.state_dir().unwrap_or_else(|| base.data_dir());
    let folder = folder.join("org-invitations");
    fs::create_dir_all(&folder).ok()?;
    Some(folder.join("sql_history"))
}

/// Tells the editor when a statement is complete.
struct StatementHelper;

impl Helper for StatementHelper {}
impl Highlighter for StatementHelper {}

impl Completer for StatementHelper {
    type Candidate = String;
}

impl Hinter for StatementHelper {
    type Hint = String;
}

impl Validator for StatementHelper {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match is_complete(context.input()) {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}

/// Whether a statement ends with a `;` outside of quotes and comments.
fn is_complete(text: &str) -> bool {
    let text = text.trim();
    if text.is_empty() || is_quit(text) {
        return true;
    }
    match Tokenizer::new(&GenericDialect {}, text).tokenize() {
        Ok(tokens) => {
            let mut words = tokens.iter().rev();
            let last = words.find(|token| !matches!(token, Token::Whitespace(_)));
            matches!(last, Some(Token::SemiColon))
        }
        // An unterminated string or comment may end on the next line.
        Err(TokenizerError { message, .. }) => {
            let message = message.to_lowercase();
            !message.contains("unterminated") && !message.contains("eof")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_semicolon_outside_of_quotes_completes_a_statement() {
        for whole in [
            "",
            "  ",
            "quit",
            "EXIT;",
            "SELECT 1;",
            "SELECT ';';  ",
            "SELECT 1; -- done",
        ] {
            assert!(is_complete(whole), "{whole:?}");
        }
        for begun in [
            "SELECT 1",
            "SELECT ';",
            "SELECT 1 -- done;",
            "SELECT 1 /* ;",
            "SELECT \";",
        ] {
            assert!(!is_complete(begun), "{begun:?}");
        }
    }
}

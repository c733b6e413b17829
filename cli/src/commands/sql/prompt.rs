//! The prompt: statements over several lines, with a history.

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
Statements end with `;`. `SHOW TABLES;` shows what there is, `quit` ends.";

/// Reads and carries out statements until the end of the input. One that fails ends nothing.
pub(super) async fn run(
    session: &Session,
    interrupt: &Interrupt,
    out: &mut Output,
) -> Result<(), Failure> {
    let mut editor: Editor<Statements, FileHistory> = Editor::new().map_err(broken)?;
    editor.set_helper(Some(Statements));
    let history = history_file();
    if let Some(path) = &history {
        // There is none yet, or it cannot be read: the prompt works without.
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
                // The terminal gives Ctrl-C to the editor, so this came from elsewhere.
                () = interrupt.signalled(already + 1) => {
                    return Err(Failure::Interrupted(String::new()));
                }
            }
        };
        let text = match line {
            Ok(text) => text,
            // The line is dropped, as shells do.
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(broken(error)),
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
            editor.add_history_entry(statement).map_err(broken)?;
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

fn broken(error: ReadlineError) -> Failure {
    Failure::Other(format!("the prompt failed: {error}"))
}

fn is_quit(text: &str) -> bool {
    let word = text.trim_end_matches(';').trim().to_lowercase();
    matches!(word.as_str(), "quit" | "exit" | "\\q")
}

/// Where statements are remembered: beside the state of other programs, for its owner only.
fn history_file() -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    let folder = base.state_dir().unwrap_or_else(|| base.data_dir());
    let folder = folder.join("org-invitations");
    fs::create_dir_all(&folder).ok()?;
    Some(folder.join("sql_history"))
}

/// Knows when a statement is whole.
struct Statements;

impl Helper for Statements {}
impl Highlighter for Statements {}

impl Completer for Statements {
    type Candidate = String;
}

impl Hinter for Statements {
    type Hint = String;
}

impl Validator for Statements {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match is_whole(context.input()) {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}

/// Whether it ends with a `;` that is not inside of quotes or a comment.
fn is_whole(text: &str) -> bool {
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
        // A text or a comment without an end may have one on the next line.
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
    fn a_statement_is_whole_at_a_semicolon_that_is_no_part_of_a_text() {
        for whole in [
            "",
            "  ",
            "quit",
            "EXIT;",
            "SELECT 1;",
            "SELECT ';';  ",
            "SELECT 1; -- done",
        ] {
            assert!(is_whole(whole), "{whole:?}");
        }
        for begun in [
            "SELECT 1",
            "SELECT ';",
            "SELECT 1 -- done;",
            "SELECT 1 /* ;",
            "SELECT \";",
        ] {
            assert!(!is_whole(begun), "{begun:?}");
        }
    }
}

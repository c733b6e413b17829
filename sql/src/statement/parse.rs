//! Parses a text: splits it into statements, recognises `DRY RUN`, and limits the depth of expressions.

use std::thread;

use datafusion::{
    common::{exec_err, plan_err},
    error::{DataFusionError, Result},
    sql::{
        parser::{CopyToSource, DFParserBuilder, Statement as EngineStatement},
        sqlparser::{
            ast::Statement as SqlStatement,
            dialect::GenericDialect,
            keywords::Keyword,
            parser::ParserError,
            tokenizer::{Token, TokenWithSpan, Tokenizer},
        },
    },
};

use super::{Erased, Inner, Statement, clauses, predicates, rewrite, to_result};
use crate::discovery;

/// A tree has at most one level for each operator, so that this many fit on the stack.
const MAX_OPERATORS: usize = 100_000;
const STACK_BYTES: usize = 256 * 1024 * 1024;

/// Parses statements with `;` between them, and checks them. `DRY RUN` at the end of an `INSERT` or `DELETE` makes it list
/// the rows that it would write, and write none.
///
/// # Errors
///
/// For a syntax error anywhere in the text, and for a statement that is refused; the README lists which.
///
/// ```
/// use org_invitations_sql::parse;
///
/// let text = "SELECT 1; DELETE FROM invitations WHERE status = 'expired' DRY RUN";
/// let statements = parse(text)?;
/// assert!(!statements[0].is_dry_run() && statements[1].is_dry_run());
/// # Ok::<(), datafusion::error::DataFusionError>(())
/// ```
pub fn parse(text: &str) -> Result<Vec<Statement>> {
    let text = text.to_owned();
    // A long chain of operators is a deep tree until it is balanced or refused.
    let parser = thread::Builder::new().stack_size(STACK_BYTES);
    let parsed = parser
        .spawn(move || parse_text(&text))
        .map_err(DataFusionError::IoError)?
        .join();
    match parsed {
        Ok(parsed) => parsed,
        Err(_) => exec_err!("the parser failed"),
    }
}

fn parse_text(text: &str) -> Result<Vec<Statement>> {
    let tokens = Tokenizer::new(&GenericDialect {}, text)
        .tokenize_with_location()
        .map_err(ParserError::from)?;
    let operators = tokens.iter().filter(|token| is_operator(&token.token));
    let operators = operators.count();
    if operators > MAX_OPERATORS {
        return plan_err!("the text has {operators} operators, and the limit is {MAX_OPERATORS}");
    }
    tokens
        .split(|token| token.token == Token::SemiColon)
        .filter(|tokens| tokens.iter().any(is_significant))
        .map(parse_one)
        .collect()
}

/// Whether a token can make a tree deeper.
fn is_operator(token: &Token) -> bool {
    match token {
        Token::Word(word) => word.keyword != Keyword::NoKeyword,
        Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::Comma
        | Token::RParen
        | Token::Whitespace(_) => false,
        _ => true,
    }
}

fn is_significant(token: &TokenWithSpan) -> bool {
    !matches!(token.token, Token::Whitespace(_) | Token::EOF)
}

fn parse_one(tokens: &[TokenWithSpan]) -> Result<Statement> {
    if let Some(listing) = discovery::parse(tokens)? {
        let inner = Inner::Discovery(listing);
        let dry_run = false;
        return Ok(Statement { inner, dry_run });
    }
    let (tokens, dry_run) = match without_dry_run(tokens) {
        Some(rest) => (rest, true),
        None => (tokens, false),
    };
    let mut statements = DFParserBuilder::new(tokens.to_vec())
        .build()?
        .parse_statements()?;
    let (Some(inner), None) = (statements.pop_front(), statements.pop_front()) else {
        return plan_err!("expected one statement between two `;`");
    };
    prepare(inner, dry_run)
}

/// Returns the tokens before `DRY RUN` at the end.
fn without_dry_run(tokens: &[TokenWithSpan]) -> Option<&[TokenWithSpan]> {
    let mut words = tokens.iter().enumerate().rev();
    let mut word = |expected: &str| {
        let (index, token) = words.find(|(_, token)| is_significant(token))?;
        match &token.token {
            Token::Word(word) if word.quote_style.is_none() => {
                let is_expected = word.value.eq_ignore_ascii_case(expected);
                is_expected.then_some(index)
            }
            _ => None,
        }
    };
    word("RUN")?;
    let index = word("DRY")?;
    Some(&tokens[..index])
}

/// Rewrites and checks a statement.
pub(super) fn prepare(mut statement: EngineStatement, dry_run: bool) -> Result<Statement> {
    if dry_run && !is_insert_or_delete(&statement) {
        return plan_err!(
            "DRY RUN is for INSERT and DELETE; EXPLAIN shows the requests of other statements"
        );
    }
    prepare_engine_statement(&mut statement)?;
    let inner = Inner::Engine(Erased::new(statement));
    Ok(Statement { inner, dry_run })
}

fn is_insert_or_delete(statement: &EngineStatement) -> bool {
    let EngineStatement::Statement(statement) = statement else {
        return false;
    };
    matches!(
        **statement,
        SqlStatement::Insert(_) | SqlStatement::Delete(_)
    )
}

fn prepare_engine_statement(statement: &mut EngineStatement) -> Result<()> {
    match statement {
        EngineStatement::Statement(statement) => {
            rewrite::statement(statement)?;
            to_result(clauses::check(&**statement))?;
            to_result(predicates::check(&**statement))
        }
        EngineStatement::Explain(explain) => {
            if explain.options.analyze && is_insert_or_delete(&explain.statement) {
                return plan_err!(
                    "EXPLAIN ANALYZE carries the statement out; use EXPLAIN, or put DRY RUN at \
                     the end of the statement"
                );
            }
            prepare_engine_statement(&mut explain.statement)
        }
        EngineStatement::CopyTo(copy) => match &mut copy.source {
            CopyToSource::Query(query) => {
                rewrite::query(query)?;
                to_result(clauses::check(&**query))?;
                to_result(predicates::check(&**query))
            }
            CopyToSource::Relation(_) => Ok(()),
        },
        EngineStatement::CreateExternalTable(_) | EngineStatement::Reset(_) => Ok(()),
    }
}

//! Parses the statements, which the engine's parser does not know.

use datafusion::{
    common::{TableReference, plan_err},
    error::Result,
    sql::sqlparser::tokenizer::{Token, TokenWithSpan},
};

use super::{Discovery, What};

/// Parses a statement that lists what there is; `None` for any other one.
///
/// # Errors
///
/// For such a statement with something else in it.
pub(crate) fn parse(tokens: &[TokenWithSpan]) -> Result<Option<Discovery>> {
    let tokens = tokens.iter().map(|token| &token.token);
    let tokens = tokens.filter(|token| !matches!(token, Token::Whitespace(_) | Token::EOF));
    let mut rest = Tokens(tokens.collect());
    let what = if rest.take_word("DESCRIBE") || rest.take_word("DESC") {
        if !rest.take_word("EXTENDED") {
            return Ok(None);
        }
        What::Columns(rest.table("DESCRIBE EXTENDED confluent.iam.invitations")?)
    } else if rest.take_word("SHOW") {
        rest.take_word("EXTENDED");
        match () {
            () if rest.take_word("PROVIDERS") => What::Providers,
            () if rest.take_word("SERVICES") => {
                let [provider] = rest.parts("SHOW SERVICES IN confluent")?;
                What::Services(provider)
            }
            () if rest.take_word("RESOURCES") => {
                let [provider, service] = rest.parts("SHOW RESOURCES IN confluent.iam")?;
                What::Resources(provider, service)
            }
            () if rest.take_word("METHODS") => {
                let example = "SHOW METHODS IN confluent.iam.invitations";
                if !rest.take_in() {
                    return plan_err!("SHOW METHODS needs a table: {example}");
                }
                What::Methods(rest.table(example)?)
            }
            () => return Ok(None),
        }
    } else {
        return Ok(None);
    };
    let like = rest.like()?;
    match rest.0.first() {
        None => Ok(Some(Discovery { what, like })),
        Some(token) => plan_err!("expected the end of the statement, found: {token}"),
    }
}

/// The tokens that are left.
struct Tokens<'a>(Vec<&'a Token>);

impl Tokens<'_> {
    fn take_word(&mut self, expected: &str) -> bool {
        let is_next = match self.0.first() {
            Some(Token::Word(word)) => {
                word.quote_style.is_none() && word.value.eq_ignore_ascii_case(expected)
            }
            _ => false,
        };
        if is_next {
            self.0.remove(0);
        }
        is_next
    }

    fn take_in(&mut self) -> bool {
        self.take_word("IN") || self.take_word("FROM")
    }

    /// Parses `IN` and up to `N` parts of a name, if there is an `IN`.
    fn parts<const N: usize>(&mut self, example: &str) -> Result<[Option<String>; N]> {
        let mut parts = [const { None }; N];
        if self.take_in() {
            let found = self.name(example)?;
            if found.len() > N {
                return plan_err!("the name has more than {N} parts: {example}");
            }
            for (part, found) in parts.iter_mut().zip(found) {
                *part = Some(found);
            }
        }
        Ok(parts)
    }

    /// Parses the name of a table, or of a file.
    fn table(&mut self, example: &str) -> Result<TableReference> {
        if let Some(Token::SingleQuotedString(file)) = self.0.first() {
            let file = TableReference::bare(file.as_str());
            self.0.remove(0);
            return Ok(file);
        }
        match self.name(example)?.as_slice() {
            [table] => Ok(TableReference::bare(table.as_str())),
            [schema, table] => Ok(TableReference::partial(schema.as_str(), table.as_str())),
            [catalog, schema, table] => Ok(TableReference::full(
                catalog.as_str(),
                schema.as_str(),
                table.as_str(),
            )),
            parts => plan_err!(
                "the name has {} parts, and three at most: {example}",
                parts.len()
            ),
        }
    }

    /// Parses the parts of a name, of which those without quotes are lower case.
    fn name(&mut self, example: &str) -> Result<Vec<String>> {
        let mut parts = Vec::new();
        loop {
            let Some(Token::Word(word)) = self.0.first() else {
                return plan_err!("expected a name, as in {example}");
            };
            parts.push(match word.quote_style {
                Some(_) => word.value.clone(),
                None => word.value.to_lowercase(),
            });
            self.0.remove(0);
            match self.0.first() {
                Some(Token::Period) => drop(self.0.remove(0)),
                _ => return Ok(parts),
            }
        }
    }

    fn like(&mut self) -> Result<Option<String>> {
        if !self.take_word("LIKE") {
            return Ok(None);
        }
        match self.0.first() {
            Some(Token::SingleQuotedString(pattern)) => {
                let pattern = pattern.clone();
                self.0.remove(0);
                Ok(Some(pattern))
            }
            _ => plan_err!("expected a pattern, as in LIKE 'inv%'"),
        }
    }
}

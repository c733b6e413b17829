//! Keeping secrets out of the ledger.

use std::borrow::Cow;
use std::collections::HashSet;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::auth;

/// What stands in the place of a secret.
const HIDDEN: &str = "(hidden)";
/// A shorter secret is not looked for, since it may be part of ordinary text.
const MIN_MATCH: usize = 8;

/// Fields of forms, queries and JSON that hold secrets.
const SECRET_FIELDS: [&str; 9] = [
    "access_token",
    "actor_token",
    "api_secret",
    "client_assertion",
    "client_secret",
    "id_token",
    "password",
    "refresh_token",
    "subject_token",
];
/// Parts of the names of headers that hold secrets.
const SECRET_HEADERS: [&str; 6] = ["api-key", "apikey", "cookie", "password", "secret", "token"];

/// Removes secrets from what clients send and get.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redactor {
    secrets: HashSet<String>,
}

impl Redactor {
    /// Hides a secret from now on.
    pub(crate) fn hide(&mut self, secret: &str) {
        if secret.len() >= MIN_MATCH {
            self.secrets.insert(secret.to_owned());
        }
    }

    /// The text without known secrets, and without anything in the shape of a JWT.
    pub(crate) fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut clean = Cow::Borrowed(text);
        for secret in &self.secrets {
            if clean.contains(secret.as_str()) {
                clean = Cow::Owned(clean.replace(secret.as_str(), HIDDEN));
            }
        }
        while let Some((start, end)) = find_jwt(&clean) {
            clean.to_mut().replace_range(start..end, HIDDEN);
        }
        clean
    }

    /// A path with its query.
    pub(crate) fn target(&self, target: &str) -> String {
        match target.split_once('?') {
            None => self.text(target).into_owned(),
            Some((path, query)) => format!("{}?{}", self.text(path), self.form(query)),
        }
    }

    /// A form, or a query, which has the same syntax.
    pub(crate) fn form(&self, form: &str) -> String {
        let fields = form.split('&').map(|field| match field.split_once('=') {
            Some((name, _)) if is_secret_field(name) => Cow::Owned(format!("{name}={HIDDEN}")),
            _ => self.text(field),
        });
        fields.collect::<Vec<_>>().join("&")
    }

    /// A body. JSON and forms lose the values of secret fields too.
    pub(crate) fn body(&self, body: &str) -> String {
        if let Ok(mut json) = serde_json::from_str::<serde_json::Value>(body)
            && hide_fields(&mut json)
        {
            return self.text(&json.to_string()).into_owned();
        }
        let is_form = body.contains('=') && !body.contains(['{', '<', '\n']);
        if is_form {
            self.form(body)
        } else {
            self.text(body).into_owned()
        }
    }

    /// The value of a header. Of credentials the scheme is kept.
    pub(crate) fn header(&self, name: &HeaderName, value: &HeaderValue) -> String {
        self.text(&header_value(name, value)).into_owned()
    }

    /// Headers, one per line: name, colon, value.
    pub(crate) fn header_lines(&self, headers: &HeaderMap) -> String {
        let mut lines = String::with_capacity(256);
        for (name, value) in headers {
            lines.push_str(name.as_str());
            lines.push(':');
            // A header has no line breaks.
            lines.push_str(&header_value(name, value));
            lines.push('\n');
        }
        match self.text(&lines) {
            Cow::Borrowed(_) => lines,
            Cow::Owned(clean) => clean,
        }
    }
}

/// The value of a header, without what its name or form says is a secret.
fn header_value<'a>(name: &HeaderName, value: &'a HeaderValue) -> Cow<'a, str> {
    if name == header::AUTHORIZATION || name == header::PROXY_AUTHORIZATION {
        return auth::scheme(value).into();
    }
    if SECRET_HEADERS
        .iter()
        .any(|part| name.as_str().contains(part))
    {
        return HIDDEN.into();
    }
    let value = String::from_utf8_lossy(value.as_bytes());
    match value.trim().split_once(' ') {
        Some((scheme, _)) if is_auth_scheme(scheme) => scheme.to_owned().into(),
        _ => value,
    }
}

fn is_auth_scheme(word: &str) -> bool {
    word.eq_ignore_ascii_case("basic") || word.eq_ignore_ascii_case("bearer")
}

fn is_secret_field(name: &str) -> bool {
    SECRET_FIELDS.iter().any(|it| it.eq_ignore_ascii_case(name))
}

/// Hides the values of secret fields, and returns whether there were any.
fn hide_fields(json: &mut serde_json::Value) -> bool {
    use serde_json::Value;
    let mut found = false;
    match json {
        Value::Object(object) => {
            for (name, value) in object {
                if is_secret_field(name) {
                    *value = HIDDEN.into();
                    found = true;
                } else {
                    found |= hide_fields(value);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                found |= hide_fields(item);
            }
        }
        _ => {}
    }
    found
}

/// Where something in the shape of a JWT stands: three parts in URL-safe base64, of which the first is an object.
fn find_jwt(text: &str) -> Option<(usize, usize)> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    text.match_indices("eyJ").find_map(|(start, _)| {
        let rest = text.get(start..)?;
        let length = rest
            .find(|letter| !is_part(letter) && letter != '.')
            .unwrap_or(rest.len());
        let token = rest.get(..length)?;
        (token.matches('.').count() >= 2).then_some((start, start + length))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor() -> Redactor {
        let mut redactor = Redactor::default();
        redactor.hide("0123456789abcdef");
        redactor.hide("s1");
        redactor
    }

    #[test]
    fn known_secrets_and_tokens_are_hidden_anywhere() {
        let redactor = redactor();
        let text = redactor.text("a 0123456789abcdef b eyJhbGciOiJI.eyJzdWIi.c2ln-_ c s1");
        assert_eq!(text, "a (hidden) b (hidden) c s1");
        assert_eq!(redactor.text("eyJ.x"), "eyJ.x", "not a token");
        let target = redactor.target("/p/0123456789abcdef?email=a%40b&Password=x&page_token=MTA");
        assert_eq!(
            target,
            "/p/(hidden)?email=a%40b&Password=(hidden)&page_token=MTA"
        );
    }

    #[test]
    fn secret_fields_of_bodies_are_hidden() {
        let redactor = redactor();
        let form = "grant_type=x&subject_token=a-jwt&identity_pool_id=pool-1";
        assert_eq!(
            redactor.body(form),
            "grant_type=x&subject_token=(hidden)&identity_pool_id=pool-1"
        );
        let json = r#"{"access_token":"short","list":[{"client_secret":"x"}],"expires_in":9}"#;
        let hidden = redactor.body(json);
        assert!(
            !hidden.contains("short") && !hidden.contains("\"x\""),
            "{hidden}"
        );
        assert!(hidden.contains("\"expires_in\":9"), "{hidden}");
        let plain = "{ \"email\":  \"ada@example.com\" }";
        assert_eq!(redactor.body(plain), plain, "as it was sent");
    }

    #[test]
    fn of_credentials_in_headers_the_scheme_is_kept() {
        let redactor = redactor();
        let header = |name: &'static str, value: &'static str| {
            let name = HeaderName::from_static(name);
            redactor.header(&name, &HeaderValue::from_static(value))
        };
        assert_eq!(header("authorization", "Basic abc"), "Basic");
        assert_eq!(header("x-forwarded-auth", "Bearer abc"), "Bearer");
        assert_eq!(header("x-api-key", "abc"), "(hidden)");
        assert_eq!(header("cookie", "session=abc"), "(hidden)");
        assert_eq!(header("x-note", "0123456789abcdef"), "(hidden)");
        assert_eq!(header("user-agent", "basic-client/1"), "basic-client/1");
    }
}

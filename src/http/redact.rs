//! Removes secrets that were sent from text that was received: some servers echo requests.

use std::{
    borrow::Cow,
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use secrecy::{ExposeSecret, SecretString};

/// How many secrets are remembered. The secrets of calls in flight are among the latest.
const MAX_SECRETS: usize = 8;

/// A match of this many leading bytes of a secret is redacted: some servers truncate what they echo.
const MIN_MATCH: usize = 16;

const REDACTED: &[u8] = b"[REDACTED]";

/// The latest secrets that a client sent.
#[derive(Default)]
pub(crate) struct Redactor(Mutex<VecDeque<SecretString>>);

impl Redactor {
    /// Redacts this secret from now on.
    pub fn register_secret(&self, secret: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if secret.is_empty() || known.iter().any(|it| it.expose_secret() == secret) {
            return;
        }
        known.truncate(MAX_SECRETS - 1);
        known.push_front(secret.into());
    }

    /// The text without any registered secret: neither whole, nor truncated, nor a part of a JWT, nor any of
    /// these in the escapes of URLs, JSON and HTML. Borrowed if nothing was redacted.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let known = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let known: Vec<&[u8]> = known
            .iter()
            .flat_map(|it| patterns(it.expose_secret()))
            .collect();
        // Most bytes begin no secret.
        let mut begins = [false; 256];
        let firsts = known.iter().filter_map(|secret| secret.first());
        for first in firsts.chain(b"%\\&+") {
            begins[usize::from(*first)] = true;
        }
        let matched = |rest: &[u8]| {
            let first = rest.first().copied().unwrap_or_default();
            let secrets = known.iter().filter(|_| begins[usize::from(first)]);
            secrets.map(|secret| match_length(rest, secret)).max()
        };
        let text_bytes = text.as_bytes();
        let mut clean = Vec::new();
        // Everything before `copied` is in `clean`, redacted; the rest up to `at` has no secret.
        let (mut copied, mut at) = (0, 0);
        while at < text_bytes.len() {
            match matched(&text_bytes[at..]) {
                Some(length @ 1..) => {
                    clean.extend_from_slice(&text_bytes[copied..at]);
                    clean.extend_from_slice(REDACTED);
                    at += length;
                    copied = at;
                }
                _ => at += 1,
            }
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        clean.extend_from_slice(&text_bytes[copied..]);
        Cow::Owned(
            String::from_utf8(clean)
                .unwrap_or_else(|odd| String::from_utf8_lossy(odd.as_bytes()).into_owned()),
        )
    }
}

/// The patterns of a secret: the whole of it, and the parts of a JWT.
fn patterns(secret: &str) -> impl Iterator<Item = &[u8]> {
    let parts = secret.split('.').filter(|part| part.len() >= MIN_MATCH);
    std::iter::once(secret).chain(parts).map(str::as_bytes)
}

/// How many leading bytes of `text` match `secret`, or enough of its beginning; 0 for too short a match.
fn match_length(text: &[u8], secret: &[u8]) -> usize {
    let (mut length, mut matched) = (0, 0);
    for byte in secret {
        let Some(more) = encoded_length(&text[length..], *byte) else {
            break;
        };
        length += more;
        matched += 1;
    }
    if matched >= secret.len().min(MIN_MATCH) {
        length
    } else {
        0
    }
}

/// How many leading bytes of `text` encode `byte`: literally, or as an escape of URLs, JSON or HTML.
fn encoded_length(text: &[u8], byte: u8) -> Option<usize> {
    let is = |digits: &[u8], radix| {
        let digits = std::str::from_utf8(digits).ok();
        digits.and_then(|digits| u32::from_str_radix(digits, radix).ok()) == Some(byte.into())
    };
    match text {
        [b'%', a, b, ..] if is(&[*a, *b], 16) => Some(3),
        [b'\\', b'u', a, b, c, d, ..] if is(&[*a, *b, *c, *d], 16) => Some(6),
        [b'\\', escaped, ..] if *escaped == byte && !byte.is_ascii_alphanumeric() => Some(2),
        [b'&', b'#', entity @ ..] => {
            let end = entity.iter().take(8).position(|byte| *byte == b';')?;
            let same = match &entity[..end] {
                [b'x' | b'X', digits @ ..] => is(digits, 16),
                digits => is(digits, 10),
            };
            same.then_some(end + 3)
        }
        [b'+', ..] if byte == b' ' => Some(1),
        [first, ..] if *first == byte => Some(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm4ubGVlIn0.c2lnbmF0dXJlLW9mLWl0";

    fn redact(secret: &str, text: &str) -> String {
        let redactor = Redactor::default();
        redactor.register_secret(secret);
        redactor.redact(text).into_owned()
    }

    #[test]
    fn a_secret_is_redacted_in_every_encoding() {
        let secret = "p+q/r=s t\"u&v";
        for repeated in [
            "p+q/r=s t\"u&v",
            "p%2Bq%2fr%3Ds+t%22u%26v",
            "p%2bq/r=s%20t%22u&v",
            "p+q\\/r\\u003ds t\\\"u\\u0026v",
            "p&#43;q&#x2F;r&#61;s t&#34;u&#38;v",
        ] {
            let text = format!("<b>{repeated}</b> is wrong");
            assert_eq!(redact(secret, &text), "<b>[REDACTED]</b> is wrong");
        }
    }

    #[test]
    fn a_jwt_is_redacted_whole_in_parts_and_truncated() {
        let parts: Vec<_> = JWT.split('.').collect();
        assert_eq!(redact(JWT, &format!("a {JWT} b")), "a [REDACTED] b");
        for part in &parts {
            assert_eq!(redact(JWT, &format!("{{\"{part}\"}}")), "{\"[REDACTED]\"}");
        }
        let cut = format!("{}...", &JWT[..30]);
        assert_eq!(redact(JWT, &cut), "[REDACTED]...");
    }

    #[test]
    fn text_without_secrets_is_unchanged() {
        let text = "the token of ann, 50 % é \\u00 &#; &#x; + p";
        assert_eq!(redact(JWT, text), text);
        assert_eq!(redact("", text), text);
    }

    #[test]
    fn the_latest_secrets_are_redacted() {
        let redactor = Redactor::default();
        for number in 10..30 {
            redactor.register_secret(&format!("secret-{number}"));
            redactor.register_secret("the-same");
        }
        assert_eq!(
            redactor.redact("secret-29 the-same"),
            "[REDACTED] [REDACTED]"
        );
        assert_eq!(redactor.redact("secret-10"), "secret-10");
    }
}

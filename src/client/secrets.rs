//! Secrets that were sent, and texts without them: some servers repeat what they were sent.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use secrecy::{ExposeSecret, SecretString};

/// How many secrets are remembered. Those of calls that are under way are among the latest.
const REMEMBERED: usize = 8;

/// A secret is hidden where this many of its first bytes are repeated: some servers cut what they show.
const TELLING: usize = 16;

const REDACTED: &[u8] = b"[REDACTED]";

/// The latest secrets that were sent over a connection.
#[derive(Default)]
pub(crate) struct Secrets(Mutex<VecDeque<SecretString>>);

impl Secrets {
    /// Hides this from now on.
    pub fn remember(&self, secret: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if secret.is_empty() || known.iter().any(|it| it.expose_secret() == secret) {
            return;
        }
        known.truncate(REMEMBERED - 1);
        known.push_front(secret.into());
    }

    /// The text without any of them: whole, from their beginning on, the parts of a JWT, and all that
    /// also as URLs, JSON and HTML write it.
    pub fn redact(&self, text: &str) -> String {
        let known = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let known: Vec<&[u8]> = known
            .iter()
            .flat_map(|it| needles(it.expose_secret()))
            .collect();
        // Most bytes begin none of them.
        let mut begins = [false; 256];
        let firsts = known.iter().filter_map(|secret| secret.first());
        for first in firsts.chain(b"%\\&+") {
            begins[usize::from(*first)] = true;
        }
        let mut clean = Vec::with_capacity(text.len());
        let mut rest = text.as_bytes();
        while let [first, after @ ..] = rest {
            let secrets = known.iter().filter(|_| begins[usize::from(*first)]);
            let hidden = secrets.map(|secret| repeated(rest, secret)).max();
            rest = match hidden {
                Some(length @ 1..) => {
                    clean.extend_from_slice(REDACTED);
                    &rest[length..]
                }
                _ => {
                    clean.push(*first);
                    after
                }
            };
        }
        String::from_utf8(clean)
            .unwrap_or_else(|odd| String::from_utf8_lossy(odd.as_bytes()).into_owned())
    }
}

/// What is looked for: the secret, and the parts of a JWT, which say as much each.
fn needles(secret: &str) -> impl Iterator<Item = &[u8]> {
    let parts = secret.split('.').filter(|part| part.len() >= TELLING);
    std::iter::once(secret).chain(parts).map(str::as_bytes)
}

/// How many bytes at the beginning of `text` repeat `secret`, or enough of its beginning.
fn repeated(text: &[u8], secret: &[u8]) -> usize {
    let (mut length, mut matched) = (0, 0);
    for byte in secret {
        let Some(more) = written(&text[length..], *byte) else {
            break;
        };
        length += more;
        matched += 1;
    }
    if matched >= secret.len().min(TELLING) {
        length
    } else {
        0
    }
}

/// How many bytes at the beginning of `text` write this one: as it is, or as URLs, JSON and HTML do.
fn written(text: &[u8], byte: u8) -> Option<usize> {
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
        let secrets = Secrets::default();
        secrets.remember(secret);
        secrets.redact(text)
    }

    #[test]
    fn a_secret_is_hidden_however_it_is_written() {
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
    fn a_jwt_is_hidden_whole_in_parts_and_cut_off() {
        let parts: Vec<_> = JWT.split('.').collect();
        assert_eq!(redact(JWT, &format!("a {JWT} b")), "a [REDACTED] b");
        for part in &parts {
            assert_eq!(redact(JWT, &format!("{{\"{part}\"}}")), "{\"[REDACTED]\"}");
        }
        let cut = format!("{}...", &JWT[..30]);
        assert_eq!(redact(JWT, &cut), "[REDACTED]...");
    }

    #[test]
    fn what_is_no_secret_stays() {
        let text = "the token of ann, 50 % é \\u00 &#; &#x; + p";
        assert_eq!(redact(JWT, text), text);
        assert_eq!(redact("", text), text);
    }

    #[test]
    fn the_latest_secrets_are_hidden() {
        let secrets = Secrets::default();
        for number in 10..30 {
            secrets.remember(&format!("secret-{number}"));
            secrets.remember("the-same");
        }
        assert_eq!(
            secrets.redact("secret-29 the-same"),
            "[REDACTED] [REDACTED]"
        );
        assert_eq!(secrets.redact("secret-10"), "secret-10");
    }
}

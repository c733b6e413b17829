//! Removes the secrets of requests from the text of responses: some servers echo requests.

mod encoding;

use std::{
    borrow::Cow,
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};

use self::encoding::{MIN_MATCH, match_length};

/// The number of secrets kept. The latest ones include those of every call in flight.
const MAX_SECRETS: usize = 8;

/// The shortest base64 form that is redacted: shorter ones occur in any text.
const MIN_BASE64: usize = 8;

const REDACTED: &[u8] = b"[REDACTED]";

/// The latest secrets that a client sent.
#[derive(Default)]
pub(crate) struct Redactor(Mutex<VecDeque<Arc<Secret>>>);

/// A secret and its base64 forms.
struct Secret {
    text: SecretString,
    base64: Vec<SecretString>,
}

impl Secret {
    fn new(secret: &str) -> Self {
        let mut base64 = base64_forms(secret);
        // Some servers echo a header, which is base64 itself, in base64.
        let twice: Vec<_> = base64.iter().flat_map(|form| base64_forms(form)).collect();
        base64.extend(twice);
        Self {
            text: secret.into(),
            base64: base64.into_iter().map(SecretString::from).collect(),
        }
    }

    /// The byte patterns to redact: the whole secret, the parts of a JWT, and its base64 forms.
    fn patterns(&self) -> impl Iterator<Item = &[u8]> {
        let text = self.text.expose_secret();
        let parts = text.split('.').filter(|part| part.len() >= MIN_MATCH);
        let base64 = self.base64.iter().map(ExposeSecret::expose_secret);
        let all = std::iter::once(text).chain(parts).chain(base64);
        all.map(str::as_bytes)
    }
}

/// The characters that the base64 of any text with the secret contains, in both alphabets.
///
/// The secret starts at one of three offsets within a group of three bytes. Only the groups that it fills alone are
/// determined.
fn base64_forms(secret: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for (before, undetermined) in [(0, 0), (1, 2), (2, 3)] {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(secret.as_bytes());
        // The bytes after the secret determine the last character of a partial group.
        let determined = bytes.len() * 8 / 6;
        let encoded = BASE64_STANDARD.encode(&bytes);
        let Some(form) = encoded.get(undetermined..determined) else {
            continue;
        };
        if form.len() < MIN_BASE64 {
            continue;
        }
        let url_safe = form.replace('+', "-").replace('/', "_");
        if url_safe != form {
            forms.push(url_safe);
        }
        forms.push(form.to_owned());
    }
    forms
}

impl Redactor {
    /// Redacts `secret` from now on.
    pub fn register_secret(&self, secret: &str) {
        let mut secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_registered = |known: &Arc<Secret>| known.text.expose_secret() == secret;
        if secret.is_empty() || secrets.iter().any(is_registered) {
            return;
        }
        secrets.truncate(MAX_SECRETS - 1);
        secrets.push_front(Arc::new(Secret::new(secret)));
    }

    /// Replaces every registered secret in `text` by `[REDACTED]`; borrowed if there is none.
    ///
    /// A secret is also found truncated, as a part of a JWT, in base64 (also twice), escaped for URLs, JSON or HTML (also in
    /// several of these in turn), and broken into lines.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let secrets = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let patterns = secrets.iter().flat_map(|secret| secret.patterns());
        // Most bytes start no pattern, and an escape may start any.
        let mut starting: Vec<Vec<&[u8]>> = vec![Vec::new(); 256];
        for pattern in patterns {
            let escapes = b"%\\&+"
                .iter()
                .filter(|escape| Some(*escape) != pattern.first());
            for first in pattern.first().into_iter().chain(escapes) {
                starting[usize::from(*first)].push(pattern);
            }
        }
        let longest_match = |rest: &[u8]| {
            let first = rest.first().copied().unwrap_or_default();
            let candidates = starting[usize::from(first)].iter();
            candidates.map(|pattern| match_length(rest, pattern)).max()
        };
        let text_bytes = text.as_bytes();
        let mut clean = Vec::new();
        // `clean` has the redacted text before `copied`; the text from `copied` to `at` has no secret.
        let (mut copied, mut at) = (0, 0);
        while at < text_bytes.len() {
            match longest_match(&text_bytes[at..]) {
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
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
        )
    }
}

#[cfg(test)]
mod tests;

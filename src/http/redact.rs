//! Removes secrets that were sent from text that was received: some servers echo requests.

use std::{
    borrow::Cow,
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};

/// How many secrets are remembered. The secrets of calls in flight are among the latest.
const MAX_SECRETS: usize = 8;

/// A match of this many leading bytes of a secret is redacted: some servers truncate what they echo.
const MIN_MATCH: usize = 16;

/// Base64 of a secret is looked for from this length on: less is found in any text.
const MIN_BASE64: usize = 8;

/// How many encodings may be inside one another: a part of a URL in JSON in HTML.
const MAX_DEPTH: u8 = 3;

const REDACTED: &[u8] = b"[REDACTED]";

/// The latest secrets that a client sent.
#[derive(Default)]
pub(crate) struct Redactor(Mutex<VecDeque<Secret>>);

/// A secret, and what else of it is looked for.
#[derive(Clone)]
struct Secret {
    text: SecretString,
    base64: Vec<SecretString>,
}

impl Secret {
    fn new(secret: &str) -> Self {
        let base64 = base64_forms(secret).into_iter().map(SecretString::from);
        Self {
            text: secret.into(),
            base64: base64.collect(),
        }
    }

    /// The whole of it, the parts of a JWT, and its base64.
    fn patterns(&self) -> impl Iterator<Item = &[u8]> {
        let text = self.text.expose_secret();
        let parts = text.split('.').filter(|part| part.len() >= MIN_MATCH);
        let base64 = self.base64.iter().map(ExposeSecret::expose_secret);
        let all = std::iter::once(text).chain(parts).chain(base64);
        all.map(str::as_bytes)
    }
}

/// What the base64 of any text has in it that has the secret in it: the secret begins at one of three places in a
/// group of three bytes, and only the groups that are its own are known. In both alphabets.
fn base64_forms(secret: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for (before, unknown) in [(0, 0), (1, 2), (2, 3)] {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(secret.as_bytes());
        // What follows changes the last character of a group that is not full.
        let known = bytes.len() * 8 / 6;
        let encoded = BASE64_STANDARD.encode(&bytes);
        let Some(form) = encoded.get(unknown..known) else {
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
    /// Redacts this secret from now on.
    pub fn register_secret(&self, secret: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = |it: &Secret| it.text.expose_secret() == secret;
        if secret.is_empty() || known.iter().any(is_known) {
            return;
        }
        known.truncate(MAX_SECRETS - 1);
        known.push_front(Secret::new(secret));
    }

    /// The text without any registered secret: neither whole, nor truncated, nor a part of a JWT, nor any of
    /// these in base64, in the escapes of URLs, JSON and HTML, in one of these inside another, or broken into
    /// lines. Borrowed if nothing was redacted.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let known = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let known: Vec<&[u8]> = known.iter().flat_map(Secret::patterns).collect();
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

/// How many leading bytes of `text` match `secret`, or enough of its beginning; 0 for too short a match.
fn match_length(text: &[u8], secret: &[u8]) -> usize {
    // Every place at which what was matched so far may end: an escape may be meant or not.
    let mut ends = Ends::at(0);
    let mut length = 0;
    for (matched, byte) in secret.iter().enumerate() {
        let mut next = Ends::default();
        for end in ends.iter() {
            let breaks = if matched > 0 {
                line_break(&text[end..])
            } else {
                0
            };
            for start in [end, end + breaks] {
                for more in encoded_lengths(&text[start..], *byte, MAX_DEPTH).iter() {
                    next.add(start + more);
                }
                if breaks == 0 {
                    break;
                }
            }
        }
        if next.is_empty() {
            return if matched >= MIN_MATCH { length } else { 0 };
        }
        ends = next;
        length = ends.iter().max().unwrap_or_default();
    }
    length
}

/// A few places in a text.
#[derive(Clone, Copy, Default)]
struct Ends {
    places: [usize; Self::MOST],
    count: usize,
}

impl Ends {
    const MOST: usize = 8;

    fn at(place: usize) -> Self {
        let mut ends = Self::default();
        ends.add(place);
        ends
    }

    fn add(&mut self, place: usize) {
        if self.count < Self::MOST && !self.iter().any(|known| known == place) {
            self.places[self.count] = place;
            self.count += 1;
        }
    }

    fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn iter(&self) -> impl Iterator<Item = usize> {
        self.places.into_iter().take(self.count)
    }
}

/// The length of a line break with the indentation after it, as it is or as JSON escapes it; 0 for none.
fn line_break(text: &[u8]) -> usize {
    let mut length = 0;
    loop {
        length += match &text[length..] {
            [b'\r' | b'\n', ..] => 1,
            [b'\\', b'r' | b'n', ..] => 2,
            [b' ' | b'\t', ..] if length > 0 => 1,
            _ => return length,
        };
    }
}

/// How many leading bytes of `text` may encode `byte`: literally, or as an escape of URLs, JSON or HTML whose special
/// characters are encoded themselves, up to `depth` times.
fn encoded_lengths(text: &[u8], byte: u8, depth: u8) -> Ends {
    let mut lengths = Ends::default();
    match text.first() {
        Some(first) if *first == byte => lengths.add(1),
        Some(b'+') if byte == b' ' => lengths.add(1),
        _ => {}
    }
    let may_escape = matches!(text.first(), Some(b'%' | b'\\' | b'&'));
    if depth == 0 || !may_escape {
        return lengths;
    }
    for special in [b'%', b'\\', b'&'] {
        for after in encoded_lengths(text, special, depth - 1).iter() {
            let rest = &text[after..];
            let escape = match special {
                b'%' => percent_escape(rest, byte),
                b'\\' => backslash_escape(rest, byte, depth, &mut lengths, after),
                _ => entity(rest, byte, depth),
            };
            if let Some(escape) = escape {
                lengths.add(after + escape);
            }
        }
    }
    lengths
}

/// What follows `%`.
fn percent_escape(text: &[u8], byte: u8) -> Option<usize> {
    is_number(text.get(..2)?, 16, byte).then_some(2)
}

/// What follows a backslash. A character that stands for itself may be encoded again.
fn backslash_escape(
    text: &[u8],
    byte: u8,
    depth: u8,
    lengths: &mut Ends,
    after: usize,
) -> Option<usize> {
    if !byte.is_ascii_alphanumeric() {
        for more in encoded_lengths(text, byte, depth - 1).iter() {
            lengths.add(after + more);
        }
    }
    match text {
        [b'u', digits @ ..] => is_number(digits.get(..4)?, 16, byte).then_some(5),
        [b'x', digits @ ..] => is_number(digits.get(..2)?, 16, byte).then_some(3),
        _ => None,
    }
}

/// What follows `&`: the number of a character, or its name.
fn entity(text: &[u8], byte: u8, depth: u8) -> Option<usize> {
    for hash in encoded_lengths(text, b'#', depth - 1).iter() {
        let number = &text[hash..];
        let (radix, sign) = match number.first() {
            Some(b'x' | b'X') => (16, 1),
            _ => (10, 0),
        };
        let digits = number.get(sign..)?;
        let count = digits
            .iter()
            .take(8)
            .take_while(|digit| char::from(**digit).is_digit(radix))
            .count();
        if is_number(&digits[..count], radix, byte) {
            let length = hash + sign + count;
            return Some(length + semicolon(&text[length..], depth));
        }
    }
    let (_, names) = ENTITIES.iter().find(|(character, _)| *character == byte)?;
    let name = names.iter().find(|name| {
        let begin = text.get(..name.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(name.as_bytes()))
    })?;
    match semicolon(&text[name.len()..], depth) {
        0 => None,
        end => Some(name.len() + end),
    }
}

fn semicolon(text: &[u8], depth: u8) -> usize {
    let lengths = encoded_lengths(text, b';', depth - 1);
    lengths.iter().max().unwrap_or_default()
}

fn is_number(digits: &[u8], radix: u32, byte: u8) -> bool {
    let is_digits = digits
        .iter()
        .all(|digit| char::from(*digit).is_digit(radix));
    let digits = std::str::from_utf8(digits).ok().filter(|_| is_digits);
    digits.and_then(|digits| u32::from_str_radix(digits, radix).ok()) == Some(byte.into())
}

/// The names that HTML has for characters of ASCII.
const ENTITIES: &[(u8, &[&str])] = &[
    (b'!', &["excl"]),
    (b'"', &["quot"]),
    (b'#', &["num"]),
    (b'$', &["dollar"]),
    (b'%', &["percnt"]),
    (b'&', &["amp"]),
    (b'\'', &["apos"]),
    (b'(', &["lpar"]),
    (b')', &["rpar"]),
    (b'*', &["ast", "midast"]),
    (b'+', &["plus"]),
    (b',', &["comma"]),
    (b'-', &["hyphen", "dash"]),
    (b'.', &["period"]),
    (b'/', &["sol"]),
    (b':', &["colon"]),
    (b';', &["semi"]),
    (b'<', &["lt"]),
    (b'=', &["equals"]),
    (b'>', &["gt"]),
    (b'?', &["quest"]),
    (b'@', &["commat"]),
    (b'[', &["lsqb", "lbrack"]),
    (b'\\', &["bsol"]),
    (b']', &["rsqb", "rbrack"]),
    (b'^', &["hat"]),
    (b'_', &["lowbar", "underbar"]),
    (b'`', &["grave", "diacriticalgrave"]),
    (b'{', &["lcub", "lbrace"]),
    (b'|', &["vert", "verbar", "verticalline"]),
    (b'}', &["rcub", "rbrace"]),
];

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
            "p&plus;q&sol;r&equals;s t&quot;u&amp;v",
            "p&#043;q&#x002f;r&EQUALS;s t&QUOT;u&amp;v",
            // An encoding in itself.
            "p%252Bq%252fr%253Ds%2520t%2522u%2526v",
            "p%25252Bq%25252Fr%25253Ds%252520t%252522u%252526v",
            "p\\\\u002bq\\\\/r=s t\\\\\\\"u&v",
            "p&amp;#43;q&amp;sol;r&amp;equals;s t&amp;quot;u&amp;amp;v",
            // One in another.
            "p%26%2343%3Bq%26sol%3Br=s+t%26quot%3Bu%26amp%3Bv",
            "p%5Cu002bq%5C/r=s%20t%5C%22u&v",
            "p&bsol;u002bq/r=s t&#92;&quot;u&v",
            "p\\x2bq\\x2fr=s t\"u&v",
            // Broken into lines.
            "p+q/r\r\n =s t\"u\n&v",
            "p+q/r\\r\\n=s t\\\"u\\n&v",
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
    fn a_secret_is_redacted_in_base64_wherever_it_begins() {
        let secret = "correct?horse>battery~staple";
        for before in ["", "k", "ke", "key", "key:", "{\"secret\":\""] {
            for after in ["", "\"", "\"}", " and more"] {
                let text = BASE64_STANDARD.encode(format!("{before}{secret}{after}"));
                for text in [
                    text.clone(),
                    text.replace('+', "-").replace('/', "_"),
                    text.replace('+', "%2B").replace('/', "%2F"),
                    text.replace('/', "\\/"),
                    format!("{}\r\n{}", &text[..20], &text[20..]),
                ] {
                    let clean = redact(secret, &text);
                    let (begin, end) = clean.split_once("[REDACTED]").expect(&clean);
                    let rest = format!("{begin}{end}");
                    // What is left of it are the characters that it shares with its neighbours.
                    assert!(
                        rest.len() <= 4 * (before.len() + after.len()).div_ceil(3) + 8,
                        "{clean}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_secret_that_looks_encoded_is_redacted() {
        for secret in [
            "a%25b&amp;c\\\\d%2541",
            "100%%41percent",
            "\\u0041\\\\u0041",
        ] {
            assert_eq!(redact(secret, &format!("<{secret}>")), "<[REDACTED]>");
        }
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

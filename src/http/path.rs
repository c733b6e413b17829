//! Checks that a request's path is that of its operation.
//!
//! The bindings are public and put what callers give them into paths. The generated code encodes a slash, but a
//! URL with the segments `.` or `..` is shortened when it is parsed: the id `..` would make "delete a thing" into
//! "delete the collection".

use url::Url;

use crate::http::Endpoint;

/// Checks that `url` is at the endpoint and matches the template of an operation's path, such as
/// `/iam/v2/invitations/{id}`: segment by segment, with a value for each variable that is no dot segment.
///
/// # Errors
///
/// A message.
pub(super) fn check(endpoint: &Endpoint, url: &Url, template: &str) -> Result<(), String> {
    if !endpoint.is_same_origin(url) {
        return Err("the request is for another origin than the configured one".to_owned());
    }
    let path = url.path().strip_prefix(endpoint.base_path());
    if path.is_some_and(|path| path_matches(path, template)) {
        return Ok(());
    }
    Err(format!(
        "a value in the path {template} is empty, or leads out of it (`.` and `..` do)"
    ))
}

fn path_matches(path: &str, template: &str) -> bool {
    matches_plainly(path, template) || matches_by_segment(path, template)
}

/// Whether each variable fills what is between its literals with letters that need no decoding and make no dot segment.
/// Most paths are such, and need one pass.
fn matches_plainly(path: &str, template: &str) -> bool {
    let (mut path, mut template) = (path, template);
    while let Some((literal, after)) = split_at(template, b'{') {
        let Some(value) = path.strip_prefix(literal) else {
            return false;
        };
        let is_special = |byte| matches!(byte, b'/' | b'\\' | b'%' | b'.');
        let end = value.bytes().position(is_special).unwrap_or(value.len());
        let Some((_, rest)) = split_at(after, b'}').filter(|_| end > 0) else {
            return false;
        };
        (path, template) = (&value[end..], rest);
    }
    path == template
}

fn matches_by_segment(path: &str, template: &str) -> bool {
    let (mut path, mut template) = (path, template);
    loop {
        let (segment, rest) = first_segment(path);
        let (pattern, more) = first_segment(template);
        if !segment_matches(segment, pattern) {
            return false;
        }
        match (rest, more) {
            (Some(rest), Some(more)) => (path, template) = (rest, more),
            (None, None) => return true,
            _ => return false,
        }
    }
}

fn first_segment(path: &str) -> (&str, Option<&str>) {
    match split_at(path, b'/') {
        Some((segment, rest)) => (segment, Some(rest)),
        None => (path, None),
    }
}

/// Splits at the first of an ASCII character. Paths are so short that looking at each byte costs less than a search.
fn split_at(text: &str, separator: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == separator)?;
    Some((&text[..at], &text[at + 1..]))
}

fn segment_matches(segment: &str, template: &str) -> bool {
    let position = |byte| template.bytes().position(|candidate| candidate == byte);
    let Some(opening) = position(b'{') else {
        return segment == template || is_encoded(segment, template);
    };
    // Most variables fill a segment.
    let is_variable = opening == 0 && position(b'}') == Some(template.len() - 1);
    let matches = if is_variable {
        !segment.is_empty()
    } else {
        variables_match(segment, template).unwrap_or(false)
    };
    matches && !has_dot_segment(segment)
}

/// Whether `segment` is `literal` as a URL has it.
fn is_encoded(segment: &str, literal: &str) -> bool {
    Url::parse(&format!("https://a.invalid/{literal}"))
        .is_ok_and(|url| url.path().strip_prefix('/') == Some(segment))
}

/// Matches a segment with one variable, or with several between literals (`{name}:activate`). `None` and
/// `Some(false)` are mismatches.
fn variables_match(segment: &str, template: &str) -> Option<bool> {
    let (literal, mut template) = template.split_once('{')?;
    let mut rest = segment.strip_prefix(literal)?;
    loop {
        let (_, after) = template.split_once('}')?;
        let Some((literal, next)) = after.split_once('{') else {
            return Some(rest.len() > after.len() && rest.ends_with(after));
        };
        // A value has at least one character.
        let at = rest.get(1..)?.find(literal)?;
        rest = rest.get(1 + at + literal.len()..)?;
        template = next;
    }
}

/// Whether a segment is a dot segment, or has one between encoded slashes, however often it is encoded.
fn has_dot_segment(segment: &str) -> bool {
    let is_dots = |part: &[u8]| matches!(part, b"." | b"..");
    if !segment.bytes().any(|byte| byte == b'%') {
        return is_dots(segment.as_bytes());
    }
    let mut text = segment.as_bytes().to_vec();
    loop {
        if text.split(|byte| matches!(byte, b'/' | b'\\')).any(is_dots) {
            return true;
        }
        let decoded = percent_decoded(&text);
        if decoded.len() == text.len() {
            return false;
        }
        text = decoded;
    }
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let escape = match (first, after) {
            (b'%', [high, low, remainder @ ..]) => hex_byte(*high, *low).zip(Some(remainder)),
            _ => None,
        };
        let (byte, remainder) = escape.unwrap_or((*first, after));
        decoded.push(byte);
        rest = remainder;
    }
    decoded
}

fn hex_byte(high: u8, low: u8) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ITEM: &str = "/iam/v2/invitations/{id}";
    const NESTED: &str = "/v1/organizations/{organizationId}/invitations/{invitationId}";

    fn endpoint(base: &str) -> Endpoint {
        Endpoint::new(&crate::http::BaseUrl::parse(base).unwrap(), None)
    }

    /// Checks a path as the generated code makes it from these values.
    fn checked(base: &str, template: &str, values: &[&str]) -> Result<(), String> {
        let mut url = template.to_owned();
        for value in values {
            let (start, end) = (url.find('{').unwrap(), url.find('}').unwrap());
            url.replace_range(start..=end, &progenitor_client::encode_path(value));
        }
        let endpoint = endpoint(base);
        let url = Url::parse(&format!("{}{url}", endpoint.as_base())).unwrap();
        let outcome = check(&endpoint, &url, template);
        // One pass accepts nothing that the comparison of segments does not.
        let path = url.path().strip_prefix(endpoint.base_path());
        if path.is_some_and(|path| matches_plainly(path, template)) {
            assert!(matches_by_segment(path.unwrap(), template), "{url}");
        }
        outcome
    }

    #[test]
    fn ordinary_values_pass() {
        for base in ["https://a.example", "https://a.example/deep/base/"] {
            for value in [
                "i-1",
                "a.b",
                "...",
                ".hidden",
                "a b",
                "a/b",
                "crn://x/y=z",
                "50%",
                "%41",
                "ä",
                "?x#y",
                "{id}",
            ] {
                assert_eq!(checked(base, ITEM, &[value]), Ok(()), "{value}");
                assert_eq!(checked(base, NESTED, &["o-1", value]), Ok(()), "{value}");
            }
            assert_eq!(checked(base, "/iam/v2/invitations", &[]), Ok(()));
            assert_eq!(checked(base, "/with/slash/", &[]), Ok(()));
            assert_eq!(checked(base, "/with space/ä", &[]), Ok(()));
        }
    }

    #[test]
    fn values_that_lead_elsewhere_are_refused() {
        for base in ["https://a.example", "https://a.example/base"] {
            for value in [
                "",
                ".",
                "..",
                "%2e",
                "%2E.",
                ".%2e",
                "%252e%252e",
                "../members/u-1",
                "..\\members",
                "x/../y",
                "x/./y",
                "\\..\\members\\u-1",
                "x\\..\\..\\members\\y",
            ] {
                for (template, values) in [
                    (ITEM, &[value][..]),
                    (NESTED, &[value, "i-1"]),
                    (NESTED, &["o-1", value]),
                    (NESTED, &[value, value]),
                ] {
                    let outcome = checked(base, template, values);
                    assert!(outcome.is_err(), "{template} {values:?}");
                }
            }
        }
    }

    #[test]
    fn variables_among_literals_are_found() {
        for (template, values, passes) in [
            ("/things/{id}:activate", &["t-1"][..], true),
            ("/things/{id}:activate", &["a:activate"], true),
            ("/things/{id}:activate", &[""], false),
            ("/files/{name}.{kind}", &["a.b", "json"], true),
            ("/files/{name}.{kind}", &["", "json"], false),
            ("/files/{name}.{kind}", &["a", ""], false),
            ("/files/v{number}", &["2"], true),
        ] {
            let outcome = checked("https://a.example", template, values);
            assert_eq!(outcome.is_ok(), passes, "{template} {values:?}");
        }
    }

    #[test]
    fn other_paths_and_origins_are_refused() {
        let endpoint = endpoint("https://a.example/base");
        for (url, passes) in [
            ("https://a.example/base/iam/v2/invitations/i-1", true),
            ("https://a.example/base/iam/v2/invitations/i-1?q=1", true),
            ("https://a.example/iam/v2/invitations/i-1", false),
            ("https://a.example/based/iam/v2/invitations/i-1", false),
            ("https://a.example/base/iam/v2/invitations", false),
            ("https://a.example/base/iam/v2/invitations/", false),
            ("https://a.example/base/iam/v2/invitations/i-1/", false),
            ("https://a.example/base/iam/v2/users/i-1", false),
            ("https://b.example/base/iam/v2/invitations/i-1", false),
            ("http://a.example/base/iam/v2/invitations/i-1", false),
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!(check(&endpoint, &url, ITEM).is_ok(), passes, "{url}");
        }
    }
}

//! Normalised forms of email addresses, which decide whether two addresses are the same person.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Normalises an email address, so that two spellings of one address are equal.
///
/// The result is in Unicode normalisation form C and in lower case, with the domain in the ASCII form of IDNA
/// (`BÜCHER.example` and `xn--bcher-kva.example` are the same) and without a trailing dot. Vendors store addresses in
/// forms of their own (ClickHouse in lower case); this crate compares this form everywhere: in a
/// [`Plan`](crate::Plan), in bulk operations and in lookups. A text that is not an address is normalised too.
///
/// ```
/// use org_invitations::normalize_email;
///
/// assert_eq!(normalize_email("Ann@Bücher.Example"), "ann@xn--bcher-kva.example");
/// // `é` as one character, and as `e` with a combining accent.
/// assert_eq!(normalize_email("Ren\u{e9}@example.com"), normalize_email("rene\u{301}@example.com"));
/// ```
pub fn normalize_email(email: &str) -> String {
    let Some((local, domain)) = email.rsplit_once('@') else {
        return fold(email).into_owned();
    };
    let (mut normal, domain) = (fold(local).into_owned(), normalize_domain(domain));
    normal.push('@');
    normal.push_str(&domain);
    normal
}

/// Normalises an email address further, so that addresses that some servers treat as one are equal.
///
/// The result is that of [`normalize_email`] without dots in the local part, without white space, control characters and
/// invisible characters, and without the tag after a `+`. Two addresses with the same skeleton resemble each other and may be two people: use it to
/// keep an invitation in case of doubt, never to select one to withdraw.
///
/// ```
/// use org_invitations::email_skeleton;
///
/// assert_eq!(email_skeleton("Ann.Lee+hr@example.com"), "annlee@example.com");
/// ```
pub fn email_skeleton(email: &str) -> String {
    let visible: String = email
        .chars()
        .filter(|character| !is_unseen(*character))
        .collect();
    let normal = normalize_email(&visible);
    let (local, domain) = match normal.rsplit_once('@') {
        Some((local, domain)) => (local, Some(domain)),
        None => (normal.as_str(), None),
    };
    // A `+` at the beginning of an address is not a tag.
    let end = local
        .match_indices('+')
        .map(|(at, _)| at)
        .find(|at| *at > 0);
    let local = local[..end.unwrap_or(local.len())].chars();
    // Characters that are adjacent now may compose, such as a letter and its accent.
    let mut skeleton: String = local.filter(|character| *character != '.').nfc().collect();
    if let Some(domain) = domain {
        skeleton.push('@');
        skeleton.push_str(domain);
    }
    skeleton
}

/// Whether two spellings are the same address.
pub(crate) fn same_email(first: &str, second: &str) -> bool {
    first == second || normalize_email(first) == normalize_email(second)
}

/// Whether a character cannot be seen in an address: white space, control and invisible characters.
pub(crate) fn is_unseen(character: char) -> bool {
    // Most characters are looked at once.
    !character.is_ascii_graphic()
        && (character.is_whitespace() || character.is_control() || is_invisible(character))
}

/// Whether a character is printed as nothing, so that two addresses that differ by it look the same.
///
/// These are the characters that Unicode calls default ignorable (joiners, direction marks, variation selectors, fillers,
/// tags), those of format between texts (`U+FFF9` to `U+FFFB`), and the blank of Braille. No address that this crate sends
/// has one: see [`NewInvitation::validate`](crate::NewInvitation::validate).
///
/// ```
/// use org_invitations::is_invisible;
///
/// assert!(is_invisible('\u{200b}'));
/// assert!(!is_invisible('é') && !is_invisible('\u{301}'));
/// ```
pub fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn normalize_domain(domain: &str) -> Cow<'_, str> {
    let domain = domain.trim_end_matches('.');
    let is_plain = domain.is_ascii() && !has_punycode(domain);
    if is_plain && !domain.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Borrowed(domain);
    }
    if is_plain {
        return Cow::Owned(domain.to_ascii_lowercase());
    }
    match idna::domain_to_ascii_cow(domain.as_bytes(), idna::AsciiDenyList::URL) {
        // IDNA maps dots of other scripts to ASCII dots.
        Ok(ascii) => Cow::Owned(ascii.trim_end_matches('.').to_owned()),
        Err(_) => fold(domain),
    }
}

fn has_punycode(domain: &str) -> bool {
    domain.split('.').any(|label| {
        label
            .get(..4)
            .is_some_and(|head| head.eq_ignore_ascii_case("xn--"))
    })
}

/// Converts to normalisation form C, in lower case.
fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Cow::Owned(text.to_ascii_lowercase());
        }
        return Cow::Borrowed(text);
    }
    let composed: String = text.nfc().collect();
    let lower = composed.to_lowercase();
    if is_nfc(&lower) {
        return Cow::Owned(lower);
    }
    // The lower case of some capitals is a letter and an accent.
    Cow::Owned(lower.nfc().collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::NewInvitation;

    #[test]
    fn spellings_of_one_address_are_equal() {
        for (first, second) in [
            ("ann@example.com", "Ann@Example.COM"),
            ("ann@example.com", "ann@example.com."),
            ("ann@bücher.example", "ann@xn--bcher-kva.example"),
            ("ann@BÜCHER.example", "ann@XN--BCHER-KVA.Example"),
            ("ann@b\u{75}\u{308}cher.example", "ann@bücher.example"),
            ("ann@bücher。example", "ann@bücher.example"),
            ("ren\u{e9}@example.com", "re\u{6e}e\u{301}@example.com"),
            ("REN\u{c9}@example.com", "rene\u{301}@example.com"),
            ("ΟΔΟΣ@example.com", "οδος@example.com"),
            ("nobody", "NOBODY"),
        ] {
            assert!(same_email(first, second), "{first} {second}");
        }
    }

    #[test]
    fn different_addresses_differ() {
        for (first, second) in [
            ("ann@example.com", "ann@example.org"),
            ("ann@example.com", "an.n@example.com"),
            ("ann@example.com", "ann+hr@example.com"),
            ("strasse@example.com", "straße@example.com"),
            ("ann@bucher.example", "ann@bücher.example"),
            ("ann@xn--", "ann@xn--a"),
        ] {
            assert!(!same_email(first, second), "{first} {second}");
        }
    }

    #[test]
    fn what_resembles_has_one_skeleton() {
        for spelling in [
            "Ann.Lee@example.com",
            "annlee+hr@example.com",
            "a.n.n.l.e.e+x+y@EXAMPLE.com",
            "ann lee@example.com",
            "annlee\u{200b}@example.com",
            "\u{feff}ann\u{ad}lee\u{200e}\u{fe0f}@exam\u{2060}ple.com",
        ] {
            assert_eq!(
                email_skeleton(spelling),
                "annlee@example.com",
                "{spelling:?}"
            );
        }
        assert_eq!(email_skeleton("+ann@example.com"), "+ann@example.com");
        assert_eq!(email_skeleton("nobody"), "nobody");
        assert_ne!(
            email_skeleton("ann@exam.ple.com"),
            email_skeleton("ann@example.com")
        );
    }

    #[test]
    fn an_invisible_character_is_named_with_its_place() {
        for (email, code) in [
            ("\u{200b}ann@example.com", "U+200B"),
            ("\u{feff}ann@example.com", "U+FEFF"),
            ("\u{ad}ann@example.com", "U+00AD"),
            ("\u{fe0f}ann@example.com", "U+FE0F"),
            ("\u{3164}ann@example.com", "U+3164"),
            ("\u{e0061}ann@example.com", "U+E0061"),
            ("\u{a0}ann@example.com", "U+00A0"),
            ("\u{7}ann@example.com", "U+0007"),
        ] {
            let place = |email: &str| {
                let error = NewInvitation::new(email).validate().unwrap_err();
                error.message().to_owned()
            };
            let first = place(email);
            assert!(
                first.contains(&format!("character 1 of this one is {code}")),
                "{first}"
            );
            let last: String = email
                .chars()
                .cycle()
                .skip(1)
                .take(email.chars().count())
                .collect();
            let last = place(&last);
            assert!(
                last.contains(&format!("character 16 of this one is {code}")),
                "{last}"
            );
        }
        for email in [
            "ren\u{e9}@example.com",
            "rene\u{301}@example.com",
            "名前@例え.jp",
            "नमस्ते@example.com",
        ] {
            NewInvitation::new(email).validate().unwrap();
        }
    }

    proptest! {
        #[test]
        fn the_form_is_stable_and_knows_no_case(email in "\\PC{0,12}@?([a-zA-ZäÖß.\\-]|xn--|\\PC){0,12}") {
            let normal = normalize_email(&email);
            prop_assert_eq!(normalize_email(&normal), normal.clone());
            let skeleton = email_skeleton(&email);
            prop_assert_eq!(email_skeleton(&skeleton), skeleton);
        }

        #[test]
        fn of_ascii_only_the_case_is_lost(email in "[a-zA-Z.+]{1,9}@[a-z]{1,9}\\.[a-zA-Z]{2,5}") {
            prop_assert_eq!(normalize_email(&email), email.to_lowercase());
        }
    }
}

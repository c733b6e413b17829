//! Escaping of text: control characters, words of a shell.

use std::borrow::Cow;

use org_invitations::is_invisible;

/// What an escape begins with.
const MARK: &str = "\\u{";

/// Escapes every character that a terminal does not show, as in `\u{1b}`: those that move the cursor or change colours,
/// those that change the direction of text, and those that are printed as nothing. A backslash before `u{` is escaped too,
/// so that the text can be told from an escape.
pub(crate) fn escape_control(text: &str) -> Cow<'_, str> {
    if !text.contains(is_terminal_control) && !text.contains(MARK) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for (at, letter) in text.char_indices() {
        if is_terminal_control(letter) || text[at..].starts_with(MARK) {
            safe.extend(letter.escape_unicode());
        } else {
            safe.push(letter);
        }
    }
    Cow::Owned(safe)
}

/// Reverses [`escape_control`]; other escapes stay as they are.
pub(crate) fn unescape_control(text: &str) -> Cow<'_, str> {
    if !text.contains(MARK) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(MARK) {
        let (before, marked) = rest.split_at(at);
        plain.push_str(before);
        let escaped = marked[MARK.len()..]
            .split_once('}')
            .and_then(|(code, after)| {
                let letter = char::from_u32(u32::from_str_radix(code, 16).ok()?)?;
                let is_escaped = is_terminal_control(letter) || letter == '\\';
                is_escaped.then_some((letter, after))
            });
        rest = match escaped {
            Some((letter, after)) => {
                plain.push(letter);
                after
            }
            None => {
                plain.push_str(MARK);
                &marked[MARK.len()..]
            }
        };
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// Quotes a word for a POSIX shell.
pub(crate) fn shell_quote(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "@._+-:/".contains(letter);
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", escape_control(word).replace('\'', "'\\''"))
}

/// Whether a terminal interprets this character instead of showing it, or shows nothing for it.
pub(super) fn is_terminal_control(letter: char) -> bool {
    letter.is_control() || is_invisible(letter) || matches!(letter, '\u{2028}'..='\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(escape_control("ann@example.com"), "ann@example.com");
        assert_eq!(escape_control("ä 名 🎉"), "ä 名 🎉");
        assert_eq!(escape_control("\u{1b}[2J"), "\\u{1b}[2J");
        assert_eq!(
            escape_control("a\nb\u{9b}c\u{202e}"),
            "a\\u{a}b\\u{9b}c\\u{202e}"
        );
        assert_eq!(escape_control("a\u{200b}\u{e0041}"), "a\\u{200b}\\u{e0041}");
        assert_eq!(escape_control("a\\u{200b}"), "a\\u{5c}u{200b}");
    }

    #[test]
    fn unescaping_reverses_escaping() {
        for text in [
            "ann@example.com",
            "a\nb\u{9b}c\u{202e}d",
            "\u{1b}",
            "ä 🎉",
            "\\u{200b}",
            "\\u{5c}u{1b}",
            "\\\\u{1b}\\",
        ] {
            assert_eq!(unescape_control(&escape_control(text)), text, "{text:?}");
        }
        for text in ["\\u{41}", "\\u{", "\\u{x}", "\\u{110000}", "\\u", "\\u{1b"] {
            assert_eq!(unescape_control(text), text);
        }
    }
}

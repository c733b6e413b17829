//! Escaping of text: control characters, words of a shell.

use std::borrow::Cow;

/// Escapes every terminal control character, as in `\u{1b}`: those that move the cursor or change colours, and those
/// that change the direction of text.
pub(crate) fn escape_control(text: &str) -> Cow<'_, str> {
    if !text.contains(is_terminal_control) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if is_terminal_control(letter) {
            safe.extend(letter.escape_unicode());
        } else {
            safe.push(letter);
        }
    }
    Cow::Owned(safe)
}

/// Reverses [`escape_control`]; other escapes stay as they are.
pub(crate) fn unescape_control(text: &str) -> Cow<'_, str> {
    const MARK: &str = "\\u{";
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
                is_terminal_control(letter).then_some((letter, after))
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

/// Whether a terminal interprets this character instead of showing it.
pub(super) fn is_terminal_control(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}')
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
    }

    #[test]
    fn unescaping_reverses_escaping() {
        for text in ["ann@example.com", "a\nb\u{9b}c\u{202e}d", "\u{1b}", "ä 🎉"] {
            assert_eq!(unescape_control(&escape_control(text)), text, "{text:?}");
        }
        for text in ["\\u{41}", "\\u{", "\\u{x}", "\\u{110000}", "\\u", "\\u{1b"] {
            assert_eq!(unescape_control(text), text);
        }
    }
}

//! Text from servers, made safe to show.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

/// The text with every control character written out (`\u{1b}`), so that none reaches a terminal:
/// those that move the cursor or recolour, and those that turn the direction of what follows.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if acts(letter) {
            safe.extend(letter.escape_unicode());
        } else {
            safe.push(letter);
        }
    }
    Cow::Owned(safe)
}

/// What [`visible`] was given: characters that it writes out become what they were.
pub(crate) fn from_visible(text: &str) -> Cow<'_, str> {
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
                acts(letter).then_some((letter, after))
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

/// Whether a terminal would do something at this character in place of showing it.
pub(super) fn acts(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}')
}

/// A time as people read it.
pub(crate) fn time(time: &DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        assert_eq!(visible("ann@example.com"), "ann@example.com");
        assert_eq!(visible("ä 名 🎉"), "ä 名 🎉");
        assert_eq!(visible("\u{1b}[2J"), "\\u{1b}[2J");
        assert_eq!(visible("a\nb\u{9b}c\u{202e}"), "a\\u{a}b\\u{9b}c\\u{202e}");
    }

    #[test]
    fn what_was_written_out_can_be_read_again() {
        for text in ["ann@example.com", "a\nb\u{9b}c\u{202e}d", "\u{1b}", "ä 🎉"] {
            assert_eq!(from_visible(&visible(text)), text, "{text:?}");
        }
        for text in ["\\u{41}", "\\u{", "\\u{x}", "\\u{110000}", "\\u", "\\u{1b"] {
            assert_eq!(from_visible(text), text);
        }
    }
}

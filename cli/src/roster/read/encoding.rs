//! The encoding of a roster: Unicode with or without a byte order mark, or else the one of older spreadsheets.

use super::{Problem, newlines, problem};

/// The text of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    pub text: String,
    /// The number and the text of the first line whose letters depend on a guess of the encoding.
    pub guessed: Option<(usize, String)>,
}

/// Decodes UTF-8, UTF-16 with a byte order mark, and anything else as Windows-1252, which includes Latin-1.
///
/// # Errors
///
/// The text is not whole in the encoding that its byte order mark names, or has NUL characters, as workbooks and
/// UTF-16 without a mark have.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, Problem> {
    let (text, guessed) = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => (utf8(rest)?, None),
        [0xff, 0xfe, rest @ ..] => (utf16(rest, u16::from_le_bytes)?, None),
        [0xfe, 0xff, rest @ ..] => (utf16(rest, u16::from_be_bytes)?, None),
        [b'P', b'K', 3, 4, ..] => {
            return Err(problem(
                1,
                "the file is a workbook or an archive; save it as CSV",
            ));
        }
        _ => match utf8(bytes) {
            Ok(text) => (text, None),
            Err(error) => {
                let text = windows_1252(bytes);
                let line = text.lines().nth(error.line - 1).unwrap_or_default();
                let guessed = Some((error.line, line.trim().to_owned()));
                (text, guessed)
            }
        },
    };
    match text.find('\0') {
        Some(at) => Err(problem(
            newlines(&text[..at]) + 1,
            "the file has a NUL character, so it is no text, or UTF-16 without a byte order mark; save it as UTF-8",
        )),
        None => Ok(Decoded { text, guessed }),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        problem(
            line,
            "the file is not UTF-8 text, although it begins as such",
        )
    })?;
    Ok(text.to_owned())
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Problem> {
    let pairs = bytes.chunks_exact(2);
    // A half unit at the end is replaced by one that is never valid alone.
    let cut = pairs.remainder().first().map(|_| 0xd800);
    let units = pairs.map(|pair| unit([pair[0], pair[1]])).chain(cut);
    let mut text = String::with_capacity(bytes.len() / 2);
    for letter in char::decode_utf16(units) {
        let Ok(letter) = letter else {
            let line = newlines(&text) + 1;
            return Err(problem(
                line,
                "the file is not UTF-16 text, although it begins as such",
            ));
        };
        text.push(letter);
    }
    Ok(text)
}

/// Windows-1252 from 0x80 to 0x9f, where Latin-1 has control characters; the five that it leaves out stay these.
const FROM_0X80: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

fn windows_1252(bytes: &[u8]) -> String {
    let letter = |byte: &u8| match byte {
        0x80..=0x9f => FROM_0X80[usize::from(byte - 0x80)],
        other => char::from(*other),
    };
    bytes.iter().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> (String, Option<usize>) {
        let Decoded { text, guessed } = decode(bytes).unwrap();
        (text, guessed.map(|(line, _)| line))
    }

    #[test]
    fn unicode_is_recognised() {
        let text = "email\nJürgen 🎉\n";
        let with_mark = format!("\u{feff}{text}");
        let le: Vec<u8> = with_mark
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let be: Vec<u8> = with_mark
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        for bytes in [text.as_bytes(), with_mark.as_bytes(), &le, &be] {
            assert_eq!(decoded(bytes), (text.to_owned(), None), "{bytes:?}");
        }
    }

    #[test]
    fn anything_else_is_windows_1252_by_a_guess() {
        let bytes = b"email,name\r\nann@example.com,Ann\r\nj@example.com,J\xfcrgen \x80\x93\r\n";
        let text = "email,name\r\nann@example.com,Ann\r\nj@example.com,Jürgen €“\r\n";
        assert_eq!(decoded(bytes), (text.to_owned(), Some(3)));
        assert_eq!(decoded(b"\xe9 \x81\x9f"), ("é \u{81}Ÿ".to_owned(), Some(1)));
    }

    #[test]
    fn what_is_not_text_is_an_error_with_its_line() {
        for (bytes, line, words) in [
            (&b"\xef\xbb\xbfemail\na\n\xff\n"[..], 3, "not UTF-8"),
            (b"\xff\xfea\0\n\0\0\xd8", 2, "not UTF-16"),
            (b"\xff\xfea\0\n\0b", 2, "not UTF-16"),
            (b"e\0m\0a\0", 1, "UTF-16 without a byte order mark"),
            (b"email\n\0", 2, "NUL"),
            (b"PK\x03\x04\x14\0", 1, "save it as CSV"),
        ] {
            let error = decode(bytes).unwrap_err();
            assert_eq!(error.line, line, "{bytes:?}");
            assert!(error.message.contains(words), "{error}");
        }
    }
}

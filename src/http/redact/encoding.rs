//! Matches a secret in text that may encode it: escapes of URLs, JSON and HTML, also nested, and line breaks.

/// The number of leading bytes of a secret that are redacted when the rest is missing: some servers truncate text.
pub(super) const MIN_MATCH: usize = 16;

/// The largest number of nested encodings: a part of a URL in JSON in HTML.
const MAX_DEPTH: u8 = 3;

/// How many leading bytes of `text` encode `secret`, or at least [`MIN_MATCH`] leading bytes of it; 0 for no match.
pub(super) fn match_length(text: &[u8], secret: &[u8]) -> usize {
    // Every position at which the match so far may end: an escape may be literal text.
    let mut ends = Positions::at(0);
    let mut length = 0;
    for (matched, byte) in secret.iter().enumerate() {
        let mut next = Positions::default();
        for end in ends.iter() {
            let breaks = if matched > 0 {
                line_break(&text[end..])
            } else {
                0
            };
            for start in [end, end + breaks] {
                for encoded in encoded_lengths(&text[start..], *byte, MAX_DEPTH).iter() {
                    next.add(start + encoded);
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

/// A small set of positions in a text.
#[derive(Clone, Copy, Default)]
struct Positions {
    positions: [usize; Self::CAPACITY],
    count: usize,
}

impl Positions {
    const CAPACITY: usize = 8;

    fn at(position: usize) -> Self {
        let mut ends = Self::default();
        ends.add(position);
        ends
    }

    fn add(&mut self, position: usize) {
        if self.count < Self::CAPACITY && !self.iter().any(|known| known == position) {
            self.positions[self.count] = position;
            self.count += 1;
        }
    }

    fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn iter(&self) -> impl Iterator<Item = usize> {
        self.positions[..self.count].iter().copied()
    }
}

/// The length of a line break, literal or escaped as in JSON, and of the indentation after it; 0 for none.
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

/// The possible lengths of an encoding of `byte` at the start of `text`: literal, or an escape of URLs, JSON or HTML.
/// The special characters of an escape may be encoded in turn, up to `depth` times.
fn encoded_lengths(text: &[u8], byte: u8, depth: u8) -> Positions {
    let mut lengths = Positions::default();
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
                _ => html_entity(rest, byte, depth),
            };
            if let Some(escape) = escape {
                lengths.add(after + escape);
            }
        }
    }
    lengths
}

/// The length of the escape after `%`.
fn percent_escape(text: &[u8], byte: u8) -> Option<usize> {
    is_char_code(text.get(..2)?, 16, byte).then_some(2)
}

/// The length of the escape after a backslash. An escaped punctuation character may be encoded in turn.
fn backslash_escape(
    text: &[u8],
    byte: u8,
    depth: u8,
    lengths: &mut Positions,
    after: usize,
) -> Option<usize> {
    if !byte.is_ascii_alphanumeric() {
        for length in encoded_lengths(text, byte, depth - 1).iter() {
            lengths.add(after + length);
        }
    }
    match text {
        [b'u', digits @ ..] => is_char_code(digits.get(..4)?, 16, byte).then_some(5),
        [b'x', digits @ ..] => is_char_code(digits.get(..2)?, 16, byte).then_some(3),
        _ => None,
    }
}

/// The length of the HTML entity after `&`, numeric or named.
fn html_entity(text: &[u8], byte: u8, depth: u8) -> Option<usize> {
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
        if is_char_code(&digits[..count], radix, byte) {
            let length = hash + sign + count;
            return Some(length + semicolon_length(&text[length..], depth));
        }
    }
    let (_, names) = ENTITIES.iter().find(|(character, _)| *character == byte)?;
    let name = names.iter().find(|name| {
        let begin = text.get(..name.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(name.as_bytes()))
    })?;
    match semicolon_length(&text[name.len()..], depth) {
        0 => None,
        end => Some(name.len() + end),
    }
}

fn semicolon_length(text: &[u8], depth: u8) -> usize {
    let lengths = encoded_lengths(text, b';', depth - 1);
    lengths.iter().max().unwrap_or_default()
}

fn is_char_code(digits: &[u8], radix: u32, byte: u8) -> bool {
    let is_digits = digits
        .iter()
        .all(|digit| char::from(*digit).is_digit(radix));
    let digits = std::str::from_utf8(digits).ok().filter(|_| is_digits);
    digits.and_then(|digits| u32::from_str_radix(digits, radix).ok()) == Some(byte.into())
}

/// The HTML entity names of ASCII characters.
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

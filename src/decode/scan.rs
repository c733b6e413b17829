//! Locates values in JSON without decoding them.
//!
//! A value may hold a number that no type can represent, half of a surrogate pair, invalid UTF-8 or deep nesting: the
//! values beside it are located nevertheless.

use std::{borrow::Cow, mem, ops::Range};

/// The spans of a body that is a list, or an object with a list in a property.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The items of the list.
    pub items: Vec<Span>,
    /// The names and values of the other properties.
    pub rest: Vec<(Span, Span)>,
}

/// A range of a body. Small, because a body may have millions of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub fn range(self) -> Range<usize> {
        // Pointers have at least 32 bits on every platform with sockets.
        self.start as usize..self.end as usize
    }
}

/// Locates the items of the list in `property`, or those of the body itself if that is a list.
///
/// # Errors
///
/// A message: there is no such list.
pub(crate) fn layout(body: &[u8], property: &str) -> Result<Layout, String> {
    let mut scanner = Scanner { body, at: 0 };
    let mut layout = Layout::default();
    match scanner.peek() {
        Some(b'[') => layout.items = scanner.list().ok_or("the body is not JSON")?,
        Some(b'{') => {
            let mut found = false;
            let mut is_first = true;
            while let Some((name, value)) = scanner
                .property(&mut is_first)
                .ok_or("the body is not JSON")?
            {
                if !is_name(&body[name.range()], property) {
                    layout.rest.push((name, value));
                    continue;
                }
                if found {
                    // It is unknown which of two lists counts.
                    return Err(format!("duplicate field `{property}`"));
                }
                found = true;
                let at = value.range().start;
                let list = Scanner { body, at }.list();
                layout.items =
                    list.ok_or_else(|| format!("`{property}` of the body is not a list"))?;
            }
            if !found {
                return Err(format!("the body has no `{property}`"));
            }
        }
        _ => return Err("the body is neither a list nor an object".to_owned()),
    }
    if scanner.peek().is_some() {
        return Err("the body continues after its end".to_owned());
    }
    Ok(layout)
}

/// The text of a property of an object; the first of several.
pub(crate) fn property<'a>(body: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut scanner = Scanner { body, at: 0 };
    let mut is_first = true;
    while let Some((candidate, value)) = scanner.property(&mut is_first)? {
        if is_name(&body[candidate.range()], name) {
            return Some(&body[value.range()]);
        }
    }
    None
}

fn is_name(quoted: &[u8], name: &str) -> bool {
    if !quoted.contains(&b'\\') {
        return quoted.get(1..quoted.len() - 1) == Some(name.as_bytes());
    }
    serde_json::from_slice::<Cow<'_, str>>(quoted).is_ok_and(|unescaped| unescaped == name)
}

struct Scanner<'a> {
    body: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.body.get(self.at)? {
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                byte => return Some(*byte),
            }
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// The elements of the array that begins here.
    fn list(&mut self) -> Option<Vec<Span>> {
        let mut items = Vec::new();
        self.take(b'[')?;
        if self.peek()? == b']' {
            self.at += 1;
            return Some(items);
        }
        loop {
            items.push(self.value()?);
            match self.peek()? {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Some(items);
                }
                _ => return None,
            }
        }
    }

    /// The name and value of the next property of an object, which begins here if it is the first; `Some(None)` after
    /// the last.
    fn property(&mut self, is_first: &mut bool) -> Option<Option<(Span, Span)>> {
        let is_first = mem::take(is_first);
        if is_first {
            self.take(b'{')?;
        }
        match self.peek()? {
            b'}' => {
                self.at += 1;
                return Some(None);
            }
            b',' if !is_first => self.at += 1,
            _ if is_first => {}
            _ => return None,
        }
        self.peek().filter(|byte| *byte == b'"')?;
        let name = self.value()?;
        self.take(b':')?;
        Some(Some((name, self.value()?)))
    }

    /// Skips one value, which has at least one byte.
    fn value(&mut self) -> Option<Span> {
        let first = self.peek()?;
        let start = self.at;
        match first {
            b'"' => self.string()?,
            b'{' | b'[' => self.nested()?,
            b',' | b':' | b']' | b'}' => return None,
            _ => {
                let is_end = |byte: &u8| b",:]}[{\" \t\r\n".contains(byte);
                let rest = &self.body[start..];
                self.at += rest.iter().position(is_end).unwrap_or(rest.len());
            }
        }
        let (start, end) = (u32::try_from(start).ok()?, u32::try_from(self.at).ok()?);
        Some(Span { start, end })
    }

    fn string(&mut self) -> Option<()> {
        let mut rest = self.body.get(self.at + 1..)?.iter();
        loop {
            match rest.next()? {
                b'"' => break,
                b'\\' => drop(rest.next()?),
                _ => {}
            }
        }
        self.at = self.body.len() - rest.len();
        Some(())
    }

    /// Skips an array or object.
    fn nested(&mut self) -> Option<()> {
        let mut rest = self.body.get(self.at..)?.iter();
        let mut depth = 0usize;
        loop {
            match rest.next()? {
                b'"' => {
                    self.at = self.body.len() - rest.len() - 1;
                    self.string()?;
                    rest = self.body.get(self.at..)?.iter();
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth > 1 => depth -= 1,
                b'}' | b']' => break,
                _ => {}
            }
        }
        self.at = self.body.len() - rest.len();
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn texts(body: &[u8], spans: impl IntoIterator<Item = Span>) -> Vec<&[u8]> {
        let text = |span: Span| &body[span.range()];
        spans.into_iter().map(text).collect()
    }

    #[test]
    fn values_are_found_whatever_is_in_them() {
        let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
        let values: [&[u8]; 9] = [
            br#"{"a": "]},\"", "b": [1, {}]}"#,
            b"\"\xff\\\\\"",
            br#""\ud800""#,
            b"1e400",
            b"\"\x01\"",
            b"null",
            b"[}",
            b"\"\\\"\"",
            &deep,
        ];
        let list = values.join(&b" ,\n"[..]);
        for (head, tail) in [
            (&b" ["[..], &b"]"[..]),
            (br#"{"n": {"data": []}, "d\u0061ta" : ["#, br#"], "m":1}"#),
        ] {
            let body = [head, &list, tail].concat();
            let layout = layout(&body, "data").unwrap();
            assert_eq!(texts(&body, layout.items), values);
        }
        let body = br#" {"kind": "List", "data":[ ], "m": {"n": null}} "#;
        let layout = layout(body, "data").unwrap();
        assert!(layout.items.is_empty());
        let values = layout.rest.iter().map(|(_, value)| *value);
        assert_eq!(texts(body, values), [&br#""List""#[..], br#"{"n": null}"#]);
        assert_eq!(property(body, "m"), Some(&br#"{"n": null}"#[..]));
        assert_eq!(property(body, "o"), None);
    }

    #[test]
    fn what_has_no_such_list_says_so() {
        for (body, why) in [
            ("", "the body is neither a list nor an object"),
            ("7", "the body is neither a list nor an object"),
            ("{", "the body is not JSON"),
            ("[1", "the body is not JSON"),
            ("[,]", "the body is not JSON"),
            ("[1 2]", "the body is not JSON"),
            ("[1:2]", "the body is not JSON"),
            (r#"{data: []}"#, "the body is not JSON"),
            (r#"{"data": ["a]}"#, "the body is not JSON"),
            (r#"{"data": 7}"#, "`data` of the body is not a list"),
            (r#"{"data": null}"#, "`data` of the body is not a list"),
            (r#"{"other": []}"#, "the body has no `data`"),
            ("{}", "the body has no `data`"),
            (r#"{"data": []}]"#, "the body continues after its end"),
            ("[] {}", "the body continues after its end"),
            (r#"{"data": [], "data": []}"#, "duplicate field `data`"),
        ] {
            assert_eq!(
                layout(body.as_bytes(), "data"),
                Err(why.to_owned()),
                "{body}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_bytes_end(body: Vec<u8>) {
            drop(layout(&body, "data"));
        }

        #[test]
        fn the_items_of_json_are_found(texts in proptest::collection::vec("[ -~\u{e9}\n]{0,12}", 0..6), pretty: bool) {
            let items: Vec<Value> = texts.iter().map(|text| json!({ text: [text, { "a": text }] })).collect();
            let body = json!({ "data": items, "next": texts });
            let body = if pretty { serde_json::to_string_pretty(&body) } else { serde_json::to_string(&body) };
            let body = body.unwrap().into_bytes();
            let layout = layout(&body, "data").unwrap();
            let read = |span: &Span| serde_json::from_slice::<Value>(&body[span.range()]).unwrap();
            prop_assert_eq!(layout.items.iter().map(read).collect::<Vec<_>>(), items);
        }
    }
}

//! Turns descriptions of a document into Rust documentation.

/// Cleans text for rustdoc, so that it contains no doctest and every code block ends.
///
/// Code blocks become `text`, because rustdoc takes blocks without a language, and indented ones, for Rust. What rustdoc
/// takes for a link or a tag stays, because the output allows it.
pub(crate) fn clean(text: &str) -> Option<String> {
    let mut lines = Vec::new();
    let mut fence: Option<&str> = None;
    for line in text.trim().lines() {
        // Control characters and direction marks are dropped.
        let line: String = line
            .trim_end()
            .chars()
            .map(|letter| if letter == '\t' { ' ' } else { letter })
            .filter(|letter| !is_invisible(*letter))
            .collect();
        let trimmed = line.trim_start();
        // Four spaces would begin a code block.
        let indent = &"   "[..(line.len() - trimmed.len()).min(3)];
        let (markers, rest) = markers(trimmed);
        let opened = ["```", "~~~"]
            .into_iter()
            .find(|mark| rest.starts_with(mark));
        match (fence, opened) {
            (None, Some(mark)) => {
                let code = &rest[mark.len()..];
                if code.contains(mark) {
                    // A fence that ends on its line is inline code.
                    let code = code.replace(mark, "");
                    lines.push(format!("{indent}{markers}`{}`", code.trim()));
                } else if markers.contains('>') {
                    // A code block in a quote ends with the quote, so it becomes text.
                    lines.push(format!("{indent}{markers}{code}").trim_end().to_owned());
                } else {
                    if !markers.is_empty() {
                        lines.push(format!("{indent}{markers}").trim_end().to_owned());
                    }
                    fence = Some(mark);
                    lines.push(format!("{mark}text"));
                }
            }
            (Some(mark), Some(other)) if mark == other && markers.is_empty() => {
                fence = None;
                lines.push(mark.to_owned());
            }
            (Some(_), _) => lines.push(line),
            (None, None) => lines.push(format!("{indent}{markers}{rest}").trim_end().to_owned()),
        }
    }
    if let Some(mark) = fence {
        lines.push(mark.to_owned());
    }
    let text = lines.join("\n");
    (!text.trim().is_empty()).then_some(text)
}

/// Returns the markers of quotes and list items at the start of a line, each followed by one space, and the rest of the
/// line. Five spaces after a marker would begin a code block.
fn markers(line: &str) -> (String, &str) {
    let mut markers = String::new();
    let mut rest = line;
    loop {
        let digits = rest.len()
            - rest
                .trim_start_matches(|it: char| it.is_ascii_digit())
                .len();
        let after = match rest.strip_prefix('>') {
            Some(after) => Some(after),
            None if (1..10).contains(&digits) => rest[digits..].strip_prefix(['.', ')']),
            None => rest.strip_prefix(['-', '*', '+']),
        };
        let is_quote = rest.starts_with('>');
        let Some(after) = after.filter(|after| is_quote || after.starts_with(' ')) else {
            return (markers, rest);
        };
        markers.push_str(&rest[..rest.len() - after.len()]);
        markers.push(' ');
        rest = after.trim_start();
    }
}

/// Returns a text as inline code.
pub(crate) fn code(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.contains('`') {
        true => format!("`` {line} ``"),
        false if line.len() < text.len() => format!("`{line}`"),
        false => format!("`{text}`"),
    }
}

/// Whether a character moves the cursor or changes the direction of text.
pub(crate) fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Joins paragraphs without duplicates.
pub(crate) fn paragraphs<'a>(parts: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut kept: Vec<String> = Vec::new();
    for part in parts.into_iter().filter_map(clean) {
        if !kept.contains(&part) {
            kept.push(part);
        }
    }
    (!kept.is_empty()).then(|| kept.join("\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_description_becomes_a_test() {
        for (text, cleaned) in [
            ("One.\n\n    let x = 1;", "One.\n\n   let x = 1;"),
            ("```\ncode\n```\nafter", "```text\ncode\n```\nafter"),
            ("```json\n{}\n", "```text\n{}\n```"),
            ("~~~rust\nx\n~~~", "~~~text\nx\n~~~"),
            ("a ```b``` c", "a ```b``` c"),
            ("```curl x```", "`curl x`"),
            ("\tindented", "indented"),
            (
                "a\n\n>     quoted\n> ```\n> code\n> ```\nb",
                "a\n\n> quoted\n>\n> code\n>\nb",
            ),
            ("- ```sh\n  x\n  ```\n- b", "-\n```text\n  x\n```\n- b"),
            ("a\n\n-      code\n10.     more", "a\n\n- code\n10. more"),
            ("* * *\n-5\n**b** 1.5 2020.", "* * *\n-5\n**b** 1.5 2020."),
            ("```\n> - x\n- ```\n```", "```text\n> - x\n- ```\n```"),
        ] {
            assert_eq!(clean(text).as_deref(), Some(cleaned), "{text:?}");
        }
        for (text, _) in [(">     a\n- ```\nb", ()), ("1. > -     x\n```\ny", ())] {
            let once = clean(text);
            assert_eq!(clean(once.as_deref().unwrap_or_default()), once, "{text:?}");
        }
        assert_eq!(code("a\n```"), "`` a ``` ``");
        assert_eq!(clean(" \n "), None);
        assert_eq!(clean("a\u{202e}b\u{0}").as_deref(), Some("ab"));
    }
}

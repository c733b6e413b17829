//! A document's words as Rust documentation.

/// Cleans text for rustdoc: nothing in it is a test, and every block of code ends.
///
/// Blocks of code become `text`, because rustdoc takes blocks without a language, and indented ones, for
/// Rust programs. What rustdoc would take for a link or a tag stays as it is; the output allows it.
pub(crate) fn clean(text: &str) -> Option<String> {
    let mut lines = Vec::new();
    let mut fence: Option<&str> = None;
    for line in text.trim().lines() {
        // What moves the cursor or turns the text is no part of a description.
        let line: String = line
            .trim_end()
            .chars()
            .map(|letter| if letter == '\t' { ' ' } else { letter })
            .filter(|letter| !is_invisible(*letter))
            .collect();
        let trimmed = line.trim_start();
        let opened = ["```", "~~~"]
            .into_iter()
            .find(|mark| trimmed.starts_with(mark));
        match (fence, opened) {
            (None, Some(mark)) => {
                let rest = &trimmed[mark.len()..];
                if rest.contains(mark) {
                    // A fence that ends on its line is code within text.
                    lines.push(format!("`{}`", rest.replace(mark, "").trim()));
                    continue;
                }
                fence = Some(mark);
                lines.push(format!("{mark}text"));
            }
            (Some(mark), Some(other)) if mark == other => {
                fence = None;
                lines.push(mark.to_owned());
            }
            (Some(_), _) => lines.push(line),
            // Four blanks would begin a block of code.
            (None, None) => {
                let indent = (line.len() - trimmed.len()).min(3);
                lines.push(format!("{}{trimmed}", &"   "[..indent]));
            }
        }
    }
    if let Some(mark) = fence {
        lines.push(mark.to_owned());
    }
    let text = lines.join("\n");
    (!text.trim().is_empty()).then_some(text)
}

/// What moves the cursor or turns the direction of text around.
pub(crate) fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Paragraphs, each said once.
pub(crate) fn paragraphs<'a>(parts: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut said: Vec<String> = Vec::new();
    for part in parts.into_iter().filter_map(clean) {
        if !said.contains(&part) {
            said.push(part);
        }
    }
    (!said.is_empty()).then(|| said.join("\n\n"))
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
        ] {
            assert_eq!(clean(text).as_deref(), Some(cleaned), "{text:?}");
        }
        assert_eq!(clean(" \n "), None);
        assert_eq!(clean("a\u{202e}b\u{0}").as_deref(), Some("ab"));
    }
}

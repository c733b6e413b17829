//! Suggestions for misspelt words.

use org_invitations::nearest_word;

/// `; did you mean …?` for the most similar word, or nothing.
pub(crate) fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest_word(written, known)
        .map_or_else(String::new, |word| format!("; did you mean `{word}`?"))
}

/// Adds a suggestion to a message of serde about an unknown field or variant.
pub(crate) fn with_suggestion(message: &str) -> String {
    if !message.starts_with("unknown ") {
        return message.to_owned();
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let written = quoted.next().unwrap_or_default();
    format!("{message}{}", did_you_mean(written, quoted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_field_gets_a_suggestion() {
        let message = "unknown field `emial`, expected one of `email`, `roles`";
        let expected = format!("{message}; did you mean `email`?");
        assert_eq!(with_suggestion(message), expected);
        for message in [
            "unknown field `zzz`, expected `email`",
            "missing field `email`",
            "",
        ] {
            assert_eq!(with_suggestion(message), message);
        }
    }
}

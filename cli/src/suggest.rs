//! "Did you mean …?"

/// The known word that is closest to what was written, if any is close.
pub(crate) fn closest<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    const CLOSE: f64 = 0.7;
    let written = written.to_lowercase();
    known
        .into_iter()
        .map(|word| (strsim::jaro_winkler(&written, word), word))
        .filter(|(closeness, _)| *closeness > CLOSE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, word)| word)
}

/// `; did you mean …?`, or nothing.
pub(crate) fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    closest(written, known).map_or_else(String::new, |word| format!("; did you mean `{word}`?"))
}

/// What serde says of an unknown field or word, with the known one that is closest to it.
pub(crate) fn with_nearest(message: &str) -> String {
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
    fn an_unknown_field_has_its_nearest() {
        let message = "unknown field `emial`, expected one of `email`, `roles`";
        let wanted = format!("{message}; did you mean `email`?");
        assert_eq!(with_nearest(message), wanted);
        for message in [
            "unknown field `zzz`, expected `email`",
            "missing field `email`",
            "",
        ] {
            assert_eq!(with_nearest(message), message);
        }
    }
}

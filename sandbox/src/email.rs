//! Validating email addresses.

const MAX_BYTES: usize = 254;
const MAX_LOCAL_BYTES: usize = 64;
const MAX_LABEL_BYTES: usize = 63;

/// Whether `text` is a plain address: ASCII, an unquoted local part, a host name after the `@`.
///
/// Strict on purpose: an address that passes must be a valid `format: email` in a response.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    text.len() <= MAX_BYTES
        && local.len() <= MAX_LOCAL_BYTES
        && local.split('.').all(is_atom)
        && domain.split('.').all(is_label)
}

fn is_atom(atom: &str) -> bool {
    !atom.is_empty()
        && atom
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= MAX_LABEL_BYTES
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::is_email;

    #[test]
    fn common_addresses_are_valid() {
        for email in [
            "ada@example.com",
            "Ada.Lovelace+test@mail.example.co.uk",
            "o'neil@x-y.io",
            "a@localhost",
        ] {
            assert!(is_email(email), "{email}");
        }
    }

    #[test]
    fn malformed_addresses_are_invalid() {
        let long = format!("{}@example.com", "a".repeat(65));
        for email in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.com",
            "a b@example.com",
            "ada@example.com ",
            "ada@@example.com",
            "a..b@example.com",
            ".a@example.com",
            "ada@example..com",
            "ada@-example.com",
            "ada@exa\u{7}mple.com",
            "ädä@example.com",
            &long,
        ] {
            assert!(!is_email(email), "{email}");
        }
    }
}

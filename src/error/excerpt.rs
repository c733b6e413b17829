//! Limits of the text in errors.

/// The largest message, in bytes.
pub(super) const MESSAGE_BYTES: usize = 2_048;

/// The largest excerpt of a server's text, in bytes.
pub(super) const EXCERPT_BYTES: usize = 200;

/// The beginning of a text of any length.
pub(crate) fn excerpt(text: &str) -> String {
    if text.len() <= EXCERPT_BYTES {
        return text.to_owned();
    }
    format!("{}…", prefix(text, EXCERPT_BYTES))
}

/// A message of at most [`MESSAGE_BYTES`], which counts what is left out.
pub(super) fn truncate_message(message: String) -> String {
    if message.len() <= MESSAGE_BYTES {
        return message;
    }
    let begin = prefix(&message, MESSAGE_BYTES);
    format!("{begin}… ({} bytes more)", message.len() - begin.len())
}

fn prefix(text: &str, max: usize) -> &str {
    let end = (0..=max).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

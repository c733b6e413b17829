//! The version, and the documents from which the bindings are generated.

use std::{fmt::Write as _, sync::OnceLock};

use org_invitations::bindings;

use crate::output::escape_control;

/// The text of `--version`. `-V` prints the number alone.
pub(crate) fn long() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let mut text = format!("{}\n\nBindings generated from", env!("CARGO_PKG_VERSION"));
        for (provider, document) in bindings::documents() {
            // Writing to a `String` cannot fail.
            let _ = write!(
                text,
                "\n  {provider}: {}, {} {}{}\n    sha256 {}",
                escape_control(document.file),
                escape_control(document.title),
                escape_control(document.version),
                origin_note(document.is_own),
                document.sha256,
            );
        }
        text
    })
}

/// Marks a document that is not part of the library.
pub(crate) fn origin_note(is_own: bool) -> &'static str {
    if is_own {
        ""
    } else {
        " (not the library's own)"
    }
}

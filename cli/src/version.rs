//! What this is: the version, and the documents that the bindings were generated from.

use std::{fmt::Write as _, sync::OnceLock};

use org_invitations::bindings;

use crate::output::escape_control;

/// What `--version` prints; `-V` prints the number alone.
pub(crate) fn long() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let mut text = format!("{}\n\nBindings generated from", env!("CARGO_PKG_VERSION"));
        for (provider, document) in bindings::documents() {
            // Text takes any text.
            let _ = write!(
                text,
                "\n  {provider}: {}, {} {}{}\n    sha256 {}",
                escape_control(document.file),
                escape_control(document.title),
                escape_control(document.version),
                whose(document.is_own),
                document.sha256,
            );
        }
        text
    })
}

/// Marks a document that did not come with the library.
pub(crate) fn whose(is_own: bool) -> &'static str {
    if is_own {
        ""
    } else {
        " (not the library's own)"
    }
}

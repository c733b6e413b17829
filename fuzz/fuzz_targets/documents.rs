//! A vendor's document, whatever it holds: `cargo +nightly fuzz run documents`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use org_invitations_codegen::{Api, Document, Surface, check, diff, generate};

fuzz_target!(|data: &[u8]| {
    let Ok(document) = Document::parse("fuzz", data) else { return };
    for api in Api::recognise(&document) {
        let Ok(surface) = Surface::new(&document, api) else { continue };
        assert!(diff(&surface, &surface, api).is_empty());
        if check(&surface, api).is_ok() {
            generate(&document, api).expect("what passes the check generates");
        }
    }
});

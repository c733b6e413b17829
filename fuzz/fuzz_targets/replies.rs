//! A server's reply, whatever it holds: `cargo +nightly fuzz run replies`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| org_invitations::decode_anything(data));

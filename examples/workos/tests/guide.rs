//! What the guide quotes of this crate is in this crate.

use std::{collections::HashSet, fs, path::Path};

const FILES: &[&str] = &["src/lib.rs", "src/convert.rs", "tests/provider/main.rs"];

#[test]
fn the_guide_quotes_this_crate() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| fs::read_to_string(root.join(file)).unwrap();
    let sources: Vec<String> = FILES.iter().map(|file| read(file)).collect();
    let lines = sources.iter().flat_map(|source| source.lines());
    let lines: HashSet<&str> = lines.map(str::trim).collect();
    let guide = read("../../src/guide/custom_provider.md");
    let quotes = guide.split("```rust,ignore\n").skip(1);
    let quotes = quotes.flat_map(|quote| quote.split("```").next());
    let quoted: Vec<&str> = quotes.flat_map(str::lines).map(str::trim).collect();
    assert!(quoted.len() > 50, "{quoted:?}");
    for line in quoted {
        assert!(
            line.starts_with("//") || lines.contains(line),
            "the guide quotes a line that is not there: {line}"
        );
    }
}

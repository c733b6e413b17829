# The commands of the project; each line is plain cargo.

# Formats everything.
fmt:
    cargo fmt --all

# Lints everything; warnings are errors.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# The tests, as the README has them, and those of every crate.
test:
    cargo test
    cargo test --workspace

# The documentation; warnings are errors.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Licences and sources of the dependencies (cargo-deny).
deny:
    cargo deny check licenses bans sources

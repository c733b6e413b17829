# The commands of the project; each line is plain cargo, or a script in .ci.

# Formats everything.
fmt:
    cargo fmt --all

# Lints everything; warnings are errors.
lint:
    cargo fmt --all --check
    cargo clippy --all-targets -- -D warnings

# The tests of every crate but `sql`, as the README has them.
test:
    cargo test

# Lints and tests of everything with SQL in it: builds DataFusion.
sql:
    .ci/sql

# SQL beside DuckDB: random conditions over rows with nulls (needs python3 with venv and pip).
sql-differential *arguments:
    .ci/sql-differential {{arguments}}

# SQL on several processes: Apache Ballista with two executors, of which one is killed. Builds Ballista.
ballista:
    .ci/ballista

# The documentation; warnings are errors.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps

# Each feature of the library and each choice of TLS, alone and together.
features:
    .ci/features

# Licences and sources of the dependencies (cargo-deny), and those that nothing uses (cargo-machete).
deny:
    .ci/deny

# Spelling (typos-cli).
typos:
    typos

# What the vendors publish now, beside specs/ (needs curl and python3).
drift report="target/drift.md":
    .ci/drift {{report}}

# What generating the clients costs, in a debug and in a release build of the generator.
cost *documents="specs/confluent-iam-v2.yaml specs/confluent-apikeys-v2.yaml specs/confluent-mds-v2.yaml specs/confluent-org-v2.yaml specs/confluent-sts-v1.yaml specs/clickhouse-cloud-v1.json":
    cargo run --quiet -p org-invitations-codegen --example cost -- {{documents}}
    cargo run --quiet --release -p org-invitations-codegen --example cost -- {{documents}}

# The library side by side with hand-written code and what others do: the tables in bench/README.md. After the parts,
# `--rounds N` measures in fewer rounds, or more.
bench *parts="calls limit growth":
    cargo build --quiet --release -p org-invitations-cli
    cargo run --quiet --release -p org-invitations-bench -- {{parts}}

# What building costs, side by side with the published client; an hour and a half, or half an hour with
# `--rounds 1`.
bench-builds *arguments:
    cargo run --quiet --release -p org-invitations-bench -- builds {{arguments}}

# What the library's own hot paths take, and how that changed since the last time.
hot-paths *arguments:
    cargo bench -p org-invitations --bench hot_paths -- {{arguments}}

# The sandbox against OpenAPI documents: good and bad data, all checks (needs python3 with pip).
schemathesis *documents:
    .ci/schemathesis {{documents}}

# How many requests the sandbox answers and how fast, with a million invitations (needs wrk).
load *arguments:
    .ci/load {{arguments}}

# What is reported, beside what hostile servers hold, in raw sockets: prints every cell that is wrong.
hostile:
    cargo test -p org-invitations -p org-invitations-cli -p org-invitations-sandbox --test hostile --no-fail-fast

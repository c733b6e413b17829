//! Measures builds: of a program that uses the library, of one that uses the published client, of one that uses neither,
//! and of the command, from nothing and after changes.
//!
//! Everything is built from a copy of the repository, offline and with the versions of `Cargo.lock`, and the programs with
//! Cargo's default profiles. CPU time is that of Cargo and its children, which depends little on other load.

mod again;
mod build_script;
mod features;
mod vendors;
mod workspace;

use std::{env, error::Error, fmt::Write as _, fs};

use crate::{
    plot::thousands,
    readme::{Section, SummaryRow, machine},
    spread::Spread,
};

use self::{again::REBUILDS, workspace::Workspace};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How often each program is built from nothing, in turns.
pub const ROUNDS: usize = 5;

/// A program that prints the invitations of an organisation, with its dependencies.
struct Program {
    name: &'static str,
    title: &'static str,
    tls: &'static str,
    dependencies: &'static str,
    main: &'static str,
}

const RUSTLS: &str = "rustls";

const PEER: usize = 1;
const LIBRARY: usize = 2;
const EXPANDED: usize = 3;
const RING: usize = 4;

const PROGRAMS: [Program; 5] = [
    Program {
        name: "by-hand",
        title: "`reqwest` with rustls, `serde`, `chrono`, `tokio`",
        tls: RUSTLS,
        dependencies: "",
        main: include_str!("builds/by_hand.rs.txt"),
    },
    Program {
        name: "peer",
        title: "the same and the peer, `clickhouse-cloud-api` 0.5",
        tls: RUSTLS,
        dependencies: "clickhouse-cloud-api = \"0.5\"",
        main: include_str!("builds/peer.rs.txt"),
    },
    Program {
        name: "library",
        title: "the same and the library",
        tls: RUSTLS,
        dependencies: "org-invitations = { path = \"../repository\" }",
        main: include_str!("builds/library.rs.txt"),
    },
    Program {
        name: "expanded",
        title: "the same and the library with the generated code in place",
        tls: RUSTLS,
        dependencies: "org-invitations = { path = \"../repository-expanded\" }",
        main: include_str!("builds/library.rs.txt"),
    },
    Program {
        name: "ring",
        title: "the same and the library, with ring in place of aws-lc",
        tls: "rustls-no-provider",
        dependencies: r#"rustls = { version = "0.23", default-features = false, features = ["ring", "std", "tls12"] }
org-invitations = { path = "../repository", default-features = false, features = ["rustls-no-provider", "clickhouse", "confluent"] }"#,
        main: include_str!("builds/ring.rs.txt"),
    },
];

/// Builds everything in a temporary directory.
pub fn measure(rounds: usize) -> Result<Section> {
    let name = format!("org-invitations-builds-{}", std::process::id());
    let directory = env::temp_dir().join(name);
    let part = Workspace::create(directory.clone()).and_then(|it| measure_in(&it, rounds));
    fs::remove_dir_all(directory)?;
    part
}

fn measure_in(workspace: &Workspace, rounds: usize) -> Result<Section> {
    for program in &PROGRAMS {
        workspace.write(program)?;
    }
    let mut generated = Vec::new();
    let mut text = String::new();
    let mut cold = vec![Vec::new(); PROGRAMS.len()];
    for round in 1..=rounds {
        for (index, program) in PROGRAMS.iter().enumerate() {
            let cpu = workspace.cold(program)?.cpu_seconds;
            cold[index].push(cpu);
            if index == LIBRARY && round == 1 {
                generated = workspace.generated()?;
                workspace.expand(&generated)?;
            }
            let name = program.name;
            eprintln!("builds: {name}, round {round} of {rounds}: {cpu:.1} CPU s");
        }
    }
    let ratio = |program: usize, other: usize| {
        let rounds = cold[program].iter().zip(&cold[other]);
        Spread::of(rounds.map(|(program, other)| program / other))
    };
    writeln!(
        text,
        "| a program that lists invitations, with | crates | cold, CPU s, median (least–most) \
         | × the peer | release binary, stripped, MiB |\n|---|---|---|---|---|"
    )?;
    for (index, program) in PROGRAMS.iter().enumerate() {
        let cpu = Spread::of(cold[index].iter().copied());
        let of_peer = ratio(index, PEER);
        let size = match index {
            EXPANDED => "–".to_owned(),
            _ => format!("{:.1}", workspace.release_size(program)?),
        };
        writeln!(
            text,
            "| {} | {} | {cpu:.1} | {of_peer} | {size} |",
            program.title,
            workspace.count_crates(program)?,
        )?;
        eprintln!("builds: {} as a release", program.name);
    }
    let of_peer = ratio(LIBRARY, PEER);
    let mut summary = vec![
        SummaryRow {
            what: "cold build of a program with the library, CPU × that with the peer".to_owned(),
            measured: of_peer.to_string(),
            target: "≤ 1.1",
        },
        SummaryRow {
            what: "the same, generated code in place of the build script".to_owned(),
            measured: ratio(EXPANDED, PEER).to_string(),
            target: "",
        },
        SummaryRow {
            what: "the same with ring in place of aws-lc".to_owned(),
            measured: ratio(RING, PEER).to_string(),
            target: "",
        },
    ];

    // A later part that fails does not lose what was measured.
    eprintln!("{text}");

    let (rebuilds, rows) = workspace.rebuilds()?;
    write!(text, "\n{rebuilds}")?;
    summary.extend(rows);
    eprintln!("builds: again");

    let (vendors, rows) = workspace.vendors(rounds)?;
    write!(text, "\n{vendors}")?;
    summary.extend(rows);
    eprintln!("builds: one vendor alone");
    write!(text, "\n{}", workspace.features()?)?;

    write!(text, "\n{}", workspace.command()?)?;
    let lines: usize = generated.iter().map(|file| file.1.lines().count()).sum();
    writeln!(
        text,
        "\nRounds: {rounds}; again: {REBUILDS}. Generated: {} lines. Machine: {}.",
        thousands(lines as f64),
        machine()
    )?;
    Ok(Section { text, summary })
}

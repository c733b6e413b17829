//! What building costs: a program that uses the library, beside one that uses the published client and
//! one that has neither; the command; and building again.
//!
//! Everything is built from a copy of the repository, in a directory of its own, without a network and
//! with the versions of `Cargo.lock`; the programs with the profiles that Cargo has by itself. CPU
//! time is that of Cargo and all that it runs: what else the machine does changes it little.

use std::{
    collections::HashSet,
    env,
    error::Error,
    ffi::OsStr,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    plot::thousands,
    report::{Spread, machine},
    section::{Part, SummaryRow, repository},
    usage::{self, Usage},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How often each program is built from nothing, in turn.
const ROUNDS: usize = 5;

/// How often it is built again.
const AGAIN: usize = 7;

const BUILD: [&str; 3] = ["build", "--offline", "--quiet"];

/// A program that prints the invitations of an organisation, and what it has for that.
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
org-invitations = { path = "../repository", default-features = false, features = ["rustls-no-provider"] }"#,
        main: include_str!("builds/ring.rs.txt"),
    },
];

/// Builds everything, in a directory that is removed afterwards.
pub fn measure() -> Result<Part> {
    let name = format!("org-invitations-builds-{}", std::process::id());
    let place = Place(env::temp_dir().join(name));
    fs::create_dir_all(&place.0)?;
    let part = measure_in(&place);
    fs::remove_dir_all(&place.0)?;
    part
}

fn measure_in(place: &Place) -> Result<Part> {
    copy(&repository(), &place.at("repository"))?;
    for program in &PROGRAMS {
        place.write(program)?;
    }
    let mut generated = Vec::new();
    let mut text = String::new();
    let mut cold = vec![Vec::new(); PROGRAMS.len()];
    for round in 1..=ROUNDS {
        for (index, program) in PROGRAMS.iter().enumerate() {
            cold[index].push(place.cold(program)?.cpu_seconds);
            if index == LIBRARY && round == 1 {
                generated = place.generated()?;
                place.expand(&generated)?;
            }
            eprintln!("builds: {}, round {round} of {ROUNDS}", program.name);
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
            _ => format!("{:.1}", place.release_size(program)?),
        };
        writeln!(
            text,
            "| {} | {} | {:.1} ({:.1}–{:.1}) | {of_peer} | {size} |",
            program.title,
            place.crates(program)?,
            cpu.median,
            cpu.least,
            cpu.most,
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

    let (again, rows) = place.again()?;
    write!(text, "\n{again}")?;
    summary.extend(rows);
    eprintln!("builds: again");

    write!(text, "\n{}", place.command()?)?;
    let lines: usize = generated.iter().map(|file| file.1.lines().count()).sum();
    writeln!(
        text,
        "\n{ROUNDS} rounds; again: {AGAIN}. Generated: {} lines. Machine: {}.",
        thousands(lines as f64),
        machine()
    )?;
    Ok(Part { text, summary })
}

/// Where everything is built.
struct Place(PathBuf);

impl Place {
    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, program: &Program) -> Result<()> {
        let directory = self.at(program.name);
        fs::create_dir_all(directory.join("src"))?;
        let Program {
            tls, dependencies, ..
        } = program;
        let manifest = format!(
            r#"[package]
name = "program"
version = "0.0.0"
edition = "2024"

[workspace]

[dependencies]
chrono = {{ version = "0.4", default-features = false, features = ["clock", "serde", "std"] }}
reqwest = {{ version = "0.13", default-features = false, features = ["json", "{tls}"] }}
serde = {{ version = "1", features = ["derive"] }}
tokio = {{ version = "1", features = ["macros", "rt-multi-thread"] }}
{dependencies}
"#
        );
        fs::write(directory.join("Cargo.toml"), manifest)?;
        fs::write(directory.join("src/main.rs"), program.main)?;
        fs::copy(
            repository().join("Cargo.lock"),
            directory.join("Cargo.lock"),
        )?;
        Ok(())
    }

    /// Where a program's build goes.
    fn target(&self, name: &str) -> PathBuf {
        self.at("target").join(name)
    }

    fn cargo(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command
            .current_dir(self.at(name))
            .args(arguments)
            .env("CARGO_TARGET_DIR", self.target(name))
            .env_remove("RUSTFLAGS")
            .env_remove("RUSTC_WRAPPER");
        command
    }

    fn build(&self, name: &str) -> Result<Usage> {
        usage::of(&mut self.cargo(name, &BUILD))
    }

    /// From nothing, and as a dependency from a registry is built: a path would be built
    /// incrementally, which takes longer the first time.
    fn cold(&self, program: &Program) -> Result<Usage> {
        let target = self.target(program.name);
        if target.exists() {
            fs::remove_dir_all(target)?;
        }
        let mut command = self.cargo(program.name, &BUILD);
        usage::of(command.env("CARGO_INCREMENTAL", "0"))
    }

    /// How many packages are built, but for the program itself.
    fn crates(&self, program: &Program) -> Result<usize> {
        let arguments = [
            "tree",
            "--offline",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ];
        let output = self.cargo(program.name, &arguments).output()?;
        let text = String::from_utf8(output.stdout)?;
        let lines = text.lines().map(|line| line.trim_end_matches(" (*)"));
        Ok(lines.collect::<HashSet<_>>().len().saturating_sub(1))
    }

    fn release_size(&self, program: &Program) -> Result<f64> {
        let arguments = ["build", "--offline", "--quiet", "--release"];
        let mut command = self.cargo(program.name, &arguments);
        usage::of(command.env("CARGO_PROFILE_RELEASE_STRIP", "true"))?;
        mebibytes(&self.target(program.name).join("release/program"))
    }

    /// What the build script of the library wrote: file names and text.
    fn generated(&self) -> Result<Vec<(String, String)>> {
        let mut files = Vec::new();
        for file in fs::read_dir(self.build_script()?.0.join("out"))? {
            let file = file?;
            let name = file.file_name().to_string_lossy().into_owned();
            files.push((name, fs::read_to_string(file.path())?));
        }
        Ok(files)
    }

    /// The directories of the library's build script: what it wrote, and where it is itself.
    fn build_script(&self) -> Result<(PathBuf, PathBuf)> {
        let (mut written, mut itself) = (None, None);
        let builds = self.target(PROGRAMS[LIBRARY].name).join("debug/build");
        for directory in fs::read_dir(builds)? {
            let path = directory?.path();
            if path.join("out/clickhouse.rs").exists() {
                written = Some(path);
            } else if is_library(&path) {
                itself = Some(path.join("build-script-build"));
            }
        }
        Ok(written.zip(itself).ok_or("the build script left nothing")?)
    }

    /// The library without a build script.
    fn expand(&self, generated: &[(String, String)]) -> Result<()> {
        let expanded = self.at("repository-expanded");
        copy(&self.at("repository"), &expanded)?;
        fs::remove_file(expanded.join("build.rs"))?;
        let manifest = expanded.join("Cargo.toml");
        let text = fs::read_to_string(&manifest)?;
        let (before, rest) = text
            .split_once("[build-dependencies]")
            .ok_or("the library has no build dependencies")?;
        let after = rest.find("\n[").map_or("", |at| &rest[at..]);
        fs::write(&manifest, format!("{before}{after}"))?;
        for (name, text) in generated {
            fs::write(expanded.join("src/bindings").join(name), text)?;
        }
        let hooks = expanded.join("src/bindings/mod.rs");
        let text = fs::read_to_string(&hooks)?;
        let included = r#"concat!(env!("OUT_DIR"), "/", $file)"#;
        let in_place = r#"concat!(env!("CARGO_MANIFEST_DIR"), "/src/bindings/", $file)"#;
        if !text.contains(included) {
            return Err("the library includes its generated code otherwise".into());
        }
        fs::write(&hooks, text.replace(included, in_place))?;
        Ok(())
    }

    /// Building again: with nothing changed, a document, or a source file.
    fn again(&self) -> Result<(String, Vec<SummaryRow>)> {
        let library = PROGRAMS[LIBRARY].name;
        let document = self.at("repository/specs/clickhouse-cloud-v1.json");
        let source = self.at("repository/src/lib.rs");
        let touch = |file: &Path| fs::write(file, fs::read(file)?);
        self.build(library)?;
        let nothing = spread(|| self.build(library))?;
        let touched = spread(|| {
            touch(&document)?;
            self.build(library)
        })?;
        let edited = spread(|| {
            touch(&source)?;
            self.build(library)
        })?;
        let (written, script) = self.build_script()?;
        let script = spread(|| {
            let mut command = Command::new(&script);
            command
                .env("OUT_DIR", written.join("out"))
                .env("CARGO_MANIFEST_DIR", self.at("repository"))
                .stdout(Stdio::null());
            usage::of(&mut command)
        })?;
        let mut text = String::from(
            "| the program with the library, in a debug build | s on the clock, median (least–most) \
             | CPU s |\n|---|---|---|\n",
        );
        for (what, (wall, cpu)) in [
            ("built again, nothing changed", &nothing),
            ("built again after a document was touched", &touched),
            ("built again after `src/lib.rs` was touched", &edited),
            ("the build script alone: all clients generated", &script),
        ] {
            writeln!(text, "| {what} | {wall} | {cpu} |")?;
        }
        let rows = [
            (
                "generating all clients in a debug build, s",
                &script,
                "≤ 1 s",
            ),
            ("building again, nothing changed, s", &nothing, "≤ 0.3 s"),
            (
                "building again after a document was touched, s",
                &touched,
                "",
            ),
        ];
        let rows = rows.map(|(what, (wall, _), target)| SummaryRow {
            what: what.to_owned(),
            measured: wall.to_string(),
            target,
        });
        Ok((text, rows.into()))
    }

    /// The command, once, with the workspace's profiles.
    fn command(&self) -> Result<String> {
        let package = ["build", "--offline", "--quiet", "-p", "org-invitations-cli"];
        let debug = usage::of(&mut self.cargo("repository", &package))?;
        eprintln!("builds: the command");
        let mut release = self.cargo("repository", &[&package[..], &["--release"]].concat());
        let release = usage::of(release.env("CARGO_PROFILE_RELEASE_STRIP", "true"))?;
        let binary = self.target("repository").join("release/org-invitations");
        Ok(format!(
            "The command, from nothing: {:.1} s of CPU time in a debug build, {:.1} in a release \
             build, whose binary has {:.1} MiB, stripped.\n",
            debug.cpu_seconds,
            release.cpu_seconds,
            mebibytes(&binary)?
        ))
    }
}

/// Whether a directory of build scripts is that of the library, with the script itself.
fn is_library(directory: &Path) -> bool {
    let name = directory.file_name().and_then(OsStr::to_str);
    // Its name, a hyphen, and a hash without one.
    let name = name.and_then(|name| name.rsplit_once('-'));
    name.is_some_and(|(name, _)| name == "org-invitations")
        && directory.join("build-script-build").exists()
}

/// Time on the clock and of the processor, over all repetitions.
fn spread(mut run: impl FnMut() -> Result<Usage>) -> Result<(Spread, Spread)> {
    let usages = (0..AGAIN).map(|_| run()).collect::<Result<Vec<_>>>()?;
    Ok((
        Spread::of(usages.iter().map(|usage| usage.wall_seconds)),
        Spread::of(usages.iter().map(|usage| usage.cpu_seconds)),
    ))
}

fn mebibytes(file: &Path) -> Result<f64> {
    Ok(fs::metadata(file)?.len() as f64 / f64::from(1 << 20))
}

/// Copies a directory, but for what Git and Cargo have in it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let target = to.join(&name);
        if name == ".git" || name == "target" {
            continue;
        } else if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

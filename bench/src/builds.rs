//! Measures builds: of a program that uses the library, of one that uses the published client, of one that uses neither,
//! and of the command, from nothing and after changes.
//!
//! Everything is built from a copy of the repository, offline and with the versions of `Cargo.lock`, and the programs with
//! Cargo's default profiles. CPU time is that of Cargo and its children, which depends little on other load.

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
    calls::{Spread, machine},
    plot::thousands,
    readme::{Section, SummaryRow, repository},
    resources::{self, Usage},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How often each program is built from nothing, in turns.
const ROUNDS: usize = 5;

/// How often a program is rebuilt.
const REBUILDS: usize = 7;

const BUILD_ARGUMENTS: [&str; 3] = ["build", "--offline", "--quiet"];

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
org-invitations = { path = "../repository", default-features = false, features = ["rustls-no-provider"] }"#,
        main: include_str!("builds/ring.rs.txt"),
    },
];

/// Builds everything in a temporary directory.
pub fn measure() -> Result<Section> {
    let name = format!("org-invitations-builds-{}", std::process::id());
    let workspace = Workspace(env::temp_dir().join(name));
    fs::create_dir_all(&workspace.0)?;
    let part = measure_in(&workspace);
    fs::remove_dir_all(&workspace.0)?;
    part
}

fn measure_in(workspace: &Workspace) -> Result<Section> {
    copy_directory(&repository(), &workspace.at("repository"))?;
    for program in &PROGRAMS {
        workspace.write(program)?;
    }
    let mut generated = Vec::new();
    let mut text = String::new();
    let mut cold = vec![Vec::new(); PROGRAMS.len()];
    for round in 1..=ROUNDS {
        for (index, program) in PROGRAMS.iter().enumerate() {
            cold[index].push(workspace.cold(program)?.cpu_seconds);
            if index == LIBRARY && round == 1 {
                generated = workspace.generated()?;
                workspace.expand(&generated)?;
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
            _ => format!("{:.1}", workspace.release_size(program)?),
        };
        writeln!(
            text,
            "| {} | {} | {:.1} ({:.1}–{:.1}) | {of_peer} | {size} |",
            program.title,
            workspace.count_crates(program)?,
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

    let (rebuilds, rows) = workspace.rebuilds()?;
    write!(text, "\n{rebuilds}")?;
    summary.extend(rows);
    eprintln!("builds: again");

    write!(text, "\n{}", workspace.command()?)?;
    let lines: usize = generated.iter().map(|file| file.1.lines().count()).sum();
    writeln!(
        text,
        "\n{ROUNDS} rounds; again: {REBUILDS}. Generated: {} lines. Machine: {}.",
        thousands(lines as f64),
        machine()
    )?;
    Ok(Section { text, summary })
}

/// The directory of all builds.
struct Workspace(PathBuf);

impl Workspace {
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

    /// The target directory of a program.
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
        resources::measure_command(&mut self.cargo(name, &BUILD_ARGUMENTS))
    }

    /// Builds from nothing without incremental compilation, as a dependency from a registry is built.
    fn cold(&self, program: &Program) -> Result<Usage> {
        let target = self.target(program.name);
        if target.exists() {
            fs::remove_dir_all(target)?;
        }
        let mut command = self.cargo(program.name, &BUILD_ARGUMENTS);
        resources::measure_command(command.env("CARGO_INCREMENTAL", "0"))
    }

    /// Counts the packages that are built, without the program itself.
    fn count_crates(&self, program: &Program) -> Result<usize> {
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
        resources::measure_command(command.env("CARGO_PROFILE_RELEASE_STRIP", "true"))?;
        mebibytes(&self.target(program.name).join("release/program"))
    }

    /// Returns the output of the library's build script: file names and text.
    fn generated(&self) -> Result<Vec<(String, String)>> {
        let mut files = Vec::new();
        for file in fs::read_dir(self.build_script()?.0.join("out"))? {
            let file = file?;
            let name = file.file_name().to_string_lossy().into_owned();
            files.push((name, fs::read_to_string(file.path())?));
        }
        Ok(files)
    }

    /// Returns the output directory of the library's build script, and the path of the script.
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

    /// Creates a copy of the library with the generated code and without a build script.
    fn expand(&self, generated: &[(String, String)]) -> Result<()> {
        let expanded = self.at("repository-expanded");
        copy_directory(&self.at("repository"), &expanded)?;
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

    /// Measures rebuilds: with nothing changed, with a changed document, and with a changed source file.
    fn rebuilds(&self) -> Result<(String, Vec<SummaryRow>)> {
        let library = PROGRAMS[LIBRARY].name;
        let document = self.at("repository/specs/clickhouse-cloud-v1.json");
        let source = self.at("repository/src/lib.rs");
        let touch = |file: &Path| fs::write(file, fs::read(file)?);
        self.build(library)?;
        let nothing = measure_rebuilds(|| self.build(library))?;
        let touched = measure_rebuilds(|| {
            touch(&document)?;
            self.build(library)
        })?;
        let edited = measure_rebuilds(|| {
            touch(&source)?;
            self.build(library)
        })?;
        let (written, script) = self.build_script()?;
        let script = measure_rebuilds(|| {
            let mut command = Command::new(&script);
            command
                .env("OUT_DIR", written.join("out"))
                .env("CARGO_MANIFEST_DIR", self.at("repository"))
                .stdout(Stdio::null());
            resources::measure_command(&mut command)
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

    /// Measures builds of the command, with the workspace's profiles.
    fn command(&self) -> Result<String> {
        let package = ["build", "--offline", "--quiet", "-p", "org-invitations-cli"];
        let debug = resources::measure_command(&mut self.cargo("repository", &package))?;
        eprintln!("builds: the command");
        let mut release = self.cargo("repository", &[&package[..], &["--release"]].concat());
        let release =
            resources::measure_command(release.env("CARGO_PROFILE_RELEASE_STRIP", "true"))?;
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

/// Whether a directory contains the build script of the library.
fn is_library(directory: &Path) -> bool {
    let name = directory.file_name().and_then(OsStr::to_str);
    // The name of the directory is the package's name, a hyphen, and a hash.
    let name = name.and_then(|name| name.rsplit_once('-'));
    name.is_some_and(|(name, _)| name == "org-invitations")
        && directory.join("build-script-build").exists()
}

/// Returns wall time and CPU time over all repetitions.
fn measure_rebuilds(mut run: impl FnMut() -> Result<Usage>) -> Result<(Spread, Spread)> {
    let usages = (0..REBUILDS).map(|_| run()).collect::<Result<Vec<_>>>()?;
    Ok((
        Spread::of(usages.iter().map(|usage| usage.wall_seconds)),
        Spread::of(usages.iter().map(|usage| usage.cpu_seconds)),
    ))
}

fn mebibytes(file: &Path) -> Result<f64> {
    Ok(fs::metadata(file)?.len() as f64 / f64::from(1 << 20))
}

/// Copies a directory without `.git` and `target`.
fn copy_directory(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let target = to.join(&name);
        if name == ".git" || name == "target" {
            continue;
        } else if entry.file_type()?.is_dir() {
            copy_directory(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

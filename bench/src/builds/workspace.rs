//! The directory of all builds: the copy of the repository, the programs, and what Cargo makes of them.

use std::{
    collections::HashSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Program, Result};
use crate::{
    readme::repository,
    resources::{self, Usage},
};

const BUILD_ARGUMENTS: [&str; 3] = ["build", "--offline", "--quiet"];

/// The directory of all builds.
pub struct Workspace(PathBuf);

impl Workspace {
    /// Copies the repository into a directory that does not exist yet.
    pub fn create(directory: PathBuf) -> Result<Self> {
        let workspace = Self(directory);
        copy_directory(&repository(), &workspace.at("repository"))?;
        Ok(workspace)
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, program: &Program) -> Result<()> {
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
    pub fn target(&self, name: &str) -> PathBuf {
        self.at("target").join(name)
    }

    pub fn cargo(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command
            .current_dir(self.at(name))
            .args(arguments)
            .env("CARGO_TARGET_DIR", self.target(name))
            .env_remove("RUSTFLAGS")
            .env_remove("RUSTC_WRAPPER");
        command
    }

    pub fn build(&self, name: &str) -> Result<Usage> {
        resources::measure_command(&mut self.cargo(name, &BUILD_ARGUMENTS))
    }

    /// Builds from nothing without incremental compilation, as a dependency from a registry is built.
    pub fn cold(&self, program: &Program) -> Result<Usage> {
        let target = self.target(program.name);
        if target.exists() {
            fs::remove_dir_all(target)?;
        }
        let mut command = self.cargo(program.name, &BUILD_ARGUMENTS);
        resources::measure_command(command.env("CARGO_INCREMENTAL", "0"))
    }

    /// Builds a program without incremental compilation in the target directory of another, which has the same
    /// dependencies.
    pub fn build_beside(&self, program: &Program, other: &Program) -> Result<Usage> {
        let mut command = self.cargo(program.name, &BUILD_ARGUMENTS);
        command
            .env("CARGO_TARGET_DIR", self.target(other.name))
            .env("CARGO_INCREMENTAL", "0");
        resources::measure_command(&mut command)
    }

    /// Counts the packages that are built, without the program itself.
    pub fn count_crates(&self, program: &Program) -> Result<usize> {
        Ok(self.crates(program.name, &[])?.len().saturating_sub(1))
    }

    /// Returns the packages that are built, as Cargo names them.
    pub fn crates(&self, name: &str, selection: &[&str]) -> Result<HashSet<String>> {
        // Not offline: the tree names crates of features that nothing here has built.
        let arguments = [
            "tree",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ];
        let mut command = self.cargo(name, &arguments);
        let output = command.args(selection).output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        let text = String::from_utf8(output.stdout)?;
        let lines = text.lines().map(|line| line.trim_end_matches(" (*)"));
        Ok(lines.map(str::to_owned).collect())
    }

    /// Returns the size of a release binary in MiB. The programs share a target directory, because the time is not
    /// measured.
    pub fn release_size(&self, program: &Program) -> Result<f64> {
        let arguments = ["build", "--offline", "--quiet", "--release"];
        let mut command = self.cargo(program.name, &arguments);
        command
            .env("CARGO_TARGET_DIR", self.target("release"))
            .env("CARGO_PROFILE_RELEASE_STRIP", "true");
        resources::measure_command(&mut command)?;
        mebibytes(&self.target("release").join("release/program"))
    }

    /// Measures builds of the command, with the workspace's profiles.
    pub fn command(&self) -> Result<String> {
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

fn mebibytes(file: &Path) -> Result<f64> {
    Ok(fs::metadata(file)?.len() as f64 / f64::from(1 << 20))
}

/// Makes a file as new as if it was edited.
pub fn touch(file: &Path) -> Result<()> {
    Ok(fs::write(file, fs::read(file)?)?)
}

/// Copies a directory without `.git` and `target`.
pub fn copy_directory(from: &Path, to: &Path) -> Result<()> {
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

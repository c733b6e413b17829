//! The library's build script and its output.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use super::{
    LIBRARY, PROGRAMS, Result,
    workspace::{Workspace, copy_directory},
};

impl Workspace {
    /// Returns the Rust files that the library's build script generates: their names and texts.
    pub fn generated(&self) -> Result<Vec<(String, String)>> {
        let mut files = Vec::new();
        for file in fs::read_dir(self.build_script()?.0.join("out"))? {
            let file = file?;
            let name = file.file_name().to_string_lossy().into_owned();
            // Beside them are documents that say the same.
            if name.ends_with(".rs") {
                files.push((name, fs::read_to_string(file.path())?));
            }
        }
        Ok(files)
    }

    /// Returns the output directory of the library's build script, and the path of the script.
    pub fn build_script(&self) -> Result<(PathBuf, PathBuf)> {
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
    pub fn expand(&self, generated: &[(String, String)]) -> Result<()> {
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
}

/// Whether a directory contains the build script of the library.
fn is_library(directory: &Path) -> bool {
    let name = directory.file_name().and_then(OsStr::to_str);
    // The name of the directory is the package's name, a hyphen, and a hash.
    let name = name.and_then(|name| name.rsplit_once('-'));
    name.is_some_and(|(name, _)| name == "org-invitations")
        && directory.join("build-script-build").exists()
}

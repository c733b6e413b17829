//! Changing the configuration file. What else is in it stays as it is, comments too.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use org_invitations::ProviderKind;
use serde_json::Value as Json;
use toml_edit::{DocumentMut, Item, Table, Value, value};

use super::{ConfigFile, ConfigPath};
use crate::{failure::Failure, private_file};

/// The configuration file, to be changed and saved.
pub(crate) struct ConfigEdit {
    path: PathBuf,
    document: DocumentMut,
    /// The file as it is, if it exists.
    pub file: Option<ConfigFile>,
}

/// A profile to be written.
pub(crate) struct NewProfile {
    pub kind: ProviderKind,
    pub organization_id: Option<String>,
    pub api_key: String,
    pub secret: SecretSource,
    pub base_url: Option<String>,
    /// Further settings by their dotted path.
    pub connection: Vec<(&'static str, Json)>,
}

/// Where the secret of a profile is found; the secret itself is not written.
#[derive(Clone, Debug)]
pub(crate) enum SecretSource {
    Command(String),
    File(String),
    Variable(String),
}

impl SecretSource {
    fn key_and_value(&self) -> (&'static str, &str) {
        match self {
            Self::Command(text) => ("api_secret_command", text),
            Self::File(text) => ("api_secret_file", text),
            Self::Variable(text) => ("api_secret_variable", text),
        }
    }
}

impl ConfigEdit {
    /// Reads the file, which need not exist.
    pub fn open(config_path: &ConfigPath) -> Result<Self, Failure> {
        let Some(path) = config_path.path.clone() else {
            let message = "this system names no folder for configuration; pass --config-file FILE";
            return Err(Failure::Usage(message.to_owned()));
        };
        let cannot = |error: io::Error| {
            let (path, source) = (path.display(), &config_path.source);
            Failure::Usage(format!(
                "cannot read the configuration file {path} ({source}): {error}"
            ))
        };
        let text = match fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(cannot(error)),
        };
        // Its errors name the line and quote no value.
        let file = text
            .as_deref()
            .map(|text| ConfigFile::parse(path.clone(), text));
        let file = file.transpose()?;
        let document = text.unwrap_or_default().parse::<DocumentMut>();
        let document = document
            .map_err(|error| Failure::Usage(format!("{}: {}", path.display(), error.message())))?;
        Ok(Self {
            path,
            document,
            file,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file has this profile.
    pub fn has_profile(&self, name: &str) -> bool {
        let file = self.file.as_ref();
        file.is_some_and(|file| file.profiles.contains_key(name))
    }

    /// Adds a profile, or replaces the one of this name where it is.
    pub fn set_profile(&mut self, name: &str, profile: &NewProfile) -> Result<(), Failure> {
        let mut table = Table::new();
        table.insert("provider", value(profile.kind.as_str()));
        if let Some(id) = &profile.organization_id {
            table.insert("organization_id", value(id));
        }
        table.insert("api_key", value(&profile.api_key));
        let (key, text) = profile.secret.key_and_value();
        table.insert(key, value(text));
        if let Some(url) = &profile.base_url {
            table.insert("base_url", value(url));
        }
        for (path, json) in &profile.connection {
            let setting = match json {
                Json::Number(number) => Value::from(number.as_f64().unwrap_or_default()),
                Json::String(text) => Value::from(text),
                _ => continue,
            };
            insert_dotted(&mut table, path, setting);
        }
        let profiles = self.document.entry("profiles").or_insert_with(|| {
            let mut profiles = Table::new();
            profiles.set_implicit(true);
            Item::Table(profiles)
        });
        // The comment above a profile stays with it.
        if let Some(before) = profiles.get(name).and_then(Item::as_table) {
            *table.decor_mut() = before.decor().clone();
            table.set_position(before.position());
        } else if !self
            .file
            .as_ref()
            .is_none_or(|file| file.profiles.is_empty())
        {
            table.decor_mut().set_prefix("\n");
        }
        let Some(profiles) = profiles.as_table_like_mut() else {
            let path = self.path.display();
            return Err(Failure::Usage(format!("{path}: `profiles` must be tables")));
        };
        profiles.insert(name, Item::Table(table));
        Ok(())
    }

    /// Makes a profile the default one.
    pub fn set_default(&mut self, name: &str) {
        let root = self.document.as_table_mut();
        match root.get_mut("default_profile").and_then(Item::as_value_mut) {
            Some(before) => {
                // The comment behind the value stays.
                let decor = before.decor().clone();
                *before = Value::from(name);
                *before.decor_mut() = decor;
            }
            None => {
                root.insert("default_profile", value(name));
                // A blank line before the first table, unless it brings its own.
                let first = root.iter_mut().find_map(|(_, item)| first_table(item));
                if let Some(table) = first {
                    let prefix = table.decor().prefix().and_then(|prefix| prefix.as_str());
                    let prefix = prefix.unwrap_or_default().to_owned();
                    if !prefix.starts_with('\n') {
                        table.decor_mut().set_prefix(format!("\n{prefix}"));
                    }
                }
            }
        }
    }

    /// Checks the new text and writes it in place of the old one, for the owner only.
    ///
    /// # Errors
    ///
    /// The new text is no valid configuration, which leaves the file as it was, or it cannot be written.
    pub fn save(self) -> Result<(), Failure> {
        let text = self.document.to_string();
        ConfigFile::parse(self.path.clone(), &text)?;
        let cannot = |error: io::Error| {
            let path = self.path.display();
            Failure::Other(format!(
                "cannot write the configuration file {path}: {error}"
            ))
        };
        // A link stays a link to the changed file.
        let path = target_of(&self.path);
        // The folder alone decides about a replacement; the owner decided about the file.
        if fs::metadata(&path).is_ok_and(|metadata| metadata.permissions().readonly()) {
            return Err(cannot(io::ErrorKind::PermissionDenied.into()));
        }
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            fs::create_dir_all(folder).map_err(cannot)?;
        }
        let temporary = path.with_extension(format!("toml.{}", std::process::id()));
        let written =
            private_file::open(&temporary, OpenOptions::new().write(true).create_new(true))
                .and_then(|mut file| {
                    file.write_all(text.as_bytes())?;
                    file.sync_all()
                })
                .and_then(|()| fs::rename(&temporary, &path));
        written.map_err(|error| {
            let _ = fs::remove_file(&temporary);
            cannot(error)
        })
    }
}

/// The file that a path leads to, also if the last link leads to nothing yet.
fn target_of(path: &Path) -> PathBuf {
    if let Ok(target) = fs::canonicalize(path) {
        return target;
    }
    let mut target = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(next) = fs::read_link(&target) else {
            break;
        };
        target = target.parent().unwrap_or(Path::new("")).join(next);
    }
    target
}

/// As many links as systems follow.
const MAX_LINKS: usize = 40;

/// Inserts a value at a dotted path, as dotted keys of one table.
fn insert_dotted(table: &mut Table, path: &str, setting: Value) {
    let Some((name, rest)) = path.split_once('.') else {
        table.insert(path, Item::Value(setting));
        return;
    };
    let inner = table.entry(name).or_insert_with(|| {
        let mut inner = Table::new();
        inner.set_dotted(true);
        Item::Table(inner)
    });
    if let Some(inner) = inner.as_table_mut() {
        insert_dotted(inner, rest, setting);
    }
}

/// The first table with a header of its own in an item.
fn first_table(item: &mut Item) -> Option<&mut Table> {
    let table = item.as_table_mut()?;
    if !table.is_implicit() {
        return Some(table);
    }
    table.iter_mut().find_map(|(_, item)| first_table(item))
}

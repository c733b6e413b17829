//! The report of `doctor`, for people and programs.

use org_invitations::{
    ProviderKind,
    bindings::{self, SourceDocument},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    audit::AuditSetting,
    config::{ResolvedValue, Selection},
    output::{Cell, ERROR, Output, Record, SUCCESS, WARNING, escape_control},
    version::origin_note,
};

/// The report of `doctor`.
#[derive(Debug)]
pub(super) struct DoctorReport {
    /// The configuration file, whether it exists or not.
    pub config_file: FileReport,
    /// The audit log, if one is set.
    pub audit_log: Option<AuditSetting>,
    /// The examined providers.
    pub providers: Vec<ProviderReport>,
}

/// A document from which the bindings are generated.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DocumentReport {
    /// The provider whose API the document describes.
    pub provider: &'static str,
    /// The title of the document.
    pub title: &'static str,
    /// The version of the document.
    pub version: &'static str,
    /// The name of the file.
    pub file: &'static str,
    /// The SHA-256 of the file.
    pub sha256: &'static str,
    /// Whether the document is part of the library.
    pub is_own: bool,
}

impl DocumentReport {
    /// The documents of a provider.
    pub fn of(kind: ProviderKind) -> Vec<Self> {
        let report = |(provider, document): (&'static str, &'static SourceDocument)| Self {
            provider,
            title: document.title,
            version: document.version,
            file: document.file,
            sha256: document.sha256,
            is_own: document.is_own,
        };
        let documents = bindings::documents().map(report);
        documents
            .filter(|document| document.provider == kind.as_str())
            .collect()
    }
}

/// The configuration file.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "ConfigFile")]
pub(crate) struct FileReport {
    /// The path of the file.
    pub path: Option<String>,
    /// The flag or variable that names the file, or `default`.
    pub source: String,
    /// Whether the file exists.
    pub found: bool,
    /// A warning if a secret is in the file and users other than the owner can read it.
    pub warning: Option<String>,
}

/// The report on one provider.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ProviderReport {
    /// `confluent` or `clickhouse`.
    pub provider: String,
    /// The flag, variable or profile that selects the provider.
    pub chosen_by: String,
    /// The profile of the provider, if it has one.
    pub profile: Option<String>,
    /// The configuration file, whether it exists or not.
    pub config_file: FileReport,
    /// The documents from which the bindings are generated.
    pub documents: Vec<DocumentReport>,
    /// Every value that is set, and the base URL and the proxy in use.
    pub values: Vec<ValueReport>,
    /// The checks in order.
    pub checks: Vec<CheckReport>,
}

/// A value that is set.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ValueReport {
    /// The key in the configuration file.
    pub name: String,
    /// The value; `[redacted]` for a secret.
    pub value: String,
    /// The flag, variable or profile that sets the value; `default` if nothing does.
    pub source: String,
    /// The overridden sources.
    pub preferred_to: Vec<String>,
}

/// The result of a check.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct CheckReport {
    /// `configuration`, `reachability`, `clock`, `credential` or `permission`.
    pub check: String,
    /// The outcome of the check.
    pub outcome: Verdict,
    /// The details of the outcome.
    pub detail: String,
}

/// The outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// The check passed.
    Ok,
    /// The check passed with a warning.
    Warning,
    /// The check failed.
    Failed,
    /// Skipped because of another check.
    Skipped,
    /// What is checked cannot be known without a change.
    Unknown,
}

impl FileReport {
    pub fn new(selection: &Selection) -> Self {
        let config_path = &selection.config_path;
        let file = selection.file.as_ref();
        Self {
            path: config_path
                .path
                .as_ref()
                .map(|path| path.display().to_string()),
            source: config_path.source.clone(),
            found: file.is_some(),
            warning: file.and_then(|file| file.warning.clone()),
        }
    }
}

impl ValueReport {
    pub fn new(value: &ResolvedValue) -> Self {
        Self {
            name: value.name.clone(),
            value: value.display.clone(),
            source: value.source.clone(),
            preferred_to: value.overridden.clone(),
        }
    }
}

impl Record for &ValueReport {
    const TABLE: &'static [&'static str] = &["KEY", "VALUE", "SOURCE"];
    const CSV: &'static [&'static str] = Self::TABLE;
    const WRAPPED: &'static [&'static str] = &["SOURCE", "VALUE"];

    fn line(&self) -> Vec<String> {
        let source = match self.preferred_to.as_slice() {
            [] => self.source.clone(),
            others => format!("{} (overrides {})", self.source, others.join(", ")),
        };
        vec![self.name.clone(), self.value.clone(), source]
    }
}

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Unknown => "unknown",
        }
    }
}

impl Record for &CheckReport {
    const TABLE: &'static [&'static str] = &["CHECK", "OUTCOME", "DETAIL"];
    const CSV: &'static [&'static str] = Self::TABLE;
    const WRAPPED: &'static [&'static str] = &["DETAIL"];

    fn row(&self) -> Vec<Cell> {
        let style = match self.outcome {
            Verdict::Ok => Some(SUCCESS),
            Verdict::Warning => Some(WARNING),
            Verdict::Failed => Some(ERROR),
            Verdict::Skipped | Verdict::Unknown => None,
        };
        let outcome = Cell::new(self.outcome.as_str()).styled(style);
        vec![Cell::new(&self.check), outcome, Cell::new(&self.detail)]
    }

    fn line(&self) -> Vec<String> {
        let outcome = self.outcome.as_str().to_owned();
        vec![self.check.clone(), outcome, self.detail.clone()]
    }
}

/// A check and its provider.
#[derive(Serialize)]
struct ProviderCheck<'a> {
    of: &'a ProviderReport,
    check: CheckReport,
}

impl Record for ProviderCheck<'_> {
    const TABLE: &'static [&'static str] = &["PROVIDER", "CHECK", "OUTCOME", "DETAIL"];
    const CSV: &'static [&'static str] = &["provider", "check", "outcome", "detail"];
    const WRAPPED: &'static [&'static str] = &["DETAIL"];
    const DROPPED: &'static [&'static str] = &["PROVIDER"];

    fn profile(&self) -> Option<&str> {
        self.of.profile.as_deref()
    }

    fn row(&self) -> Vec<Cell> {
        let mut row = (&self.check).row();
        row.insert(0, Cell::new(&self.of.provider));
        row
    }

    fn line(&self) -> Vec<String> {
        let mut line = (&self.check).line();
        line.insert(0, self.of.provider.clone());
        line
    }
}

impl ProviderReport {
    fn has(&self, outcome: Verdict) -> bool {
        self.checks.iter().any(|check| check.outcome == outcome)
    }
}

impl DoctorReport {
    /// Prints every check of every provider.
    pub fn show_checks(&self, with_profiles: bool, out: &mut Output) -> std::io::Result<()> {
        let mut records = out.records();
        if with_profiles {
            records = records.with_profiles(0);
        }
        for of in &self.providers {
            for check in of.checks.iter().cloned() {
                records.push(&ProviderCheck { of, check })?;
            }
        }
        records.finish()
    }

    /// Prints the checks of many profiles that did not pass, and a row for each profile without one.
    pub fn show_problems(&self, out: &mut Output) -> std::io::Result<()> {
        self.show_file(out)?;
        out.line("")?;
        let mut records = out.records().with_profiles(0);
        for of in &self.providers {
            let is_problem =
                |check: &&CheckReport| matches!(check.outcome, Verdict::Warning | Verdict::Failed);
            let problems = of.checks.iter().filter(is_problem);
            let mut shown: Vec<CheckReport> = problems.cloned().collect();
            if shown.is_empty() {
                let passed = |check: &&CheckReport| check.outcome == Verdict::Ok;
                let last = of.checks.iter().rfind(passed);
                shown.push(CheckReport {
                    check: "all".to_owned(),
                    outcome: Verdict::Ok,
                    detail: last.map(|check| check.detail.clone()).unwrap_or_default(),
                });
            }
            for check in shown {
                records.push(&ProviderCheck { of, check })?;
            }
        }
        records.finish()?;
        let count = self.providers.len();
        let failed = self
            .providers
            .iter()
            .filter(|of| of.has(Verdict::Failed))
            .count();
        eprintln!(
            "{count} profiles: {} passed, {failed} failed",
            count - failed
        );
        Ok(())
    }

    fn show_file(&self, out: &mut Output) -> std::io::Result<()> {
        let file = &self.config_file;
        let found = if file.found { "" } else { ", not found" };
        let path = file.path.as_deref().unwrap_or("unknown path");
        out.line(&format!(
            "configuration file: {} ({}{found})",
            escape_control(path),
            file.source
        ))?;
        if let Some(warning) = &file.warning {
            out.line(&format!("warning: {}", escape_control(warning)))?;
        }
        if let Some(AuditSetting { path, source }) = &self.audit_log {
            let path = path.display().to_string();
            let (path, source) = (escape_control(&path), escape_control(source));
            out.line(&format!("audit log: {path} ({source})"))?;
        }
        Ok(())
    }

    /// Prints the report for people.
    pub fn show(&self, out: &mut Output) -> std::io::Result<()> {
        self.show_file(out)?;
        for provider in &self.providers {
            out.line("")?;
            let profile = provider.profile.as_ref();
            let profile = profile.map_or_else(
                || "no profile".to_owned(),
                |name| format!("profile {}", escape_control(name)),
            );
            let by = &provider.chosen_by;
            out.line(&format!("== {}: {profile} ({by})", provider.provider))?;
            let documents = provider.documents.iter().map(|document| {
                format!(
                    "{}{}",
                    escape_control(document.file),
                    origin_note(document.is_own)
                )
            });
            let documents: Vec<String> = documents.collect();
            out.line(&format!("bindings generated from {}", documents.join(", ")))?;
            let mut values = out.records();
            for value in &provider.values {
                values.push(&value)?;
            }
            values.finish()?;
            if !provider.values.is_empty() {
                out.line("")?;
            }
            let mut checks = out.records();
            for check in &provider.checks {
                checks.push(&check)?;
            }
            checks.finish()?;
        }
        Ok(())
    }
}

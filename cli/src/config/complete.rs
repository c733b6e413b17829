//! What a provider needs, and what is said of what is missing.

use org_invitations::ProviderKind;

use super::{ResolvedConfig, how_to_set_up, keys::variable_of};
use crate::failure::Failure;

impl ResolvedConfig {
    /// The keys that the provider needs and that are not set.
    pub(super) fn missing_keys(&self) -> Vec<&'static str> {
        let is_set = |name: &str| {
            self.profile_only.contains_key(name) || self.sources.iter().any(|(key, _)| *key == name)
        };
        let required: &[&str] = match self.kind {
            ProviderKind::ClickHouse => &["organization_id", "api_key", "api_secret"],
            _ if is_set("access_token") || is_set("sts") => &[],
            _ => &["api_key", "api_secret"],
        };
        let required = required.iter().copied();
        required.filter(|name| !is_set(name)).collect()
    }

    pub(super) fn check_complete(&self) -> Result<(), Failure> {
        let missing = self.missing_keys();
        if missing.is_empty() {
            return Ok(());
        }
        let kind = self.kind;
        let missing: Vec<String> = missing.iter().map(|name| self.describe_key(name)).collect();
        let file = self.profile.as_ref().map(|(path, _)| path);
        let profile = self.profile_name.as_ref();
        let profile = profile.map_or_else(String::new, |name| format!(" (profile {name})"));
        Err(Failure::Usage(format!(
            "{kind}{profile} is not configured: there is no {}\n{}",
            missing.join(", and no "),
            how_to_set_up(kind, file.or(self.default_file.as_ref()))
        )))
    }

    fn describe_key(&self, name: &str) -> String {
        match variable_of(self.kind, name) {
            Some(variable) => format!("`{name}` ({variable})"),
            None => format!("`{name}`"),
        }
    }
}

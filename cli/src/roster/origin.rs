//! Which organisation an output of this command is of.

use std::collections::BTreeSet;

use crate::{failure::Failure, output::escape_control, provider::ProviderContext};

/// The providers and profiles that the rows of a roster name, where it is an output of this command.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins {
    pub providers: BTreeSet<String>,
    pub profiles: BTreeSet<String>,
}

impl Origins {
    /// Adds what a row of an output says.
    pub fn add(&mut self, provider: &str, profile: Option<&str>) {
        for (known, name) in [
            (&mut self.providers, Some(provider)),
            (&mut self.profiles, profile),
        ] {
            if let Some(name) = name.filter(|name| !name.is_empty() && !known.contains(*name)) {
                known.insert(name.to_owned());
            }
        }
    }

    /// Checks that all rows are of the organisation that they are applied to.
    ///
    /// # Errors
    ///
    /// They are of several organisations, or of another one.
    pub fn check(&self, provider: &ProviderContext) -> Result<(), Failure> {
        let used = provider.profile.as_deref();
        self.check_names("profile", &self.profiles, used)?;
        self.check_names("provider", &self.providers, Some(&provider.label))
    }

    fn check_names(
        &self,
        column: &str,
        names: &BTreeSet<String>,
        used: Option<&str>,
    ) -> Result<(), Failure> {
        let listed: Vec<&str> = names.iter().map(String::as_str).collect();
        let listed = escape_control(&listed.join(", ")).into_owned();
        let wrong = match (names.len(), used) {
            (0, _) => return Ok(()),
            (1, Some(used)) if names.contains(used) => return Ok(()),
            (1, Some(used)) => format!(
                "the roster lists people of the {column} {listed}, and this is the {column} {used}"
            ),
            (1, None) => format!(
                "the roster lists people of the {column} {listed}, and no {column} is selected"
            ),
            _ => format!("the roster lists people of several {column}s: {listed}"),
        };
        Err(Failure::Usage(format!(
            "{wrong}; nothing was sent. To apply all rows to one organisation all the same, delete the column `{column}`"
        )))
    }
}

//! The organisations of one process, by the names of their profiles.

use std::{
    collections::{BTreeMap, HashMap},
    error::Error,
    fs::File,
    io::BufReader,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use org_invitations::{OrganizationProvider, ProviderConfig};
use org_invitations_sql::{Organizations, Table};

/// The organisations that a process has credentials for, by profile.
#[derive(Debug)]
pub struct Profiles {
    configs: BTreeMap<String, ProviderConfig>,
    /// Those that were asked for, each with its connections and its rate limit.
    providers: Mutex<HashMap<String, Arc<dyn OrganizationProvider>>>,
}

impl Profiles {
    /// Reads a JSON file, in which each profile has the configuration of a provider:
    ///
    /// ```json
    /// { "blue": { "provider": "confluent", "api_key": "ABC", "api_secret": { "variable": "BLUE_SECRET" } } }
    /// ```
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is not such a file.
    pub fn read(path: &Path) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let configs = serde_json::from_reader(BufReader::new(File::open(path)?))?;
        Ok(Self {
            configs,
            providers: Mutex::default(),
        })
    }

    /// Creates one table of the organisations of one provider, such as `confluent`. Sends nothing.
    ///
    /// # Errors
    ///
    /// When a provider cannot be built.
    pub fn table(
        &self,
        provider: &str,
        table: fn(Arc<dyn OrganizationProvider>) -> Table,
    ) -> org_invitations::Result<Table> {
        let mut tables = Vec::new();
        for name in self.configs.keys() {
            if let Some(organization) = self.organization(provider, Some(name))? {
                tables.push(table(organization).profile(name));
            }
        }
        Ok(Table::profiles_of(tables))
    }
}

impl Organizations for Profiles {
    fn organization(
        &self,
        provider: &str,
        profile: Option<&str>,
    ) -> org_invitations::Result<Option<Arc<dyn OrganizationProvider>>> {
        let found = profile.and_then(|name| self.configs.get_key_value(name));
        let Some((name, config)) = found.filter(|(_, it)| it.kind().as_str() == provider) else {
            return Ok(None);
        };
        let providers = self.providers.lock();
        let mut providers = providers.unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = providers.get(name) {
            return Ok(Some(Arc::clone(known)));
        }
        let built = config.clone().build()?;
        providers.insert(name.clone(), Arc::clone(&built));
        Ok(Some(built))
    }
}

//! The roles of an organisation, as they are looked up.

use std::collections::HashMap;

use crate::{error::excerpt, role::Role, suggest::nearest_word};

/// The roles of an organisation, by id and by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RoleIndex {
    roles: Vec<Role>,
    by_id: HashMap<String, usize>,
    /// By name in lower case.
    by_name: HashMap<String, Vec<usize>>,
}

impl RoleIndex {
    pub fn new(roles: Vec<Role>) -> Self {
        let mut by_id = HashMap::new();
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, role) in roles.iter().enumerate() {
            by_id.insert(role.id.clone(), index);
            if let Some(name) = &role.name {
                by_name.entry(name.to_lowercase()).or_default().push(index);
            }
        }
        Self {
            roles,
            by_id,
            by_name,
        }
    }

    /// All roles.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// The id of a role that is given by name or id; the error says why there is not exactly one.
    pub fn id_of(&self, role: &str) -> std::result::Result<String, String> {
        if self.by_id.contains_key(role) {
            return Ok(role.to_owned());
        }
        let shown = excerpt(role);
        let ids = |indexes: &[usize]| -> Vec<&str> {
            indexes
                .iter()
                .map(|index| self.roles[*index].id.as_str())
                .collect()
        };
        match self.by_name.get(&role.to_lowercase()).map(Vec::as_slice) {
            Some([one]) => Ok(self.roles[*one].id.clone()),
            Some(several) => Err(format!(
                "{} roles are called {shown:?}; give the id of one of them: {}",
                several.len(),
                ids(several).join(", ")
            )),
            None => {
                let names = self.roles.iter().filter_map(|role| role.name.as_deref());
                let hint =
                    nearest_word(role, names).map(|name| format!(" (did you mean {name:?}?)"));
                let known = self.roles.iter().take(20).map(|role| match &role.name {
                    Some(name) => format!("{name} ({})", role.id),
                    None => role.id.clone(),
                });
                let known: Vec<_> = known.collect();
                let hint = hint.unwrap_or_default();
                Err(format!(
                    "the organisation has no role {shown:?}{hint}; it has {}",
                    known.join(", ")
                ))
            }
        }
    }
}

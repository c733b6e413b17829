//! Compares requested roles with reported ones.

use std::collections::{HashMap, HashSet};

use crate::{
    invitation::{RoleAssignment, RoleKind},
    role::{RoleGrant, RoleIndex, short_scope},
};

/// The names that mark a role of the whole organisation as an administrator's, without case and punctuation.
const ADMIN_NAMES: [&str; 3] = ["admin", "organizationadmin", "orgadmin"];

/// The roles that the organisation is known to have, and those that people are known to have.
#[derive(Default)]
pub(super) struct KnownRoles {
    /// Names by id.
    names: HashMap<String, Option<String>>,
    /// Ids by name in lower case.
    ids: HashMap<String, String>,
    /// The ids of roles that the organisation defined.
    custom: HashSet<String>,
}

impl KnownRoles {
    /// The roles that the organisation has, as far as it is known.
    pub fn new(roles: Option<&RoleIndex>) -> Self {
        let mut known = Self::default();
        for role in roles.map_or(&[][..], RoleIndex::roles) {
            known.insert(&role.id, role.name.as_deref(), role.kind.as_ref());
        }
        known
    }

    fn insert(&mut self, id: &str, name: Option<&str>, kind: Option<&RoleKind>) {
        if self.names.contains_key(id) {
            return;
        }
        self.names.insert(id.to_owned(), name.map(str::to_owned));
        if let Some(name) = name {
            let first = self.ids.entry(name.to_lowercase());
            first.or_insert_with(|| id.to_owned());
        }
        if kind == Some(&RoleKind::Custom) {
            self.custom.insert(id.to_owned());
        }
    }

    pub fn add(&mut self, roles: Option<&[RoleAssignment]>) {
        for role in roles.into_iter().flatten() {
            if let Some(id) = role.id.as_ref() {
                self.insert(id, role.name.as_deref(), role.kind.as_ref());
            }
        }
    }

    /// The id of a role that a roster names, as far as it is known.
    fn id_of<'a>(&'a self, role: &'a str) -> &'a str {
        if self.names.contains_key(role) {
            return role;
        }
        self.ids
            .get(&role.to_lowercase())
            .map_or(role, String::as_str)
    }

    /// What identifies a grant: two grants with the same key are the same.
    fn key(&self, grant: &RoleGrant) -> (String, Option<String>) {
        let id = self.id_of(&grant.role).to_lowercase();
        (
            id,
            short_scope(&grant.scope).map(|scope| scope.into_owned()),
        )
    }

    /// Whether both are the same roles, in any order.
    pub fn are_same(&self, requested: &[RoleGrant], reported: &[RoleGrant]) -> bool {
        let keys = |grants: &[RoleGrant]| -> HashSet<_> {
            grants.iter().map(|grant| self.key(grant)).collect()
        };
        keys(requested) == keys(reported)
    }

    /// The changes that lead from the reported roles to the requested ones: `+NAME` and `-NAME`, with their scopes.
    pub fn changes(&self, requested: &[RoleGrant], reported: &[RoleGrant]) -> Vec<String> {
        let mut changes = Vec::new();
        let mut add = |sign: char, these: &[RoleGrant], others: &[RoleGrant]| {
            let mut seen: HashSet<_> = others.iter().map(|grant| self.key(grant)).collect();
            for grant in these {
                if seen.insert(self.key(grant)) {
                    changes.push(format!("{sign}{}", self.text(grant)));
                }
            }
        };
        add('+', requested, reported);
        add('-', reported, requested);
        changes
    }

    /// A grant with the name of its role, if it is known.
    fn text(&self, grant: &RoleGrant) -> String {
        let name = self.names.get(self.id_of(&grant.role));
        let mut named = grant.clone();
        if let Some(Some(name)) = name {
            named.role.clone_from(name);
        }
        named.to_string()
    }

    /// Whether one of these roles is an administrator's, by its name.
    pub fn has_admin(&self, roles: &[RoleGrant]) -> bool {
        roles.iter().any(|grant| {
            let id = self.id_of(&grant.role);
            let name = self.names.get(id).and_then(Option::as_deref);
            short_scope(&grant.scope).is_none()
                && !self.custom.contains(id)
                && is_admin_name(name.unwrap_or(id))
        })
    }
}

/// Whether this is the name of an administrator's role.
pub(super) fn is_admin_name(name: &str) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let letters: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
    ADMIN_NAMES.contains(&letters.as_str())
}

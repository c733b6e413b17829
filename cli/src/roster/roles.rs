//! The roles of a row: names or ids, or the deprecated single role with its prefix; and how they are written, so that they
//! read back as the same.

use org_invitations::{RoleAssignment, RoleGrant, Roles};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

/// The roles of a row, in each of the forms that a roster may have.
#[derive(Debug)]
pub(super) enum RolesField {
    /// A cell: roles with `;`, `,` or `|` between them, or JSON.
    Text(String),
    Roles(Option<Roles>),
}

/// One role of a list.
enum Item {
    Grant(RoleGrant),
    Legacy(String),
}

/// The prefix of the deprecated single role.
const LEGACY: &str = "legacy:";

impl RolesField {
    /// Takes the roles from JSON: text, a list, or what the command prints.
    pub fn from_json(value: Value) -> Result<Option<Self>, String> {
        Ok(Some(match value {
            Value::Null => return Ok(None),
            Value::String(text) => Self::Text(text),
            other => Self::Roles(from_list_or_object(other)?),
        }))
    }

    pub fn roles(self) -> Result<Option<Roles>, String> {
        match self {
            Self::Roles(roles) => Ok(roles),
            Self::Text(text) if is_json(&text) => {
                let value = serde_json::from_str(&text).map_err(|error| {
                    format!("the roles begin as JSON, and are not valid JSON: {error}")
                });
                from_list_or_object(value?)
            }
            Self::Text(text) => {
                let roles = text.split([';', ',', '|']).flat_map(ids_or_name);
                collect(roles.filter(|role| !role.is_empty()).map(item))
            }
        }
    }
}

/// Whether a cell begins as a list or an object of JSON does.
fn is_json(text: &str) -> bool {
    let mut marks = text.chars().filter(|letter| !letter.is_whitespace());
    matches!(
        (marks.next(), marks.next()),
        (Some('['), Some('"' | '{' | ']')) | (Some('{'), Some('"'))
    )
}

fn from_list_or_object(value: Value) -> Result<Option<Roles>, String> {
    match value {
        Value::Array(items) => {
            let items = items.into_iter().map(|value| match value {
                Value::String(text) => Ok(item(&text)),
                other => grant(other).map(Item::Grant),
            });
            collect(items.collect::<Result<Vec<_>, _>>()?)
        }
        other => serde_json::from_value(other.clone())
            .map(Some)
            .map_err(|_| {
                let shown = excerpt(&other);
                format!(
                    "the roles are {shown}; write \"NAME@SCOPE;NAME\" or [\"NAME@SCOPE\", \"NAME\"]"
                )
            }),
    }
}

fn item(text: &str) -> Item {
    match text.strip_prefix(LEGACY) {
        Some(role) => Item::Legacy(role.to_owned()),
        None => Item::Grant(RoleGrant::from(text)),
    }
}

fn collect(items: impl IntoIterator<Item = Item>) -> Result<Option<Roles>, String> {
    let (mut grants, mut legacy) = (Vec::new(), Vec::new());
    for item in items {
        match item {
            Item::Grant(grant) => grants.push(grant),
            Item::Legacy(role) => legacy.push(role),
        }
    }
    match (legacy.pop(), grants.is_empty()) {
        (None, true) => Ok(None),
        (None, false) => Ok(Some(Roles::Grants(grants))),
        (Some(role), true) if legacy.is_empty() => Ok(Some(Roles::Legacy(role))),
        (Some(_), _) => Err(format!("`{LEGACY}…` cannot be combined with other roles")),
    }
}

/// A role in a list: a grant, or an assignment as the command prints it.
fn grant(value: Value) -> Result<RoleGrant, String> {
    if let Ok(grant) = serde_json::from_value(value.clone()) {
        return Ok(grant);
    }
    let assignment = serde_json::from_value::<RoleAssignment>(value.clone()).ok();
    let grant = assignment.and_then(|assignment| assignment.grant());
    grant.ok_or_else(|| {
        let shown = excerpt(&value);
        format!("a role is {shown}; it has to be text such as \"NAME@SCOPE\"")
    })
}

/// The beginning of a value, for a message.
pub(super) fn excerpt(value: &Value) -> String {
    const MAX_LETTERS: usize = 40;
    let text = value.to_string();
    match text.char_indices().nth(MAX_LETTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A name may have blanks in it; ids are separated by them.
fn ids_or_name(text: &str) -> Vec<&str> {
    let is_uuid = |word: &str| {
        word.len() == 36
            && word
                .bytes()
                .all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
    };
    match text.split_whitespace().all(is_uuid) {
        true => text.split_whitespace().collect(),
        false => vec![text.trim()],
    }
}

/// Roles in the form that a roster has them. As data they are a list.
#[derive(Clone, Debug)]
pub(crate) struct RosterRoles(pub Roles);

impl RosterRoles {
    /// Roles as people and the provider call them: by name, and by id where the name would not be read back.
    pub fn of_assignments<'a>(
        roles: impl IntoIterator<Item = &'a RoleAssignment>,
        is_unique: impl Fn(&str) -> bool,
    ) -> Option<Self> {
        let grants = roles.into_iter().filter_map(|role| {
            let mut grant = role.grant()?;
            let name = role.name.as_ref();
            if let Some(name) = name.filter(|name| is_plain_name(name) && is_unique(name)) {
                grant.role.clone_from(name);
            }
            Some(grant)
        });
        let grants: Vec<RoleGrant> = grants.collect();
        (!grants.is_empty()).then_some(Self(Roles::Grants(grants)))
    }

    /// The cell of a roster in CSV: `NAME@SCOPE;NAME`, or the list in JSON where that would be read as other roles.
    pub fn cell(&self) -> String {
        let plain = match &self.0 {
            Roles::Grants(grants) if grants.is_empty() => return String::new(),
            Roles::Grants(grants) => {
                let grants: Vec<String> = grants.iter().map(ToString::to_string).collect();
                grants.join(";")
            }
            Roles::Legacy(role) => format!("{LEGACY}{role}"),
            _ => return String::new(),
        };
        let read = RolesField::Text(plain.clone()).roles();
        match read.is_ok_and(|read| read.as_ref() == Some(&self.0)) {
            true => plain,
            false => self.json().to_string(),
        }
    }

    /// The list, in which text is one role whatever is in it.
    fn json(&self) -> Value {
        let grant = |grant: &RoleGrant| match grant.role.starts_with(LEGACY) {
            true => json!({ "role": grant.role, "scope": grant.scope }),
            false => json!(grant),
        };
        match &self.0 {
            Roles::Grants(grants) => grants.iter().map(grant).collect(),
            Roles::Legacy(role) => json!([format!("{LEGACY}{role}")]),
            _ => Value::Null,
        }
    }
}

impl Serialize for RosterRoles {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json().serialize(serializer)
    }
}

impl JsonSchema for RosterRoles {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RosterRoles".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<RoleGrant>::json_schema(generator)
    }
}

/// Whether a name alone is read as one role without a scope.
fn is_plain_name(name: &str) -> bool {
    let read = RolesField::Text(name.to_owned()).roles();
    read.is_ok_and(|read| read == Some(Roles::Grants(vec![RoleGrant::new(name)])))
}

/// Roles as one cell of a roster.
pub(crate) fn roles_cell(roles: Option<&Roles>) -> String {
    let roles = roles.cloned().map(RosterRoles);
    roles.map(|roles| roles.cell()).unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(cell: &str) -> Option<Roles> {
        RolesField::Text(cell.to_owned()).roles().unwrap()
    }

    #[test]
    fn cells_are_plain_where_they_can_be() {
        for (grants, cell) in [
            (vec!["Admin@env-1", "r-2"], "Admin@env-1;r-2"),
            (vec!["Query Endpoints"], "Query Endpoints"),
            (vec!["[x]"], "[x]"),
            (vec!["R@a;b"], r#"["R@a;b"]"#),
            (vec!["A|B", "C"], r#"["A|B","C"]"#),
            (vec![" A"], r#"[" A"]"#),
            (vec![r#"["A"]"#], r#"["[\"A\"]"]"#),
        ] {
            let roles = Roles::Grants(grants.into_iter().map(RoleGrant::from).collect());
            assert_eq!(roles_cell(Some(&roles)), cell);
            assert_eq!(read(cell), Some(roles));
        }
        let at = Roles::Grants(vec![RoleGrant::new("A@B")]);
        assert_eq!(roles_cell(Some(&at)), r#"[{"role":"A@B"}]"#);
        let named = Roles::Grants(vec![RoleGrant::new("legacy:x")]);
        assert_eq!(
            roles_cell(Some(&named)),
            r#"[{"role":"legacy:x","scope":null}]"#
        );
        let legacy = Roles::Legacy("a;b".to_owned());
        assert_eq!(roles_cell(Some(&legacy)), r#"["legacy:a;b"]"#);
    }

    #[test]
    fn a_cell_of_broken_json_is_an_error() {
        for cell in [r#"["R@a;b""#, r#"[{"role":"A"}"#, r#"{"legacy":"a""#] {
            let error = RolesField::Text(cell.to_owned()).roles().unwrap_err();
            assert!(error.starts_with("the roles begin as JSON"), "{error}");
        }
    }

    /// Roles whose text is made of what rosters, CSV and JSON give a meaning.
    pub(in super::super) fn any_roles() -> impl Strategy<Value = Roles> {
        let text = || "([;,|@ \"'\\[\\]{}\\\\=+\\-\\n\t:/%#A-b0é\u{200b}]|legacy:|\\\\u\\{1b\\}|[0-9a-f-]{36}){1,8}";
        let grant = (text(), proptest::option::of(text()));
        let grant = grant.prop_map(|(role, scope)| match scope {
            Some(scope) => RoleGrant::new(role).scope(scope),
            None => RoleGrant::new(role),
        });
        let grants = proptest::collection::vec(grant, 1..4).prop_map(Roles::Grants);
        prop_oneof![4 => grants, 1 => text().prop_map(Roles::Legacy)]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(roles in any_roles()) {
            prop_assert_eq!(read(&roles_cell(Some(&roles))), Some(roles.clone()));
            let json = serde_json::to_value(RosterRoles(roles.clone())).unwrap();
            let field = RolesField::from_json(json).unwrap().unwrap();
            prop_assert_eq!(field.roles().unwrap(), Some(roles));
        }
    }
}

//! `SHOW METHODS`: the operations of the vendors' APIs that statements over a table send.

use org_invitations::{ClickHouse, Confluent, bindings};

use super::Listing;
use crate::{
    resource::Kind::{self, Invitations, Members, RoleBindings, Roles},
    table::Table,
};

/// An operation, by its name in the bindings, and the statement that sends it.
struct Method {
    provider: &'static str,
    kind: Kind,
    operation: &'static str,
    verb: &'static str,
    /// The columns that have to have a value, or a condition.
    required: &'static str,
}

const fn method(
    provider: &'static str,
    kind: Kind,
    operation: &'static str,
    verb: &'static str,
    required: &'static str,
) -> Method {
    Method {
        provider,
        kind,
        operation,
        verb,
        required,
    }
}

const GIVEN_ROLE: &str = "member_id or email, role_id or role_name, scope";
const GIVEN_ROLE_OF_ORGANIZATION: &str = "member_id or email, role_id or role_name";

#[rustfmt::skip]
const METHODS: &[Method] = &[
    method(Confluent::NAME, Invitations, "list_iam_v2_invitations", "SELECT", ""),
    method(Confluent::NAME, Invitations, "get_iam_v2_invitation", "SELECT", "id"),
    method(Confluent::NAME, Invitations, "create_iam_v2_invitation", "INSERT", "email"),
    method(Confluent::NAME, Invitations, "delete_iam_v2_invitation", "DELETE", ""),
    method(Confluent::NAME, Members, "list_iam_v2_users", "SELECT", ""),
    method(Confluent::NAME, Members, "get_iam_v2_user", "SELECT", "id"),
    method(Confluent::NAME, Members, "list_iam_v2_role_bindings", "SELECT", ""),
    method(Confluent::NAME, Members, "delete_iam_v2_user", "DELETE", ""),
    method(Confluent::NAME, RoleBindings, "list_iam_v2_role_bindings", "SELECT", ""),
    method(Confluent::NAME, RoleBindings, "list_iam_v2_users", "SELECT", ""),
    method(Confluent::NAME, RoleBindings, "create_iam_v2_role_binding", "INSERT", GIVEN_ROLE),
    method(Confluent::NAME, RoleBindings, "delete_iam_v2_role_binding", "DELETE", ""),
    method(ClickHouse::NAME, Invitations, "invitation_get_list", "SELECT", ""),
    method(ClickHouse::NAME, Invitations, "invitation_get", "SELECT", "id"),
    method(ClickHouse::NAME, Invitations, "invitation_create", "INSERT", "email"),
    method(ClickHouse::NAME, Invitations, "invitation_delete", "DELETE", ""),
    method(ClickHouse::NAME, Members, "member_get_list", "SELECT", ""),
    method(ClickHouse::NAME, Members, "member_get", "SELECT", "id"),
    method(ClickHouse::NAME, Members, "member_delete", "DELETE", ""),
    method(ClickHouse::NAME, RoleBindings, "member_get_list", "SELECT", ""),
    method(ClickHouse::NAME, RoleBindings, "member_get", "SELECT", "member_id"),
    method(ClickHouse::NAME, RoleBindings, "member_update", "INSERT", GIVEN_ROLE_OF_ORGANIZATION),
    method(ClickHouse::NAME, RoleBindings, "member_update", "DELETE", ""),
    method(ClickHouse::NAME, Roles, "organization_roles_get_list", "SELECT", ""),
];

/// Lists the operations that the documents offer; none for a provider without bindings.
pub(super) fn list(table: &Table) -> Listing {
    let mut providers = table
        .sources()
        .iter()
        .map(|source| source.resource.provider());
    let mut seen = Vec::new();
    for provider in &mut providers {
        if !seen.contains(&provider) {
            seen.push(provider);
        }
    }
    let methods = METHODS.iter().filter(|method| {
        method.kind == table.kind() && seen.iter().any(|provider| provider == method.provider)
    });
    let rows = methods.filter_map(|method| {
        let mut operations = bindings::operations();
        let (_, operation) = operations.find(|(provider, operation)| {
            (*provider, operation.name) == (method.provider, method.operation)
        })?;
        let row = [
            method.provider.to_owned(),
            operation.name.to_owned(),
            method.required.to_owned(),
            method.verb.to_owned(),
            format!("{} {}", operation.method, operation.path),
            operation.summary.to_owned(),
        ];
        operation.offered.then(|| row.map(Some).to_vec())
    });
    Listing {
        columns: &[
            "provider",
            "name",
            "required_columns",
            "sql_verb",
            "request",
            "description",
        ],
        name: "name",
        rows: rows.collect(),
    }
}

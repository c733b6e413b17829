//! `DESCRIBE EXTENDED`: what the columns of a table hold.

use datafusion::catalog::TableProvider;
use org_invitations::{ClickHouse, Confluent, bindings::property_description};

use super::Listing;
use crate::{
    columns::Column::{self, self as C},
    resource::Kind,
    table::Table,
};

/// Lists the columns of a table. Those of a table of this crate have descriptions: the document's where the column is a
/// property, and otherwise the crate's.
pub(super) fn list(table: &dyn TableProvider) -> Listing {
    let ours = table.downcast_ref::<Table>();
    let vendor = ours.and_then(vendor);
    let schema = table.schema();
    let rows = schema.fields().iter().enumerate().map(|(index, field)| {
        let description = ours.map(|table| {
            let column = table.columns()[index];
            vendor
                .as_deref()
                .and_then(|vendor| of_document(vendor, table.kind(), column))
                .map_or_else(|| of_crate(column).to_owned(), one_line)
        });
        let nullable = if field.is_nullable() { "YES" } else { "NO" };
        vec![
            Some(field.name().clone()),
            Some(field.data_type().to_string()),
            Some(nullable.to_owned()),
            description,
        ]
    });
    Listing {
        columns: &["column_name", "data_type", "is_nullable", "description"],
        name: "column_name",
        rows: rows.collect(),
    }
}

/// The only provider of a table.
fn vendor(table: &Table) -> Option<String> {
    let mut providers = table
        .sources()
        .iter()
        .map(|source| source.resource.provider());
    let first = providers.next()?;
    providers.all(|provider| provider == first).then_some(first)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the document says of the property that a column holds.
fn of_document(vendor: &str, kind: Kind, column: Column) -> Option<&'static str> {
    let type_name = match (vendor, kind) {
        (_, Kind::Invitations) => "Invitation",
        (Confluent::NAME, Kind::Members) => "User",
        (Confluent::NAME, Kind::RoleBindings) => "RoleBinding",
        (_, Kind::Members) => "Member",
        (_, Kind::Roles) => "Role",
        // The rows are made of what a member has.
        (_, Kind::RoleBindings) => return None,
    };
    let property = match (vendor, kind, column) {
        // What the crate makes of other properties, or adds.
        (_, _, C::Provider | C::Profile | C::Extra | C::OrganizationId | C::Roles) => return None,
        (Confluent::NAME, Kind::Members, C::Name) => "full_name",
        (Confluent::NAME, Kind::RoleBindings, C::BindingId) => "id",
        (Confluent::NAME, Kind::RoleBindings, C::Scope) => "crn_pattern",
        (ClickHouse::NAME, Kind::Invitations, C::CreatedAt) => "createdAt",
        (ClickHouse::NAME, Kind::Invitations, C::ExpiresAt) => "expireAt",
        (ClickHouse::NAME, Kind::Invitations, C::AssignedRoles) => "assignedRoles",
        (ClickHouse::NAME, Kind::Members, C::Id) => "userId",
        (ClickHouse::NAME, Kind::Members, C::JoinedAt) => "joinedAt",
        (ClickHouse::NAME, Kind::Members, C::LegacyRole) => "role",
        (ClickHouse::NAME, Kind::Roles, C::Kind) => "type",
        _ => column.name(),
    };
    property_description(vendor, type_name, property)
}

/// What a column holds, whatever the vendor.
fn of_crate(column: Column) -> &'static str {
    match column {
        C::Provider => "The name of the provider in a table of several.",
        C::Profile => "The profile of the configuration whose organisation the row belongs to.",
        C::Id => "The id.",
        C::MemberId => "The id of the member.",
        C::Email => "The address.",
        C::Status => {
            "sent, staged, accepted, expired, deactivated, or an unknown value as received."
        }
        C::AuthType => "How the person logs in: local, sso, or an unknown value as received.",
        C::Role => "The single role of older organisations.",
        C::RoleIds => "The ids of the roles.",
        C::AssignedRoles | C::Roles => {
            "The roles, each with id, name, kind and unknown properties."
        }
        C::OrganizationId => "The organisation's id, from the configuration.",
        C::CreatedAt => "When it was created.",
        C::ExpiresAt => "When it expires.",
        C::AcceptedAt => "When it was accepted.",
        C::User => "The id of the invited user.",
        C::Creator => "The id of the user who invited.",
        C::ApiVersion => "The version of the API's schema.",
        C::Name => "The name.",
        C::Kind => "The kind of the object.",
        C::Metadata => "The metadata as JSON text.",
        C::JoinedAt => "When the member joined.",
        C::LegacyRole => "The single role of older organisations.",
        C::RoleId => "The id of the role.",
        C::RoleName => "The name of the role.",
        C::RoleKind => "Whether the role is the system's or the organisation's own.",
        C::Scope => "Where the role holds, as a CRN; null for the organisation.",
        C::BindingId => "The id of the role binding.",
        C::Extra => "The properties without a column, as JSON text.",
    }
}

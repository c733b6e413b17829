//! The columns of the tables, and their values.

use std::sync::Arc;

use datafusion::arrow::{
    array::{
        ArrayRef, ListBuilder, StringArray, StringBuilder, StructBuilder, TimestampMicrosecondArray,
    },
    datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit},
};
use org_invitations::RoleAssignment;
use serde_json::Value;

use crate::resource::BoxRow;

/// A column of one of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "ballista", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum Column {
    Provider,
    Profile,
    Id,
    MemberId,
    Email,
    Status,
    AuthType,
    Role,
    RoleIds,
    AssignedRoles,
    OrganizationId,
    CreatedAt,
    ExpiresAt,
    AcceptedAt,
    User,
    Creator,
    ApiVersion,
    Name,
    Kind,
    Metadata,
    JoinedAt,
    Roles,
    LegacyRole,
    RoleId,
    RoleName,
    RoleKind,
    Scope,
    BindingId,
    Extra,
}

impl Column {
    /// Returns the name in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Profile => "profile",
            Self::Id => "id",
            Self::MemberId => "member_id",
            Self::Email => "email",
            Self::Status => "status",
            Self::AuthType => "auth_type",
            Self::Role => "role",
            Self::RoleIds => "role_ids",
            Self::AssignedRoles => "roles",
            Self::OrganizationId => "organization_id",
            Self::CreatedAt => "created_at",
            Self::ExpiresAt => "expires_at",
            Self::AcceptedAt => "accepted_at",
            Self::User => "user",
            Self::Creator => "creator",
            Self::ApiVersion => "api_version",
            Self::Name => "name",
            Self::Kind => "kind",
            Self::Metadata => "metadata",
            Self::JoinedAt => "joined_at",
            Self::Roles => "roles",
            Self::LegacyRole => "legacy_role",
            Self::RoleId => "role_id",
            Self::RoleName => "role_name",
            Self::RoleKind => "role_kind",
            Self::Scope => "scope",
            Self::BindingId => "binding_id",
            Self::Extra => "extra",
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Self::RoleIds => DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))),
            Self::AssignedRoles | Self::Roles => {
                let role = DataType::Struct(self.role_fields());
                DataType::List(Arc::new(Field::new_list_field(role, true)))
            }
            Self::CreatedAt | Self::ExpiresAt | Self::AcceptedAt | Self::JoinedAt => {
                DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
            }
            _ => DataType::Utf8,
        }
    }

    /// Returns the fields of a role in a column of roles. Those of members have a scope, those of invitations have not.
    fn role_fields(self) -> Fields {
        let names: &[&str] = match self {
            Self::Roles => &["id", "name", "kind", "scope", "binding_id", "extra"],
            _ => &["id", "name", "kind", "extra"],
        };
        let text = |name: &&str| Field::new(*name, DataType::Utf8, true);
        names.iter().map(text).collect()
    }
}

const UTC: &str = "UTC";

/// Returns the schema of a table with these columns. All are nullable, because an `INSERT` omits most of them.
pub(crate) fn schema(columns: &[Column]) -> SchemaRef {
    let fields = columns
        .iter()
        .map(|column| Field::new(column.name(), column.data_type(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The values that are the same for every row of a provider.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "ballista", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct ProviderInfo {
    /// The value of the column `provider`.
    pub label: String,
    /// The value of the column `profile`.
    pub profile: Option<String>,
    /// The value of the column `organization_id`.
    pub organization_id: Option<String>,
}

/// `confluent`, or `confluent (profile prod)`
impl std::fmt::Display for ProviderInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.profile {
            Some(profile) => write!(f, "{} (profile {profile})", self.label),
            None => f.write_str(&self.label),
        }
    }
}

/// Converts one column of rows to an array. `table_columns` are all columns of the table.
pub(crate) fn to_array(
    column: Column,
    info: &ProviderInfo,
    rows: &[BoxRow],
    table_columns: &[Column],
) -> ArrayRef {
    let constant = |text: Option<&str>| -> ArrayRef {
        let texts = std::iter::repeat_n(text, rows.len());
        Arc::new(texts.collect::<StringArray>())
    };
    match column {
        Column::Provider => constant(Some(&info.label)),
        Column::Profile => constant(info.profile.as_deref()),
        Column::OrganizationId => constant(info.organization_id.as_deref()),
        Column::CreatedAt | Column::ExpiresAt | Column::AcceptedAt | Column::JoinedAt => {
            let micros = |row: &BoxRow| row.time(column).map(|time| time.timestamp_micros());
            let times: TimestampMicrosecondArray = rows.iter().map(micros).collect();
            Arc::new(times.with_timezone(UTC))
        }
        Column::RoleIds => role_ids(rows),
        Column::AssignedRoles | Column::Roles => roles(column, rows),
        Column::Extra => {
            let extra = |row: &BoxRow| {
                let unmapped = row.extra(table_columns);
                (!unmapped.is_empty()).then(|| Value::Object(unmapped).to_string())
            };
            Arc::new(rows.iter().map(extra).collect::<StringArray>())
        }
        _ => {
            let texts = rows.iter().map(|row| row.text(column));
            Arc::new(texts.collect::<StringArray>())
        }
    }
}

fn role_ids(rows: &[BoxRow]) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in rows {
        for role in row.roles().into_iter().flatten() {
            if let Some(id) = &role.id {
                lists.values().append_value(id);
            }
        }
        lists.append(row.roles().is_some());
    }
    Arc::new(lists.finish())
}

fn roles(column: Column, rows: &[BoxRow]) -> ArrayRef {
    let fields = column.role_fields();
    let mut lists = ListBuilder::new(StructBuilder::from_fields(fields.clone(), 0));
    for row in rows {
        for role in row.roles().into_iter().flatten() {
            append_role(lists.values(), &fields, role);
        }
        lists.append(row.roles().is_some());
    }
    Arc::new(lists.finish())
}

fn append_role(structs: &mut StructBuilder, fields: &Fields, role: &RoleAssignment) {
    let extra =
        (!role.extra.is_empty()).then(|| Value::Object(role.extra.clone().into()).to_string());
    for (index, field) in fields.iter().enumerate() {
        let value = match field.name().as_str() {
            "id" => role.id.as_deref(),
            "name" => role.name.as_deref(),
            "kind" => role.kind.as_ref().map(|kind| kind.as_str()),
            "scope" => role.scope.as_deref(),
            "binding_id" => role.binding_id.as_deref(),
            _ => extra.as_deref(),
        };
        if let Some(texts) = structs.field_builder::<StringBuilder>(index) {
            texts.append_option(value);
        }
    }
    structs.append(true);
}

//! The columns of the tables, and their values.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::arrow::{
    array::{
        ArrayRef, ListBuilder, StringArray, StringBuilder, StructBuilder, TimestampMicrosecondArray,
    },
    datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit},
};
use org_invitations::{ClickHouse, Confluent, Invitation, ResourceReference, RoleAssignment};
use serde_json::{Map, Value};

/// A column of one of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Column {
    Provider,
    Id,
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
    Kind,
    Metadata,
    Extra,
}

use Column::{
    AcceptedAt, ApiVersion, AssignedRoles, AuthType, CreatedAt, Creator, Email, ExpiresAt, Extra,
    Id, Kind, Metadata, OrganizationId, Provider, Role, RoleIds, Status, User,
};

/// The columns of StackQL's resource, in its order, and two more.
const CONFLUENT: &[Column] = &[
    Id, AcceptedAt, ApiVersion, AuthType, Creator, Email, ExpiresAt, Kind, Metadata, Status, User,
    CreatedAt, Extra,
];

const CLICKHOUSE: &[Column] = &[
    Id,
    Email,
    Status,
    Role,
    RoleIds,
    AssignedRoles,
    OrganizationId,
    CreatedAt,
    ExpiresAt,
    Extra,
];

/// The fields of the library's `Invitation`.
const ANY: &[Column] = &[
    Id,
    Email,
    Status,
    AuthType,
    Role,
    RoleIds,
    AssignedRoles,
    CreatedAt,
    ExpiresAt,
    AcceptedAt,
    User,
    Creator,
    Extra,
];

/// The fields of the library's `Invitation`, with the provider's name.
const UNION: &[Column] = &[
    Provider,
    Id,
    Email,
    Status,
    AuthType,
    Role,
    RoleIds,
    AssignedRoles,
    CreatedAt,
    ExpiresAt,
    AcceptedAt,
    User,
    Creator,
    Extra,
];

/// Returns the columns of a table of the provider with this name.
pub(crate) fn columns_of(provider: &str) -> &'static [Column] {
    match provider {
        Confluent::NAME => CONFLUENT,
        ClickHouse::NAME => CLICKHOUSE,
        _ => ANY,
    }
}

/// Returns the columns of a table of several providers.
pub(crate) fn union_columns() -> &'static [Column] {
    UNION
}

impl Column {
    /// Returns the name in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Provider => "provider",
            Id => "id",
            Email => "email",
            Status => "status",
            AuthType => "auth_type",
            Role => "role",
            RoleIds => "role_ids",
            AssignedRoles => "assigned_roles",
            OrganizationId => "organization_id",
            CreatedAt => "created_at",
            ExpiresAt => "expires_at",
            AcceptedAt => "accepted_at",
            User => "user",
            Creator => "creator",
            ApiVersion => "api_version",
            Kind => "kind",
            Metadata => "metadata",
            Extra => "extra",
        }
    }

    /// Whether `INSERT` may set the column.
    pub fn can_be_set(self) -> bool {
        matches!(self, Provider | Email | AuthType | Role | RoleIds)
    }

    fn data_type(self) -> DataType {
        match self {
            RoleIds => DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))),
            AssignedRoles => {
                let role = DataType::Struct(role_fields());
                DataType::List(Arc::new(Field::new_list_field(role, true)))
            }
            CreatedAt | ExpiresAt | AcceptedAt => {
                DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
            }
            _ => DataType::Utf8,
        }
    }
}

const UTC: &str = "UTC";

fn role_fields() -> Fields {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    Fields::from(vec![text("id"), text("name"), text("kind"), text("extra")])
}

/// Returns the schema of a table with these columns. All are nullable, because an `INSERT` omits most of them.
pub(crate) fn schema(columns: &[Column]) -> SchemaRef {
    let fields = columns
        .iter()
        .map(|column| Field::new(column.name(), column.data_type(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The values that are the same for every row of a provider.
#[derive(Clone, Debug)]
pub(crate) struct ProviderInfo {
    /// The value of the column `provider`.
    pub label: String,
    /// The value of the column `organization_id`.
    pub organization_id: Option<String>,
}

/// Converts one column of invitations to an array. `table_columns` are all columns of the table.
pub(crate) fn to_array(
    column: Column,
    info: &ProviderInfo,
    invitations: &[Invitation],
    table_columns: &[Column],
) -> ArrayRef {
    let texts = |text: fn(&Invitation) -> Option<&str>| -> ArrayRef {
        Arc::new(invitations.iter().map(text).collect::<StringArray>())
    };
    let times = |time: fn(&Invitation) -> Option<DateTime<Utc>>| -> ArrayRef {
        let micros = |invitation| time(invitation).map(|time| time.timestamp_micros());
        let times: TimestampMicrosecondArray = invitations.iter().map(micros).collect();
        Arc::new(times.with_timezone(UTC))
    };
    let json = |object: &dyn Fn(&Invitation) -> Option<String>| -> ArrayRef {
        Arc::new(invitations.iter().map(object).collect::<StringArray>())
    };
    let constant = |text: Option<&str>| -> ArrayRef {
        let texts = std::iter::repeat_n(text, invitations.len());
        Arc::new(texts.collect::<StringArray>())
    };
    match column {
        Provider => constant(Some(&info.label)),
        OrganizationId => constant(info.organization_id.as_deref()),
        Id => texts(|it| Some(it.id.as_str())),
        Email => texts(|it| Some(&it.email)),
        Status => texts(|it| it.status.as_ref().map(|status| status.as_str())),
        AuthType => texts(|it| it.auth_type.as_ref().map(|auth_type| auth_type.as_str())),
        Role => texts(|it| it.role.as_deref()),
        User => texts(|it| it.user.as_ref().map(|user| user.id.as_str())),
        Creator => texts(|it| it.creator.as_ref().map(|creator| creator.id.as_str())),
        ApiVersion | Kind => json(&|it| it.extra.get(column.name())?.as_str().map(str::to_owned)),
        Metadata => json(&|it| {
            let metadata = it.extra.get(column.name());
            metadata.filter(|it| !it.is_null()).map(Value::to_string)
        }),
        CreatedAt => times(|it| it.created_at),
        ExpiresAt => times(|it| it.expires_at),
        AcceptedAt => times(|it| it.accepted_at),
        RoleIds => role_ids(invitations),
        AssignedRoles => assigned_roles(invitations),
        Extra => json(&|it| {
            let unmapped = unmapped_properties(it, table_columns);
            (!unmapped.is_empty()).then(|| Value::Object(unmapped).to_string())
        }),
    }
}

fn role_ids(invitations: &[Invitation]) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for invitation in invitations {
        for role in invitation.assigned_roles.iter().flatten() {
            if let Some(id) = &role.id {
                lists.values().append_value(id);
            }
        }
        lists.append(invitation.assigned_roles.is_some());
    }
    Arc::new(lists.finish())
}

fn assigned_roles(invitations: &[Invitation]) -> ArrayRef {
    let mut lists = ListBuilder::new(StructBuilder::from_fields(role_fields(), 0));
    for invitation in invitations {
        for role in invitation.assigned_roles.iter().flatten() {
            append_role(lists.values(), role);
        }
        lists.append(invitation.assigned_roles.is_some());
    }
    Arc::new(lists.finish())
}

fn append_role(structs: &mut StructBuilder, role: &RoleAssignment) {
    let extra =
        (!role.extra.is_empty()).then(|| Value::Object(role.extra.clone().into()).to_string());
    let kind = role.kind.as_ref().map(|kind| kind.as_str());
    let values = [
        role.id.as_deref(),
        role.name.as_deref(),
        kind,
        extra.as_deref(),
    ];
    for (index, value) in values.into_iter().enumerate() {
        if let Some(texts) = structs.field_builder::<StringBuilder>(index) {
            texts.append_option(value);
        }
    }
    structs.append(true);
}

/// Returns the properties without a column among `table_columns`, which the column `extra` keeps.
fn unmapped_properties(invitation: &Invitation, table_columns: &[Column]) -> Map<String, Value> {
    let mut unmapped = Map::from(invitation.extra.clone());
    for column in table_columns {
        match column {
            ApiVersion | Kind if unmapped.get(column.name()).is_some_and(Value::is_string) => {
                unmapped.remove(column.name());
            }
            Metadata => {
                unmapped.remove(column.name());
            }
            User => add_reference(&mut unmapped, *column, invitation.user.as_ref()),
            Creator => add_reference(&mut unmapped, *column, invitation.creator.as_ref()),
            _ => {}
        }
    }
    unmapped
}

/// Adds the properties of a reference other than its id.
fn add_reference(
    unmapped: &mut Map<String, Value>,
    column: Column,
    reference: Option<&ResourceReference>,
) {
    let Some(reference) = reference else { return };
    let mut object = Map::from(reference.extra.clone());
    for (name, text) in [
        ("related", &reference.related),
        ("resource_name", &reference.resource_name),
    ] {
        if let Some(text) = text {
            object.insert(name.to_owned(), text.clone().into());
        }
    }
    if !object.is_empty() {
        unmapped.insert(column.name().to_owned(), object.into());
    }
}

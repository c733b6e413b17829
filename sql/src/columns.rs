//! The columns of the tables, and how invitations fill them.

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

/// Those that StackQL's resource has, in its order, and two more.
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

/// Those of the library's own `Invitation`.
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

/// The same, with the provider's name.
const SEVERAL: &[Column] = &[
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

/// The columns for invitations of the provider with this name.
pub(crate) fn columns_of(provider: &str) -> &'static [Column] {
    match provider {
        Confluent::NAME => CONFLUENT,
        ClickHouse::NAME => CLICKHOUSE,
        _ => ANY,
    }
}

/// The columns for invitations of several providers.
pub(crate) fn columns_of_several() -> &'static [Column] {
    SEVERAL
}

impl Column {
    /// Its name in SQL.
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

    /// Whether a new invitation may have a value here.
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

/// The schema of a table with these columns. All may be null, because an `INSERT` leaves most out.
pub(crate) fn schema(columns: &[Column]) -> SchemaRef {
    let fields = columns
        .iter()
        .map(|column| Field::new(column.name(), column.data_type(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// What is the same for every row of a provider.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// What the provider is called in the column `provider`.
    pub label: String,
    /// What is in the column `organization_id`.
    pub organization_id: Option<String>,
}

/// One column of these invitations, in a table that has `all` of the columns.
pub(crate) fn array(
    column: Column,
    origin: &Origin,
    invitations: &[Invitation],
    all: &[Column],
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
        Provider => constant(Some(&origin.label)),
        OrganizationId => constant(origin.organization_id.as_deref()),
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
            let rest = rest(it, all);
            (!rest.is_empty()).then(|| Value::Object(rest).to_string())
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
    for (place, value) in values.into_iter().enumerate() {
        if let Some(texts) = structs.field_builder::<StringBuilder>(place) {
            texts.append_option(value);
        }
    }
    structs.append(true);
}

/// What has no column among `all`, so that no property is lost.
fn rest(invitation: &Invitation, all: &[Column]) -> Map<String, Value> {
    let mut rest = Map::from(invitation.extra.clone());
    for column in all {
        match column {
            ApiVersion | Kind if rest.get(column.name()).is_some_and(Value::is_string) => {
                rest.remove(column.name());
            }
            Metadata => {
                rest.remove(column.name());
            }
            User => add_reference(&mut rest, *column, invitation.user.as_ref()),
            Creator => add_reference(&mut rest, *column, invitation.creator.as_ref()),
            _ => {}
        }
    }
    rest
}

/// What a reference has besides its id.
fn add_reference(
    rest: &mut Map<String, Value>,
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
        rest.insert(column.name().to_owned(), object.into());
    }
}

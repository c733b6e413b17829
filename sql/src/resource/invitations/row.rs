//! The values of an invitation.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use org_invitations::{Invitation, ResourceReference, RoleAssignment};
use serde_json::{Map, Value};

use crate::{
    columns::Column::{
        self, AcceptedAt, ApiVersion, AuthType, CreatedAt, Creator, Email, ExpiresAt, Id, Metadata,
        Role, Status, User,
    },
    resource::Row,
};

impl Row for Invitation {
    fn text(&self, column: Column) -> Option<Cow<'_, str>> {
        let text = match column {
            Id => Some(self.id.as_str()),
            Email => Some(self.email.as_str()),
            Status => self.status.as_ref().map(|status| status.as_str()),
            AuthType => self.auth_type.as_ref().map(|auth_type| auth_type.as_str()),
            Role => self.role.as_deref(),
            User => self.user.as_ref().map(|user| user.id.as_str()),
            Creator => self.creator.as_ref().map(|creator| creator.id.as_str()),
            ApiVersion | Column::Kind => self.extra.get(column.name())?.as_str(),
            Metadata => {
                let metadata = self.extra.get(column.name());
                let metadata = metadata.filter(|it| !it.is_null());
                return metadata.map(|it| it.to_string().into());
            }
            _ => None,
        };
        text.map(Cow::Borrowed)
    }

    fn time(&self, column: Column) -> Option<DateTime<Utc>> {
        match column {
            CreatedAt => self.created_at,
            ExpiresAt => self.expires_at,
            AcceptedAt => self.accepted_at,
            _ => None,
        }
    }

    fn roles(&self) -> Option<&[RoleAssignment]> {
        self.roles.as_deref()
    }

    fn extra(&self, table_columns: &[Column]) -> Map<String, Value> {
        let mut unmapped = Map::from(self.extra.clone());
        for column in table_columns {
            let name = column.name();
            match column {
                ApiVersion | Column::Kind if unmapped.get(name).is_some_and(Value::is_string) => {
                    unmapped.remove(name);
                }
                Metadata => {
                    unmapped.remove(name);
                }
                User => add_reference(&mut unmapped, *column, self.user.as_ref()),
                Creator => add_reference(&mut unmapped, *column, self.creator.as_ref()),
                _ => {}
            }
        }
        unmapped
    }
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

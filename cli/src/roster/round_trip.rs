//! Rosters that this command writes are read back with the same roles, whatever is in their names and scopes.

use std::{
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use org_invitations::{Invitation, Member, RoleAssignment, RoleGrant, Roles, Step};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{FailedRows, ReadOptions, RosterFormat, RosterRoles, read, roles::tests::any_roles};
use crate::{
    commands::export::ExportRecord,
    output::{Format, InvitationRecord, MemberRecord, Output, Record},
};

const FORMATS: [(Format, RosterFormat); 4] = [
    (Format::Csv, RosterFormat::Csv),
    (Format::Json, RosterFormat::Json),
    (Format::Jsonl, RosterFormat::Jsonl),
    (Format::Yaml, RosterFormat::Yaml),
];

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buffer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A new folder, which is deleted with its files.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The roles of the only row.
fn roles_of(path: &Path, format: RosterFormat) -> Option<Roles> {
    let options = ReadOptions {
        format: Some(format),
        ..Default::default()
    };
    let roster = read(path, &options, false).unwrap_or_else(|failure| {
        panic!("{failure:?}: {:?}", std::fs::read_to_string(path));
    });
    let [(_, new)] = &roster.invite[..] else {
        panic!("{roster:?}");
    };
    assert_eq!(new.email, "ann@example.com");
    new.roles.clone()
}

/// What is read of a record that is printed in a format.
fn printed<R: Record>(path: &Path, record: &R, formats: (Format, RosterFormat)) -> Option<Roles> {
    let buffer = Buffer::default();
    let mut out = Output::new(formats.0, false, buffer.clone());
    let mut records = out.records();
    records.push(record).unwrap();
    records.finish().unwrap();
    drop(out);
    let bytes = buffer.0.lock().unwrap_or_else(PoisonError::into_inner);
    std::fs::write(path, &*bytes).unwrap();
    roles_of(path, formats.1)
}

fn assignments(grants: &[RoleGrant], has_ids: bool) -> Vec<RoleAssignment> {
    let roles = grants.iter().enumerate().map(|(index, grant)| {
        let mut role = RoleAssignment::default();
        role.name = Some(grant.role.clone());
        role.id = has_ids.then(|| format!("r-{index}"));
        role.scope.clone_from(&grant.scope);
        role
    });
    roles.collect()
}

fn from_json<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn exports_are_read_back(roles in any_roles()) {
        let folder = Folder::new("exports");
        let record = ExportRecord {
            email: "ann@example.com".to_owned(),
            roles: Some(RosterRoles(roles.clone())),
            auth_type: None,
        };
        for formats in FORMATS {
            let read = printed(&folder.0.join("roster"), &record, formats);
            prop_assert_eq!(read, Some(roles.clone()), "{:?}", formats);
        }
    }

    #[test]
    fn lists_are_read_back(roles in any_roles(), has_ids: bool) {
        let Roles::Grants(grants) = roles else {
            return Ok(());
        };
        let folder = Folder::new("lists");
        let roles = assignments(&grants, has_ids);
        let mut member = Member::new("u-1".parse().unwrap(), "ann@example.com");
        member.roles = Some(roles.clone());
        let member = MemberRecord::new("confluent", member);
        let invitation = json!({ "id": "i-1", "email": "ann@example.com", "status": "sent" });
        let mut invitation: Invitation = from_json(invitation);
        invitation.roles = Some(roles.clone());
        let invitation = InvitationRecord::new("confluent", invitation);
        for formats in FORMATS {
            for read in [
                printed(&folder.0.join("roster"), &member, formats),
                printed(&folder.0.join("roster"), &invitation, formats),
            ] {
                let Some(Roles::Grants(read)) = read else {
                    return Err(TestCaseError::fail(format!("{formats:?}: {read:?}")));
                };
                prop_assert_eq!(read.len(), roles.len(), "{:?}", read);
                for (read, role) in read.iter().zip(&roles) {
                    prop_assert!(read.is_met_by(role), "{:?}: {:?} {:?}", formats, read, role);
                }
            }
        }
    }

    #[test]
    fn failed_rows_are_read_back(roles in any_roles(), has_actions: bool) {
        let folder = Folder::new("failed");
        let step = json!({ "action": "create", "email": "ann@example.com" });
        let mut step: Step = from_json(step);
        step.roles = Some(roles.clone());
        for (name, format) in [("f.csv", RosterFormat::Csv), ("f.jsonl", RosterFormat::Jsonl)] {
            let path = folder.0.join(name);
            let mut failed = FailedRows::create(&path, true, has_actions).unwrap();
            failed.push(&step, "refused; again, \"x\"").unwrap();
            failed.finish().unwrap();
            prop_assert_eq!(roles_of(&path, format), Some(roles.clone()), "{}", name);
        }
    }
}

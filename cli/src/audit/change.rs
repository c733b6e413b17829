//! One change, and the lines of the audit log that it becomes.

use chrono::Utc;
use org_invitations::{
    Error, ErrorKind, Invitation, NewInvitation, Operation, RoleAssignment, RoleChange, RoleGrant,
    Roles,
};

use super::{
    AuditLog, AuditRecord, Origin,
    exchanges::{Exchange, Exchanges, Target},
    record::{AuditAction, AuditOutcome},
};

/// A change that is being made. One that is dropped before it is finished becomes lines with an unknown outcome.
pub(super) struct Change<'a> {
    pub log: &'a AuditLog,
    pub origin: &'a Origin,
    pub action: AuditAction,
    pub email: Option<String>,
    pub id: Option<String>,
    pub roles: Vec<String>,
    pub exchanges: Exchanges,
    pub is_finished: bool,
}

/// Why a line has no known outcome after Ctrl-C.
const CUT_OFF: &str = "the command stopped before the answer arrived";

impl Change<'_> {
    /// An invitation that was to be created, with the roles that were bound after it.
    pub fn finish_create(mut self, result: &Result<Invitation, Error>) {
        match result {
            Ok(invitation) => {
                self.id = Some(invitation.id.to_string());
                self.write(AuditOutcome::Done, None);
                // Roles are bound to the user.
                if let Some(user) = &invitation.user {
                    self.id = Some(user.id.clone());
                }
                let bound = invitation.roles.iter().flatten();
                let bound: Vec<_> = bound.filter(|role| role.binding_id.is_some()).collect();
                self.write_roles(AuditAction::GrantRole, &bound, Target::Binding);
            }
            Err(error) if error.kind() == ErrorKind::Incomplete => {
                self.id = error.conflicting_id().map(ToString::to_string);
                self.write(AuditOutcome::Done, None);
                self.write_bindings(&self.roles, &error.to_string());
            }
            Err(error) => self.write_failure(error),
        }
        self.is_finished = true;
    }

    /// An invitation that was to be withdrawn, or a member who was to be removed.
    pub fn finish_delete(mut self, result: &Result<(), Error>) {
        match result {
            Ok(()) => self.write(AuditOutcome::Done, None),
            Err(error) => self.write_failure(error),
        }
        self.is_finished = true;
    }

    /// Roles that were to be changed.
    pub fn finish_roles(mut self, result: &Result<RoleChange, Error>) {
        self.is_finished = true;
        let change = match result {
            Ok(change) => change,
            Err(error) => return self.write_failure(error),
        };
        let all = change.added.iter().chain(&change.removed);
        let is_one_change = all.clone().all(|role| role.binding_id.is_none());
        if change.is_noop() {
            return;
        }
        if is_one_change && change.failed.is_empty() {
            let mut line = self.line(AuditOutcome::Done);
            line.roles = change.added.iter().map(role_name).collect();
            line.roles_removed = change.removed.iter().map(role_name).collect();
            return self.log.append(&line);
        }
        let added: Vec<_> = change.added.iter().collect();
        self.write_roles(AuditAction::GrantRole, &added, Target::Binding);
        let removed: Vec<_> = change.removed.iter().collect();
        self.write_roles(AuditAction::RevokeRole, &removed, Target::Unbinding);
        for failure in &change.failed {
            let error = &failure.error;
            let mut line = self.line(AuditOutcome::of(error));
            line.action = match error.operation() {
                Operation::RevokeRole => AuditAction::RevokeRole,
                _ => AuditAction::GrantRole,
            };
            line.roles = vec![failure.grant.to_string()];
            line.error = Some(error.to_string());
            line.request_id = error.request_id().map(str::to_owned);
            self.log.append(&line);
        }
    }

    /// The line of a change that failed, unless nothing was sent.
    fn write_failure(&self, error: &Error) {
        let target = self.target();
        let is_sent = error.attempts() > 0 || error.may_have_executed();
        if is_sent || !self.exchanges.about(target).is_empty() {
            self.write(AuditOutcome::of(error), Some(error));
        }
    }

    fn write(&self, outcome: AuditOutcome, error: Option<&Error>) {
        let mut line = self.line(outcome);
        line.error = error.map(ToString::to_string);
        if let Some(id) = error.and_then(Error::request_id) {
            line.request_id = Some(id.to_owned());
        }
        self.log.append(&line);
    }

    /// A line for each of these roles, with the ids of their requests if each role took one.
    fn write_roles(&self, action: AuditAction, roles: &[&RoleAssignment], target: Target) {
        let mut answers = self.exchanges.about(target);
        answers.retain(Exchange::is_success);
        for (index, role) in roles.iter().enumerate() {
            let answer = answers.get(index).filter(|_| answers.len() == roles.len());
            let mut line = self.line(AuditOutcome::Done);
            line.action = action;
            line.roles = vec![role_name(role)];
            line.request_id = answer.and_then(|answer| answer.request_id.clone());
            self.log.append(&line);
        }
    }

    /// The lines of the role bindings that were sent for these roles, of which not all were made. They were sent in order;
    /// which one an answer is about is known until a request had to be repeated.
    fn write_bindings(&self, roles: &[String], why: &str) {
        let mut names = roles.iter();
        let (mut is_certain, mut has_failed) = (true, false);
        for answer in self.exchanges.about(Target::Binding) {
            if !answer.is_success() && !answer.is_refusal() {
                is_certain = false;
                continue;
            }
            let name = names.next().filter(|_| is_certain);
            has_failed |= !answer.is_success();
            let mut line = self.line(AuditOutcome::Done);
            line.action = AuditAction::GrantRole;
            line.roles = name.cloned().into_iter().collect();
            if !answer.is_success() {
                line.outcome = AuditOutcome::Failed;
                line.error = Some(why.to_owned());
            }
            line.request_id = answer.request_id;
            self.log.append(&line);
        }
        if names.len() > 0 && !has_failed {
            let mut line = self.line(AuditOutcome::Unknown);
            line.action = AuditAction::GrantRole;
            line.roles = names.filter(|_| is_certain).cloned().collect();
            line.error = Some(why.to_owned());
            line.request_id = None;
            self.log.append(&line);
        }
    }

    /// The lines of the role bindings that were deleted before the change was cut off.
    fn write_unbindings(&self) {
        for answer in self.exchanges.about(Target::Unbinding) {
            if answer.is_success() {
                let mut line = self.line(AuditOutcome::Done);
                line.action = AuditAction::RevokeRole;
                line.roles.clear();
                line.request_id = answer.request_id;
                self.log.append(&line);
            }
        }
    }

    /// What the requests of the change itself are about.
    fn target(&self) -> Target {
        match self.action {
            AuditAction::Create | AuditAction::Delete => Target::Invitation,
            _ => Target::Member,
        }
    }

    fn line(&self, outcome: AuditOutcome) -> AuditRecord {
        AuditRecord {
            time: Utc::now(),
            origin: self.origin.clone(),
            action: self.action,
            email: self.email.clone(),
            id: self.id.clone(),
            roles: self.roles.clone(),
            roles_removed: Vec::new(),
            outcome,
            error: None,
            request_id: self.exchanges.request_id(self.target()),
        }
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        if self.is_finished {
            return;
        }
        let answers = self.exchanges.about(self.target());
        if answers.iter().any(Exchange::is_success) {
            self.write(AuditOutcome::Done, None);
            if self.action != AuditAction::Create {
                return;
            }
            return self.write_bindings(&self.roles, CUT_OFF);
        }
        if self.action == AuditAction::SetRoles {
            self.write_bindings(&[], CUT_OFF);
            self.write_unbindings();
        }
        let mut line = self.line(AuditOutcome::Unknown);
        line.error = Some(CUT_OFF.to_owned());
        self.log.append(&line);
    }
}

/// The roles that an invitation asks for.
pub(super) fn roles_of(new: &NewInvitation) -> Vec<String> {
    match &new.roles {
        Some(Roles::Grants(grants)) => names_of(grants),
        Some(Roles::Legacy(role)) => vec![role.clone()],
        _ => Vec::new(),
    }
}

pub(super) fn names_of(grants: &[RoleGrant]) -> Vec<String> {
    grants.iter().map(ToString::to_string).collect()
}

/// The name of a role, with its scope; its id if it has no name.
fn role_name(role: &RoleAssignment) -> String {
    let name = role.name.as_ref().or(role.id.as_ref());
    let mut grant = RoleGrant::new(name.map_or("", String::as_str));
    grant.scope.clone_from(&role.scope);
    grant.to_string()
}

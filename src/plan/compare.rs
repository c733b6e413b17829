//! Compares a roster with the existing invitations and members.

use crate::{
    capabilities::Capabilities,
    extra::Extra,
    invitation::{Invitation, NewInvitation},
    member::Member,
    person::People,
    plan::{
        Action, Plan, PlanOptions, Step,
        existing::Existing,
        members::{self, ExistingMember},
        people::ListedPeople,
        removals::Removals,
        roles::KnownRoles,
        rows::row_error,
    },
    role::RoleIndex,
};

impl Plan {
    /// Compares a roster with the existing invitations, by address as [`normalize_email`](crate::normalize_email) has it.
    ///
    /// - A row is [`Invalid`](Action::Invalid) if its address is invalid, if the provider does not have one of its
    ///   options, or if an earlier row has the same address.
    /// - Of several invitations of an address, the latest counts; void ones rank last.
    /// - Options that the roster leaves open, and options that the provider does not report, are not compared.
    ///
    /// Who has accepted is a member, and on ClickHouse no invitation any more: [`of_people`](Self::of_people) knows
    /// members.
    ///
    /// Takes time and memory in proportion to both lists.
    pub fn new<R, E>(
        roster: R,
        existing: E,
        capabilities: &Capabilities,
        options: &PlanOptions,
    ) -> Self
    where
        R: IntoIterator<Item = NewInvitation>,
        E: IntoIterator<Item = Invitation>,
    {
        Self::compare(roster, existing, [], capabilities, options)
    }

    /// Compares a roster with the existing invitations and members. What [`new`](Self::new) says holds, and:
    ///
    /// - A member with a row is kept, and gets the roles of the row ([`SetRoles`](Action::SetRoles)) if it gives any and
    ///   the member has others. Roles that [`People::load_roles`] has not read are not compared.
    /// - Where roles are given to users ([`Capabilities::role_scopes`]), an invited user gets other roles without a new
    ///   invitation.
    /// - A member without a row is removed only with [`PlanOptions::prune_members`], and never if
    ///   [`PlanOptions::keep`], [`PlanOptions::owner`] or [`PlanOptions::min_admins`] protects the member.
    ///
    /// ```
    /// use org_invitations::{
    ///     Action, InvitationProvider, NewInvitation, People, Plan, PlanOptions,
    /// };
    ///
    #[doc = example!(clickhouse)]
    /// # if !provider.capabilities().members || !provider.capabilities().list_roles { return Ok(()); }
    /// # provider.create(NewInvitation::new("ann@example.com").roles(["Developer"])).await?;
    /// # sandbox.accept(org_invitations_sandbox::Provider::ClickHouse, "ann@example.com")?;
    /// let roster = [NewInvitation::new("ann@example.com").roles(["Billing"])];
    /// let mut people = People::load(&provider).await?;
    /// people.load_roles(&provider).await?;
    /// let plan = Plan::of_people(roster, people, &provider.capabilities(), &PlanOptions::default());
    /// let ann = &plan.steps[0];
    /// assert_eq!(ann.action, Action::SetRoles);
    /// assert_eq!(ann.role_changes, ["+Billing", "-Developer"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn of_people<R>(
        roster: R,
        people: People,
        capabilities: &Capabilities,
        options: &PlanOptions,
    ) -> Self
    where
        R: IntoIterator<Item = NewInvitation>,
    {
        let People {
            invitations,
            members,
            ..
        } = people;
        Self::compare(roster, invitations, members, capabilities, options)
    }

    fn compare<R, E, M>(
        roster: R,
        existing: E,
        members: M,
        capabilities: &Capabilities,
        options: &PlanOptions,
    ) -> Self
    where
        R: IntoIterator<Item = NewInvitation>,
        E: IntoIterator<Item = Invitation>,
        M: IntoIterator<Item = Member>,
    {
        let roles = options.roles.clone().filter(|roles| !roles.is_empty());
        let roles = roles.map(RoleIndex::new);
        let mut known_roles = KnownRoles::new(roles.as_ref());
        let has_users = capabilities.gives_roles_to_users();
        let read = |invitation: Invitation| {
            known_roles.add(invitation.roles.as_deref());
            Existing::new(invitation, has_users)
        };
        let existing: Vec<Existing> = existing.into_iter().map(read).collect();
        let read = |member: Member| {
            known_roles.add(member.roles.as_deref());
            ExistingMember::from(member)
        };
        let members: Vec<ExistingMember> = members.into_iter().map(read).collect();
        let deletable = existing.iter().filter(|old| old.is_deletable()).count();
        let mut listed = ListedPeople::new(existing, members, has_users);

        let (mut steps, mut has_address) = (Vec::new(), false);
        let mut removals = Removals::new(options);
        for (row, new) in roster.into_iter().enumerate() {
            has_address = has_address || new.validate().is_ok();
            let error = row_error(&new, capabilities, roles.as_ref());
            let step = listed.step_for(row, new, error, capabilities, &known_roles);
            removals.see_row(&step);
            steps.push(step);
        }
        let prunes = removals.prunes(steps.len(), has_address);
        removals.add_to(&mut steps, &listed, prunes, &known_roles);
        members::protect(&mut steps, &listed.members, &known_roles, options);
        Self {
            steps,
            existing: deletable,
            members: listed.members.len(),
        }
    }
}

impl Step {
    pub(super) fn of_row(
        row: usize,
        new: NewInvitation,
        action: Action,
        reason: Option<String>,
    ) -> Self {
        Self {
            row: Some(row),
            auth_type: new.auth_type,
            roles: new.roles,
            extra: new.extra,
            ..Self::of_address(new.email, action, reason)
        }
    }

    pub(super) fn invalid(row: usize, new: NewInvitation, why: String) -> Self {
        Self::of_row(row, new, Action::Invalid, Some(why))
    }

    /// The removal of a person without a row, or the step that keeps the person for a reason.
    pub(super) fn without_row(email: String, kept: Option<String>) -> Self {
        let action = match kept {
            None => Action::Remove,
            Some(_) => Action::Keep,
        };
        Self::of_address(email, action, kept)
    }

    fn of_address(email: String, action: Action, reason: Option<String>) -> Self {
        Self {
            row: None,
            action,
            email,
            id: None,
            reason,
            same_as: None,
            auth_type: None,
            roles: None,
            extra: Extra::default(),
            previous: None,
            member: None,
            role_changes: Vec::new(),
        }
    }
}

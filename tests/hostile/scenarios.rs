//! The ways through the library, each run against a server and judged by what the server holds.

use std::fmt;

use futures::{StreamExt, TryStreamExt};
use org_invitations::{
    Action, BulkOptions, ErrorKind, Invitation, InvitationProvider, InvitationProviderExt,
    ListQuery, NewInvitation, Plan, PlanOptions, Result,
};

use crate::matrix::{Cell, Finding};
use crate::oracle::{self, Reported};
use crate::provider::{Patience, connect};
use crate::server::{Fault, Organisation, Seed, Server, Vendor, World};

/// The person whom every path is about.
pub const ANN: &str = "ann@example.com";
/// People who are invited at the same server and whom nobody asked for.
pub const BOB: &str = "bob@example.com";
pub const ANN_ELSEWHERE: &str = "ann@example.com.au";
/// People who are copied together with Ann.
pub const CAT: &str = "cat@example.com";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    // Ann is not invited, or is by somebody else, and is to be.
    Create,
    GetOrCreate,
    CreateMany,
    Apply,
    // Ann's invitation has expired.
    Renew,
    // Ann, Bob and Cat are invited at another vendor.
    CopyByPlan,
    CopyByCalls,
    // Ann is invited and is not to be.
    Delete,
    DeleteIfExists,
    DeleteMany,
    Prune,
    // As the copies, with the fault at the source.
    CopySource,
}

impl Path {
    /// The paths on which Ann is to be invited and has no invitation.
    pub const CREATES: [Self; 6] = [
        Self::Create,
        Self::GetOrCreate,
        Self::CreateMany,
        Self::Apply,
        Self::CopyByPlan,
        Self::CopyByCalls,
    ];

    /// The paths on which an invitation is made.
    pub const MAKING: [Self; 7] = [
        Self::Create,
        Self::GetOrCreate,
        Self::CreateMany,
        Self::Apply,
        Self::Renew,
        Self::CopyByPlan,
        Self::CopyByCalls,
    ];

    /// The paths on which an invitation is deleted.
    pub const DELETING: [Self; 6] = [
        Self::Delete,
        Self::DeleteIfExists,
        Self::DeleteMany,
        Self::Prune,
        Self::Renew,
        Self::CopySource,
    ];
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::GetOrCreate => "get_or_create",
            Self::CreateMany => "create_many",
            Self::Apply => "apply",
            Self::Renew => "renew",
            Self::CopyByPlan => "copy by plan",
            Self::CopyByCalls => "copy by calls",
            Self::Delete => "delete",
            Self::DeleteIfExists => "delete_if_exists",
            Self::DeleteMany => "delete_many",
            Self::Prune => "prune",
            Self::CopySource => "copy, source",
        })
    }
}

/// What a report has to be, where more than its truth is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Anything that is true.
    Truth,
    /// A success: the evidence is there.
    Success,
    /// A failure that promises that nothing was done.
    SurelyNot,
    /// A report that the person is there already.
    There,
}

/// One cell of the matrix as data.
#[derive(Clone, Debug)]
pub struct Case {
    pub vendor: Vendor,
    pub path: Path,
    pub fault: String,
    pub world: World,
    pub faults: Vec<Fault>,
    pub patience: Patience,
    /// Invitations beside those that the path needs.
    pub seeds: Vec<Seed>,
    pub members: Vec<&'static str>,
    pub expect: Expect,
}

impl Case {
    pub fn new(vendor: Vendor, path: Path, fault: impl Into<String>) -> Self {
        Self {
            vendor,
            path,
            fault: fault.into(),
            world: World::default(),
            faults: Vec::new(),
            patience: Patience::default(),
            seeds: Vec::new(),
            members: Vec::new(),
            expect: Expect::Truth,
        }
    }

    pub fn world(self, world: World) -> Self {
        Self { world, ..self }
    }

    pub fn faults(self, faults: Vec<Fault>) -> Self {
        Self { faults, ..self }
    }

    pub fn patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    pub fn seeds(self, seeds: Vec<Seed>) -> Self {
        Self { seeds, ..self }
    }

    pub fn members(self, members: Vec<&'static str>) -> Self {
        Self { members, ..self }
    }

    pub fn expect(self, expect: Expect) -> Self {
        Self { expect, ..self }
    }

    /// The cell that runs this case.
    pub fn cell(self) -> Cell {
        let name = format!(
            "{:10} | {:16} | {}",
            self.vendor.name(),
            self.path.to_string(),
            self.fault
        );
        Cell::new(name, run(self))
    }
}

async fn run(case: Case) -> Finding {
    match case.path {
        Path::Create | Path::GetOrCreate | Path::CreateMany | Path::Apply => create(case).await,
        Path::Renew => renew(case).await,
        Path::CopyByPlan | Path::CopyByCalls | Path::CopySource => copy(case).await,
        Path::Delete | Path::DeleteIfExists | Path::DeleteMany | Path::Prune => delete(case).await,
    }
}

/// A server of the case's world with these people and the case's own.
async fn start(case: &Case, people: Vec<Seed>) -> Server {
    let seeds = people.into_iter().chain(case.seeds.clone()).collect();
    let organisation =
        Organisation::new(case.vendor, case.world.clone(), seeds).with_members(&case.members);
    Server::start(organisation, case.faults.clone()).await
}

/// Everything that is there; a caller who gets an error does not go on.
pub async fn list(provider: &dyn InvitationProvider) -> Result<Vec<Invitation>> {
    provider.list(ListQuery::new()).try_collect().await
}

/// Makes a plan over what is listed and applies it; one report for each step.
pub async fn apply(
    provider: &dyn InvitationProvider,
    roster: Vec<NewInvitation>,
    options: &PlanOptions,
) -> Result<Vec<(Action, String, Reported)>> {
    let invitations = list(provider).await?;
    let plan = Plan::new(roster, invitations, &provider.capabilities(), options);
    let outcomes = plan.apply(provider, BulkOptions::default());
    Ok(outcomes
        .map(|outcome| {
            (
                outcome.step.action,
                outcome.step.email.clone(),
                Reported::of_step(outcome.result),
            )
        })
        .collect()
        .await)
}

/// The report about one person; a list that fails ends a run before it begins.
fn report_of(outcomes: Result<Vec<(Action, String, Reported)>>, email: &str) -> Reported {
    match outcomes {
        Ok(outcomes) => outcomes
            .into_iter()
            .find(|(_, about, _)| about.eq_ignore_ascii_case(email))
            .map_or(Reported::NotAttempted, |(_, _, said)| said),
        Err(_) => Reported::NotAttempted,
    }
}

fn expected(expect: Expect, said: &Reported) -> Option<String> {
    let fine = match expect {
        Expect::Truth => true,
        Expect::Success => matches!(
            said,
            Reported::Created { .. } | Reported::Found { .. } | Reported::Deleted
        ),
        Expect::SurelyNot => {
            matches!(
                said,
                Reported::Failed {
                    ambiguous: false,
                    ..
                } | Reported::Withdrawn { ambiguous: false }
                    | Reported::NotAttempted
            )
        }
        Expect::There => matches!(
            said,
            Reported::AlreadyExists { ambiguous: false } | Reported::Found { .. }
        ),
    };
    (!fine).then(|| format!("not as sure as the evidence: {expect:?} expected"))
}

async fn create(case: Case) -> Finding {
    let server = start(&case, vec![Seed::sent(BOB), Seed::sent(ANN_ELSEWHERE)]).await;
    let provider = connect(&server, case.patience);
    let provider = provider.as_ref();
    let new = NewInvitation::new(ANN);
    let said = match case.path {
        Path::Create => Reported::of_create(provider.create(new).await),
        Path::GetOrCreate => Reported::of_find(provider.get_or_create(new).await),
        Path::CreateMany => {
            let outcomes: Vec<_> = provider
                .create_many([new], BulkOptions::default())
                .collect()
                .await;
            Reported::of_created(outcomes.into_iter().next().expect("one outcome").result)
        }
        _ => report_of(
            apply(provider, vec![new], &PlanOptions::default()).await,
            ANN,
        ),
    };
    server.settled().await;
    let truth = server.truth();
    let mut wrong = if matches!(
        case.path,
        Path::Create | Path::GetOrCreate | Path::CreateMany
    ) {
        oracle::promised_creation(&truth, ANN, &said)
    } else {
        oracle::creation(&truth, ANN, &said)
    };
    wrong.extend(oracle::bystanders(&truth, &[ANN]));
    wrong.extend(expected(case.expect, &said));
    Finding {
        reported: said.to_string(),
        truth: oracle::truth(&truth, ANN),
        wrong,
    }
}

async fn renew(case: Case) -> Finding {
    let server = start(
        &case,
        vec![
            Seed::expired(ANN),
            Seed::sent(BOB),
            Seed::sent(ANN_ELSEWHERE),
        ],
    )
    .await;
    let old = server.truth().live_of(ANN)[0].id.clone();
    let provider = connect(&server, case.patience);
    let outcomes = apply(
        provider.as_ref(),
        vec![NewInvitation::new(ANN)],
        &PlanOptions::default(),
    )
    .await;
    let said = report_of(outcomes, ANN);
    server.settled().await;
    let truth = server.truth();
    let mut wrong = oracle::renewal(&truth, ANN, &old, &said);
    wrong.extend(oracle::bystanders(&truth, &[ANN]));
    wrong.extend(expected(case.expect, &said));
    Finding {
        reported: said.to_string(),
        truth: oracle::truth(&truth, ANN),
        wrong,
    }
}

/// Copies everybody and deletes at the source whoever is reported to be at the target.
async fn copy(case: Case) -> Finding {
    let people = [ANN, BOB, CAT];
    let seeds = |emails: &[&str]| {
        emails
            .iter()
            .map(|email| Seed::sent(email))
            .collect::<Vec<_>>()
    };
    let at_source = case.path == Path::CopySource;
    let plain = |vendor, seeds| {
        Server::start(
            Organisation::new(vendor, World::default(), seeds),
            Vec::new(),
        )
    };
    let (source_server, target_server) = if at_source {
        (
            start(&case, seeds(&people)).await,
            plain(case.vendor.other(), seeds(&[ANN_ELSEWHERE])).await,
        )
    } else {
        (
            plain(case.vendor.other(), seeds(&people)).await,
            start(&case, seeds(&[ANN_ELSEWHERE])).await,
        )
    };
    let (source, target) = (
        connect(&source_server, case.patience),
        connect(&target_server, case.patience),
    );
    let (source, target) = (source.as_ref(), target.as_ref());
    let mut reports = Vec::new();
    if let Ok(invitations) = list(source).await {
        let roster: Vec<_> = invitations
            .iter()
            .map(|invitation| NewInvitation::new(&invitation.email))
            .collect();
        let copied: Vec<(String, Reported)> = if case.path == Path::CopyByPlan {
            let outcomes = apply(target, roster, &PlanOptions::default())
                .await
                .unwrap_or_default();
            outcomes
                .into_iter()
                .map(|(_, email, said)| (email, said))
                .collect()
        } else {
            let mut copied = Vec::new();
            for new in roster {
                copied.push((
                    new.email.clone(),
                    Reported::of_find(target.get_or_create(new).await),
                ));
            }
            copied
        };
        for (email, said) in copied {
            let found = invitations
                .iter()
                .find(|invitation| invitation.email == email);
            let deleted = match found {
                Some(invitation) if said.is_there() => Some((
                    invitation.id.clone(),
                    Reported::of_delete(source.delete(&invitation.id).await),
                )),
                _ => None,
            };
            reports.push((email, said, deleted));
        }
    }
    source_server.settled().await;
    target_server.settled().await;
    let (source, target) = (source_server.truth(), target_server.truth());
    let mut wrong = Vec::new();
    for (email, said, deleted) in &reports {
        wrong.extend(oracle::creation(&target, email, said));
        if let Some((id, said)) = deleted {
            wrong.extend(oracle::deletion(&source, id.as_str(), said));
        }
    }
    for email in people {
        if source.live_of(email).is_empty()
            && target.live_of(email).is_empty()
            && !target.is_member(email)
        {
            wrong.push(format!("lost {email}"));
        }
    }
    wrong.extend(oracle::bystanders(&target, &people));
    let report = reports.iter().find(|(email, _, _)| email == ANN);
    if let Some((_, said, _)) = report {
        wrong.extend(expected(case.expect, said));
    }
    let reported = report.map_or(
        "list failed".to_owned(),
        |(_, said, deleted)| match deleted {
            Some((_, deleted)) => format!("target {said}, source {deleted}"),
            None => format!("target {said}"),
        },
    );
    let truth = format!(
        "target {}; source {}",
        oracle::truth(&target, ANN),
        oracle::truth(&source, ANN)
    );
    Finding {
        reported,
        truth,
        wrong,
    }
}

async fn delete(case: Case) -> Finding {
    let server = start(
        &case,
        vec![Seed::sent(ANN), Seed::sent(BOB), Seed::sent(ANN_ELSEWHERE)],
    )
    .await;
    let old = server.truth().live_of(ANN)[0].id.clone();
    let id = old.parse().expect("an id");
    let provider = connect(&server, case.patience);
    let provider = provider.as_ref();
    let said = match case.path {
        Path::Delete => Reported::of_delete(provider.delete(&id).await),
        Path::DeleteIfExists => match provider.delete_if_exists(&id).await {
            Ok(true) => Reported::Deleted,
            Ok(false) => Reported::NotFound,
            Err(error) if error.kind() == ErrorKind::NotFound => Reported::NotFound,
            Err(error) => error.into(),
        },
        Path::DeleteMany => {
            let outcomes: Vec<_> = provider
                .delete_many([id], BulkOptions::default())
                .collect()
                .await;
            Reported::of_deleted(outcomes.into_iter().next().expect("one outcome").result)
        }
        _ => {
            let roster = vec![NewInvitation::new(BOB), NewInvitation::new(ANN_ELSEWHERE)];
            report_of(
                apply(provider, roster, &PlanOptions::default().prune(true)).await,
                ANN,
            )
        }
    };
    server.settled().await;
    let truth = server.truth();
    let mut wrong = oracle::deletion(&truth, &old, &said);
    wrong.extend(oracle::bystanders(&truth, &[ANN]));
    wrong.extend(expected(case.expect, &said));
    Finding {
        reported: said.to_string(),
        truth: oracle::truth(&truth, ANN),
        wrong,
    }
}

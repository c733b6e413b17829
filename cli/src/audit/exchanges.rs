//! The answers to the requests of one change.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use org_invitations::AttemptEvent;

tokio::task_local! {
    /// The answers to the change that the task is making.
    static CURRENT: Exchanges;
}

/// What a request that changes something is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Invitation,
    Member,
    /// A role binding that is made.
    Binding,
    /// A role binding that is deleted.
    Unbinding,
}

/// The operations of both vendors' bindings that change something.
const CHANGING: [(&str, Target); 9] = [
    ("create_iam_v2_invitation", Target::Invitation),
    ("delete_iam_v2_invitation", Target::Invitation),
    ("delete_iam_v2_user", Target::Member),
    ("create_iam_v2_role_binding", Target::Binding),
    ("delete_iam_v2_role_binding", Target::Unbinding),
    ("invitation_create", Target::Invitation),
    ("invitation_delete", Target::Invitation),
    ("member_delete", Target::Member),
    ("member_update", Target::Member),
];

/// The answer to a request that changes something.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub target: Target,
    pub status: u16,
    pub request_id: Option<String>,
}

impl Exchange {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the server refused, so that the request is not sent again.
    pub fn is_refusal(&self) -> bool {
        (400..500).contains(&self.status) && ![408, 409, 429].contains(&self.status)
    }
}

/// The answers to the requests of one change, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Exchanges(Arc<Mutex<Vec<Exchange>>>);

impl Exchanges {
    /// Makes a change, whose answers are added.
    pub async fn collect<T>(&self, change: impl Future<Output = T>) -> T {
        CURRENT.scope(self.clone(), change).await
    }

    /// The answers about one kind of target.
    pub fn about(&self, target: Target) -> Vec<Exchange> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let about = all.iter().filter(|one| one.target == target);
        about.cloned().collect()
    }

    /// The id of the request that counts: the latest one that succeeded, else the latest one.
    pub fn request_id(&self, target: Target) -> Option<String> {
        let mut about = self.about(target);
        let latest = about.pop()?;
        if latest.is_success() {
            return latest.request_id;
        }
        let success = about.into_iter().rfind(Exchange::is_success);
        success.unwrap_or(latest).request_id
    }
}

/// Adds an answer to those of the change that the task is making.
pub(crate) fn observe(event: &AttemptEvent<'_>, status: u16) {
    let known = CHANGING.iter().find(|(name, _)| *name == event.operation);
    let Some((_, target)) = known else { return };
    let exchange = Exchange {
        target: *target,
        status,
        request_id: event.request_id(),
    };
    // Outside of a change, nobody asks.
    let _ = CURRENT.try_with(|current| {
        let mut all = current.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(exchange);
    });
}

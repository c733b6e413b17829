//! Waiting for an acceptance, and watching an organisation.

use futures_util::StreamExt;
use org_invitations::{PersonEvent, WaitResult, WatchOptions};

use super::*;

const BOB: &str = "bob@example.com";
const INTERVAL: Duration = Duration::from_millis(20);

fn often() -> WatchOptions {
    WatchOptions::default().interval(INTERVAL)
}

#[tokio::test]
async fn waiting_ends_with_what_became_of_the_invitation() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    for subject in subjects(&sandbox) {
        let provider = &subject.provider;
        let ann = provider.create(NewInvitation::new(ANN)).await.unwrap();
        let short = often().timeout(Some(INTERVAL * 3));
        let waited = provider.wait_until_accepted(&ann, &short).await.unwrap();
        assert_eq!(waited, WaitResult::TimedOut);

        let accept = async {
            tokio::time::sleep(INTERVAL * 2).await;
            sandbox.accept(subject.name, ANN).unwrap();
        };
        let options = often();
        let (waited, ()) = tokio::join!(provider.wait_until_accepted(&ann, &options), accept);
        match waited.unwrap() {
            WaitResult::Accepted(Some(member)) => assert_eq!(member.email, ANN),
            other => panic!("{:?}: {other:?}", subject.name),
        }

        let bob = provider.create(NewInvitation::new(BOB)).await.unwrap();
        provider.delete(&bob.id).await.unwrap();
        let waited = provider.wait_until_accepted(&bob, &often()).await.unwrap();
        assert_eq!(waited, WaitResult::Withdrawn, "{:?}", subject.name);
    }
    let [subject, other] = subjects(&sandbox);
    let invite = |subject: &Subject| {
        let provider = Arc::clone(&subject.provider);
        async move {
            provider
                .create(NewInvitation::new("old@example.com"))
                .await
                .unwrap()
        }
    };
    let (one, two) = (invite(&subject).await, invite(&other).await);
    sandbox.advance(Duration::from_secs(30 * 24 * 60 * 60));
    for (subject, invitation) in [(&subject, one), (&other, two)] {
        let waited = subject
            .provider
            .wait_until_accepted(&invitation, &often())
            .await;
        assert_eq!(waited.unwrap(), WaitResult::Expired, "{:?}", subject.name);
    }
}

#[tokio::test]
async fn a_look_that_fails_for_a_while_is_repeated() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let [subject, _] = subjects(&sandbox);
    let ann = subject
        .provider
        .create(NewInvitation::new(ANN))
        .await
        .unwrap();
    let away = Rule::new(Fault::status_before(503))
        .on(Operation::Get)
        .times(12);
    sandbox.set_faults(Faults::script([away]));
    sandbox.accept(subject.name, ANN).unwrap();
    let waited = subject.provider.wait_until_accepted(&ann, &often()).await;
    assert!(matches!(waited, Ok(WaitResult::Accepted(_))), "{waited:?}");

    let denied = Rule::new(Fault::status_before(403)).on(Operation::Get);
    sandbox.set_faults(Faults::script([denied.always()]));
    let error = subject
        .provider
        .wait_until_accepted(&ann, &often())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
}

#[tokio::test]
async fn everything_that_happens_is_one_event() {
    if !is_offered() {
        return;
    }
    let sandbox = Sandbox::start().await.unwrap();
    for subject in subjects(&sandbox) {
        let (name, provider) = (subject.name, Arc::clone(&subject.provider));
        let there = provider
            .create(NewInvitation::new("there@example.com"))
            .await
            .unwrap();
        let mut events = provider.watch(often());
        let mut next = async || -> PersonEvent {
            let event = tokio::time::timeout(Duration::from_secs(20), events.next()).await;
            event.unwrap().unwrap().unwrap()
        };
        // The first look sees who is there already, and tells nothing of it.
        let first = async {
            tokio::time::sleep(INTERVAL * 10).await;
            provider.create(NewInvitation::new(ANN)).await.unwrap()
        };
        let (event, ann) = tokio::join!(next(), first);
        match event {
            PersonEvent::Invited(seen) => assert_eq!(seen.id, ann.id),
            other => panic!("{name:?}: {other:?}"),
        }
        sandbox.accept(name, ANN).unwrap();
        let member = match next().await {
            PersonEvent::Accepted { invitation, member } => {
                assert_eq!(invitation.id, ann.id);
                member.unwrap()
            }
            other => panic!("{name:?}: {other:?}"),
        };
        provider.remove_member(&member.id).await.unwrap();
        match next().await {
            PersonEvent::Left(seen) => assert_eq!(seen.id, member.id),
            other => panic!("{name:?}: {other:?}"),
        }
        provider.delete(&there.id).await.unwrap();
        match next().await {
            PersonEvent::Withdrawn(seen) => assert_eq!(seen.id, there.id),
            other => panic!("{name:?}: {other:?}"),
        }
        let away = Rule::new(Fault::status_before(503)).times(40);
        sandbox.set_faults(Faults::script([away]));
        let error = events.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        sandbox.set_faults(Faults::default());
        provider.create(NewInvitation::new(BOB)).await.unwrap();
        let invited = loop {
            if let Ok(event) = events.next().await.unwrap() {
                break event;
            }
        };
        assert_eq!(invited.email(), BOB);
        let denied = Rule::new(Fault::status_before(403));
        sandbox.set_faults(Faults::script([denied.always()]));
        assert!(events.next().await.unwrap().is_err());
        assert!(events.next().await.is_none(), "nothing follows");
        sandbox.set_faults(Faults::default());
    }
}

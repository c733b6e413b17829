//! Redirects: followed within the configured origin with everything that was sent, and nowhere else.

use org_invitations::{ErrorKind, Operation};

use crate::{
    backend::{Backend, OPERATIONS, changes_state, refused, run},
    support::{Answer, Checks, Wire},
};

fn redirect(status: u16, location: &str) -> Answer {
    Answer::empty(status).header("Location", location)
}

#[tokio::test]
async fn a_same_origin_redirect_keeps_method_body_and_credential() {
    let mut checks = Checks::default();
    for backend in Backend::ALL {
        for operation in OPERATIONS {
            for status in [301, 307, 308] {
                for absolute in [false, true] {
                    let success = backend.success(operation);
                    // The origin is known only when the server runs.
                    let wire = Wire::responding(move |sent| {
                        if sent.path.starts_with("/moved/") {
                            return success.clone();
                        }
                        let host = sent.header("host").join("");
                        let origin = if absolute {
                            format!("http://{host}")
                        } else {
                            String::new()
                        };
                        redirect(status, &format!("{origin}/moved/here?k=v"))
                    })
                    .await;
                    checks.case(format!("{backend:?} {operation} {status}"));
                    let outcome = run(&*backend.connect(&wire), backend, operation).await;
                    checks.that(outcome.is_ok(), format!("{outcome:?}"));
                    let seen = wire.seen();
                    checks.same("the number of requests", seen.len(), 2);
                    let [first, second] = seen.as_slice() else {
                        continue;
                    };
                    backend.check_request(&mut checks, first, operation);
                    checks.same("the path", second.path.as_str(), "/moved/here");
                    checks.same("the query", second.sorted_query(), vec![("k", "v")]);
                    checks.same("the method", &second.method, &first.method);
                    checks.same("the body", &second.body, &first.body);
                    for name in [
                        "authorization",
                        "accept",
                        "user-agent",
                        "content-type",
                        "api-version",
                    ] {
                        checks.same(name, second.header(name), first.header(name));
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn a_redirect_to_another_origin_is_not_followed() {
    let mut checks = Checks::default();
    for backend in Backend::ALL {
        for operation in OPERATIONS {
            for status in [301, 302, 303, 307, 308] {
                checks.case(format!("{backend:?} {operation} {status}"));
                let elsewhere = Wire::always(backend.success(operation)).await;
                let target = format!("{}{}", elsewhere.url(), backend.collection());
                let wire = Wire::always(redirect(status, &target)).await;
                let error = refused(run(&*backend.connect(&wire), backend, operation).await);
                checks.same("what arrived there", elsewhere.seen().len(), 0);
                checks.same("what was sent here", wire.seen().len(), 1);
                checks.same("the status", error.status(), Some(status));
                checks.same("the kind", error.kind(), ErrorKind::Unexpected);
            }
        }
    }
}

#[tokio::test]
async fn another_name_of_the_same_machine_is_another_origin() {
    for backend in Backend::ALL {
        let wire = Wire::responding(move |sent| {
            let host = sent.header("host").join("");
            let port = host.rsplit(':').next().unwrap_or_default();
            redirect(307, &format!("http://localhost:{port}/elsewhere"))
        })
        .await;
        let url = format!("http://127.0.0.1:{}", wire.port());
        let provider = backend.connect_with(url, Default::default());
        let error = refused(run(&*provider, backend, Operation::Create).await);
        assert_eq!(error.status(), Some(307), "{error}");
        let seen = wire.seen();
        assert_eq!(seen.len(), 1, "{backend:?}: {seen:#?}");
    }
}

#[tokio::test]
async fn redirects_in_a_circle_end() {
    for backend in Backend::ALL {
        for operation in OPERATIONS {
            let wire = Wire::always(redirect(308, "/round")).await;
            let error = refused(run(&*backend.connect(&wire), backend, operation).await);
            assert_eq!(error.status(), Some(308), "{error}");
            assert_eq!(error.kind(), ErrorKind::Unexpected, "{error}");
            let sent = wire.seen().len();
            assert!(
                (2..=20).contains(&sent),
                "{backend:?} {operation}: {sent} requests"
            );
        }
    }
}

#[tokio::test]
async fn a_redirect_without_a_target_is_an_error() {
    for location in ["", "::", "http://"] {
        let wire = Wire::always(redirect(307, location)).await;
        let provider = Backend::Confluent.connect(&wire);
        let error = refused(run(&*provider, Backend::Confluent, Operation::Get).await);
        assert_eq!(error.status(), Some(307), "{location:?}: {error}");
    }
    let wire = Wire::always(Answer::empty(307)).await;
    let provider = Backend::Confluent.connect(&wire);
    let error = refused(run(&*provider, Backend::Confluent, Operation::Get).await);
    assert_eq!(error.status(), Some(307), "{error}");
}

/// 307 and 308 ask for the same request elsewhere, so it was not carried out here; 303 names where its
/// result is, so it may have been.
#[tokio::test]
async fn a_redirect_that_is_not_followed_has_may_have_executed() {
    let mut checks = Checks::default();
    for backend in Backend::ALL {
        for operation in OPERATIONS {
            for status in [303, 307, 308] {
                checks.case(format!("{backend:?} {operation} {status}"));
                let wire = Wire::always(redirect(status, "https://elsewhere.example/")).await;
                let error = refused(run(&*backend.connect(&wire), backend, operation).await);
                checks.same(
                    "may_have_executed",
                    error.may_have_executed(),
                    changes_state(operation),
                );
            }
        }
    }
}

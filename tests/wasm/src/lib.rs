//! What of the library works in a module of WebAssembly: `.ci/wasm` runs it in Node.

use std::{error::Error, time::Duration};

use futures_util::StreamExt;
use org_invitations::{
    ApplyOptions, InvitationProvider, InvitationProviderExt, ListQuery, NewInvitation,
    OrganizationProviderExt, People, Plan, PlanOptions, WaitResult, WatchOptions,
    conformance::TestContext, memory::InMemory,
};
use wasm_bindgen::prelude::*;

/// Runs everything; the result is how many behaviours of the conformance suite hold.
#[wasm_bindgen]
pub async fn run() -> Result<u32, JsValue> {
    let outcome = async {
        a_plan_is_applied().await?;
        a_wait_ends().await?;
        conformance().await
    };
    outcome.await.map_err(|error| error.to_string().into())
}

async fn a_plan_is_applied() -> Result<(), Box<dyn Error>> {
    let organisation = InMemory::builder()
        .invitation(NewInvitation::new("bob@example.com"))
        .build()?;
    let roster = ["ann@example.com", "bob@example.com"].map(NewInvitation::new);
    let people = People::load(&organisation).await?;
    let capabilities = organisation.capabilities();
    let plan = Plan::of_people(roster, people, &capabilities, &PlanOptions::default());
    let outcomes: Vec<_> = plan
        .apply(&organisation, ApplyOptions::default())
        .collect()
        .await;
    if outcomes.len() != 2 {
        return Err(format!("the plan has other steps: {outcomes:?}").into());
    }
    let invitations: Vec<_> = organisation.list(ListQuery::new()).collect().await;
    match invitations.len() {
        2 => Ok(()),
        other => Err(format!("{other} invitations, and 2 are right").into()),
    }
}

/// A timer ends the wait.
async fn a_wait_ends() -> Result<(), Box<dyn Error>> {
    let organisation = InMemory::new();
    let made = organisation
        .create(NewInvitation::new("ann@example.com"))
        .await?;
    let options = WatchOptions::default()
        .interval(Duration::from_millis(20))
        .timeout(Some(Duration::from_millis(100)));
    match organisation.wait_until_accepted(&made, &options).await? {
        WaitResult::TimedOut => Ok(()),
        other => Err(format!("nobody has accepted: {other:?}").into()),
    }
}

macro_rules! conformance {
    ($($behaviour:ident)*) => {
        async fn conformance() -> Result<u32, Box<dyn Error>> {
            let mut held = 0;
            $(
                let organisation = InMemory::new();
                let context = TestContext::new(&organisation)
                    .accept(|email| { let _ = organisation.accept(email); });
                org_invitations::conformance::$behaviour(&context)
                    .await
                    .map_err(|violation| format!("{}: {violation}", stringify!($behaviour)))?;
                held += 1;
            )*
            Ok(held)
        }
    };
}

org_invitations::for_each_behaviour!(conformance);

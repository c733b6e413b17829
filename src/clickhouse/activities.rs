//! What happened in the organisation, as far as it is about members.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    address::normalize_email,
    bindings::clickhouse::offers,
    clickhouse::ClickHouse,
    decode::parse,
    error::{Operation, Result},
    member::{MembershipEvent, MembershipEventKind},
};

/// An activity, as far as the facade reads it. All of it is optional in the vendor's document.
#[derive(Deserialize)]
struct Activity {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(rename = "createdAt")]
    created_at: Option<DateTime<Utc>>,
    /// Observed: the address of a user. Documented: "additional information about the actor".
    #[serde(rename = "actorDetails")]
    actor_details: Option<String>,
}

impl ClickHouse {
    pub(super) async fn membership_events_of(&self, email: &str) -> Result<Vec<MembershipEvent>> {
        let context = self.context(Operation::ListActivities, Some(email));
        context.require_supported(offers::ACTIVITY_GET_LIST, "history of members")?;
        let api = self.api.within(&context.call);
        let request = api.activity_get_list().organization_id(&*self.organization);
        let reply = context.reply(request.send().await)?;
        let odd = |why| context.decode_error(&reply, &format!("`result` is no list: {why}"));
        let mut envelope: Map<String, Value> = parse(&reply.body).map_err(odd)?;
        let activities = envelope.remove("result").unwrap_or_default();
        context.expect_no_failure(&reply, &envelope)?;
        let activities: Vec<Value> = serde_json::from_value(activities).map_err(odd)?;
        let address = normalize_email(email);
        let mut events: Vec<_> = activities
            .into_iter()
            // An activity in another form is about something else, as far as is known.
            .filter_map(|value| Activity::deserialize(value).ok())
            .filter(|one| {
                let details = one.actor_details.as_deref().unwrap_or_default();
                details
                    .split_whitespace()
                    .any(|word| normalize_email(word) == address)
            })
            .filter_map(|one| Some(MembershipEvent::new(one.created_at?, kind_of(&one.kind?)?)))
            .collect();
        events.sort_by_key(|event| event.at);
        Ok(events)
    }
}

fn kind_of(word: &str) -> Option<MembershipEventKind> {
    match word {
        "organization_member_join" | "organization_member_add" => Some(MembershipEventKind::Joined),
        // Who is removed by somebody else is not the actor, and is not named.
        "organization_member_leave" => Some(MembershipEventKind::Left),
        _ => None,
    }
}

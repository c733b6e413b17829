//! A vendor that sends everything at once, over ClickHouse's bindings.

use std::sync::Arc;

use httpmock::{Method::GET, Method::POST, MockServer};
use serde_json::{Map, Value, json};

use super::{Connection, Failure, InvitationList, InvitationObject, Rejection, Vendor};
use crate::{
    bindings::clickhouse::{Client, types},
    capabilities::Capabilities,
    decode::invitation_of,
    error::{Error, ErrorKind, Operation, Result},
    http::{Credentials, RetryPolicy},
    invitation::{Invitation, InvitationId},
    list::{ListQuery, Page, PageToken},
    lookup::is_about_a_member,
};

struct Whole;

impl Vendor for Whole {
    const NAME: &'static str = "whole";
    const BASE_URL: &'static str = "https://whole.example";

    fn capabilities() -> Capabilities {
        Capabilities::default().filter_email(true)
    }

    fn failure(rejection: &Rejection<'_>) -> Option<Failure> {
        let failure = Failure::new(rejection.body["why"].as_str()?);
        Some(match rejection.status {
            409 => failure.already_a_member(),
            402 => failure
                .code("full")
                .conflicting_id(InvitationId::new("i-9").ok()?),
            _ => failure,
        })
    }
}

impl InvitationObject for types::Invitation {
    const FIELDS: &'static [&'static str] = &["email", "id"];

    fn unknown(&self) -> &Map<String, Value> {
        &self.extra
    }

    fn invitation(&mut self) -> Result<Invitation, String> {
        invitation_of(self.id.take(), self.email.take())
    }
}

impl InvitationList for types::InvitationListResponse {
    type Item = types::Invitation;
    const ITEMS: &'static str = "result";
}

const PATH: &str = "/v1/organizations/o/invitations";

fn connect(server: &MockServer) -> (Connection, Client) {
    let connection = Connection::builder::<Whole>()
        .credentials(Credentials::bearer("a-secret"))
        .base_url(server.base_url().as_str())
        .retry(RetryPolicy::none())
        .build()
        .unwrap();
    let client = Client::over(Arc::clone(connection.client()));
    (connection, client)
}

async fn list(server: &MockServer, query: &ListQuery, token: Option<&PageToken>) -> Result<Page> {
    let (connection, client) = connect(server);
    let call = connection.call(Operation::List, None);
    call.check_query(query)?;
    let client = client.within(call.state());
    let request = client.invitation_get_list().organization_id("o");
    call.list(query, token, || request.send()).await
}

async fn refused(status: u16, body: Value) -> Error {
    let server = MockServer::start_async().await;
    let refusal = server.mock_async(|when, then| {
        when.method(POST).path(PATH);
        then.status(status).json_body(body);
    });
    refusal.await;
    let (connection, client) = connect(&server);
    let call = connection.call(Operation::Create, Some("ann@example.com"));
    let client = client.within(call.state());
    let request = client.invitation_create().organization_id("o");
    call.delete(|| request.send()).await.unwrap_err()
}

#[tokio::test]
async fn a_whole_list_is_filtered_and_cut_into_pages() {
    let server = MockServer::start_async().await;
    let invitation = |number| {
        let email = format!("p{number}@example.com");
        json!({ "id": format!("i-{number}"), "email": email, "team": number })
    };
    let all = json!({ "result": (0..5).map(invitation).collect::<Value>(), "kept": true });
    let mock = server.mock_async(|when, then| {
        when.method(GET).path(PATH);
        then.status(200).json_body(all);
    });
    let mock = mock.await;
    let query = ListQuery::new().page_size(2);
    let (mut token, mut ids, mut sizes) = (None, Vec::new(), Vec::new());
    loop {
        let page = list(&server, &query, token.as_ref()).await.unwrap();
        assert_eq!((page.total, &page.extra["kept"]), (Some(5), &json!(true)));
        sizes.push(page.items.len());
        ids.extend(
            page.items
                .into_iter()
                .map(|item| item.unwrap().id.to_string()),
        );
        match page.next {
            Some(next) => token = Some(next),
            None => break,
        }
    }
    assert_eq!(sizes, [2, 2, 1]);
    assert_eq!(ids, ["i-0", "i-1", "i-2", "i-3", "i-4"]);

    let query = ListQuery::new().email("P3@example.com");
    let page = list(&server, &query, None).await.unwrap();
    let found = page.items[0].as_ref().unwrap();
    assert_eq!((page.items.len(), &found.extra["team"]), (1, &json!(3)));

    let sent = mock.calls_async().await;
    let foreign = PageToken::new("elsewhere");
    let error = list(&server, &ListQuery::new(), Some(&foreign))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(mock.calls_async().await, sent);
}

#[tokio::test]
async fn a_failure_has_what_the_vendor_says() {
    let full = refused(402, json!({ "why": "no seats" })).await;
    assert_eq!(
        (full.kind(), full.code()),
        (ErrorKind::QuotaExceeded, Some("full"))
    );
    assert_eq!(full.conflicting_id().map(InvitationId::as_str), Some("i-9"));
    assert!(!full.may_have_executed(), "{full}");

    let member = refused(409, json!({ "why": "has joined" })).await;
    assert_eq!(member.kind(), ErrorKind::AlreadyExists);
    assert!(is_about_a_member(&member), "{member}");
}

#[tokio::test]
async fn only_the_vendors_own_form_is_a_refusal() {
    for status in [400, 404, 429] {
        let own = refused(status, json!({ "why": "too many" })).await;
        assert!(!own.may_have_executed(), "{own}");
        let gateway = refused(status, json!({ "reason": "too many" })).await;
        assert!(gateway.may_have_executed(), "{gateway}");
        assert_ne!(gateway.kind(), ErrorKind::NotFound);
    }
}

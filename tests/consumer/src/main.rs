//! Uses what a vendor's document has that the library's own does not: a property, a query parameter, a value of a
//! set and an operation, on both vendors, through the bindings and through the facade.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
};

use org_invitations::{
    ClickHouse, Confluent, ErrorKind, InvitationProvider, ListQuery, NewInvitation, bindings,
};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    for (provider, document) in bindings::documents() {
        let whose = if document.is_own { "the library's" } else { "another" };
        println!("{provider}: {}, {} ({whose})", document.title, document.file);
    }
    confluent().await?;
    clickhouse().await?;
    println!("what is new is sent, read and called on both");
    Ok(())
}

async fn confluent() -> Result<(), Box<dyn std::error::Error>> {
    use bindings::confluent::types;

    let (url, asked) = serve(|invitation| invitation, |list| json!({ "data": list, "metadata": {} }));
    let provider = Confluent::builder().api_key("key", "secret").base_url(url).build()?;

    let new = NewInvitation::new("ann@example.com").extra("department", json!("sales"));
    let made = provider.create(new).await?;
    assert_eq!(asked.recv()?.1["department"], "sales");
    assert_eq!(made.extra["department"], "sales");
    let wire = made.wire::<types::Invitation>()?;
    assert_eq!(wire.department.as_deref(), Some("sales"));

    let page = provider.list_page(&ListQuery::new().extra("department", "sales"), None).await?;
    assert_eq!(page.items.len(), 1);
    assert!(asked.recv()?.0.contains("department=sales"));

    let client = provider.bindings();
    let list = client.list_iam_v2_invitations().department("sales").send().await?;
    assert_eq!(list.data.as_ref().map(Vec::len), Some(1));
    assert!(asked.recv()?.0.contains("department=sales"));

    let key = types::InvitationAuthType::from("AUTH_TYPE_PASSKEY");
    assert!(matches!(key, types::InvitationAuthType::AuthTypePasskey));

    let moved = client.update_iam_v2_invitation().id("i-1").body_map(|body| body.department("hr".to_owned()));
    moved.send().await?;
    let (line, body) = asked.recv()?;
    assert!(line.starts_with("PATCH /iam/v2/invitations/i-1 "), "{line}");
    assert_eq!(body["department"], "hr");

    // What no document has is refused, and nothing is sent.
    let odd = NewInvitation::new("ann@example.com").extra("rank", json!(1));
    assert_eq!(provider.create(odd).await.unwrap_err().kind(), ErrorKind::Unsupported);
    assert!(asked.try_recv().is_err());
    Ok(())
}

async fn clickhouse() -> Result<(), Box<dyn std::error::Error>> {
    use bindings::clickhouse::types;

    let envelope = |result: Value| json!({ "status": 200, "requestId": "r", "result": result });
    let (url, asked) = serve(envelope, envelope);
    let provider = ClickHouse::builder("o-1").api_key("key", "secret").base_url(url).build()?;

    let new = NewInvitation::new("ann@example.com").extra("department", json!("sales"));
    let made = provider.create(new).await?;
    assert_eq!(asked.recv()?.1["department"], "sales");
    let wire = made.wire::<types::Invitation>()?;
    assert_eq!(wire.department.as_deref(), Some("sales"));

    let page = provider.list_page(&ListQuery::new().extra("department", "sales"), None).await?;
    assert_eq!(page.items.len(), 1);
    assert!(asked.recv()?.0.contains("department=sales"));

    let client = provider.bindings();
    client.invitation_get_list().organization_id("o-1").department("sales").send().await?;
    assert!(asked.recv()?.0.contains("department=sales"));

    assert!(matches!(types::InvitationRole::from("auditor"), types::InvitationRole::Auditor));

    let moved = client.invitation_update().organization_id("o-1").invitation_id("i-1");
    moved.body_map(|body| body.department("hr".to_owned())).send().await?;
    let (line, body) = asked.recv()?;
    assert!(line.starts_with("PATCH /v1/organizations/o-1/invitations/i-1 "), "{line}");
    assert_eq!(body["department"], "hr");
    Ok(())
}

/// A server that knows one invitation, and tells the first line and the body of each request.
fn serve(
    one: impl Fn(Value) -> Value + Send + 'static,
    list: impl Fn(Value) -> Value + Send + 'static,
) -> (String, mpsc::Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, asked) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            while let Some((line, body)) = request(&stream) {
                let invitation = json!({
                    "id": "i-1",
                    "email": "ann@example.com",
                    "department": body.get("department").cloned().unwrap_or(json!("sales")),
                });
                let answer = if line.starts_with("GET") { list(json!([invitation])) } else { one(invitation) };
                let status = if line.starts_with("POST /iam") { "201 Created" } else { "200 OK" };
                if tell.send((line, body)).is_err() {
                    return;
                }
                let answer = answer.to_string();
                let head = format!(
                    "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                    answer.len()
                );
                stream.write_all((head + &answer).as_bytes()).unwrap();
            }
        }
    });
    (url, asked)
}

fn request(stream: &TcpStream) -> Option<(String, Value)> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((first, serde_json::from_slice(&body).unwrap_or_default()))
}

//! A server with canned replies of both vendors, which does as little work as possible.

use std::{
    collections::HashMap,
    fmt::Write as _,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// The number of invitations on one page of Confluent's list.
pub const PAGE: usize = 99;

/// The number of pages of Confluent's list, with slightly more than a million invitations.
const PAGES: usize = 10_200;

/// The id and the email of the single invitation of ClickHouse and of WorkOS.
pub const ID: &str = "00000000-0000-4000-8000-000000000007";
pub const EMAIL: &str = "person7@example.com";

/// The organisation of the single WorkOS invitation.
pub const WORKOS_ORGANIZATION: &str = "org_1";

/// The path of WorkOS's invitations.
pub const WORKOS_INVITATIONS: &str = "/user_management/invitations";

/// Bodies of whole lists, which are created once.
type Lists = Mutex<HashMap<usize, Arc<str>>>;

/// Prints the port, and serves on the loopback address until the process is killed.
pub fn serve() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    io::stdout().flush()?;
    let lists = Arc::new(Lists::default());
    for stream in listener.incoming() {
        let (stream, lists) = (stream?, Arc::clone(&lists));
        // The thread ends when its client disconnects.
        thread::spawn(move || connection(stream, &lists));
    }
    Ok(())
}

fn connection(stream: TcpStream, lists: &Lists) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split(' ');
        let method = words.next().unwrap_or_default();
        let target = words.next().unwrap_or_default();
        let status = status(method, target);
        let body = answer(method, target, lists);
        let mut length = 0;
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        io::copy(&mut reader.by_ref().take(length), &mut io::sink())?;
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nx-request-id: 6f2a\r\n\
             date: Sun, 01 Mar 2026 10:00:00 GMT\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        writer.write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
    }
}

/// WorkOS answers a create with 201, and ClickHouse with 200.
fn status(method: &str, target: &str) -> &'static str {
    if method == "POST" && target == WORKOS_INVITATIONS {
        "201 Created"
    } else {
        "200 OK"
    }
}

fn answer(method: &str, target: &str, lists: &Lists) -> Arc<str> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if path == "/iam/v2/invitations" {
        let token = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("page_token="));
        return confluent_page(token.and_then(|token| token.parse().ok()).unwrap_or(0)).into();
    }
    if path.starts_with(WORKOS_INVITATIONS) {
        return workos().into();
    }
    if method == "DELETE" {
        return r#"{"status":200,"requestId":"6f2a"}"#.into();
    }
    match path.strip_suffix("/invitations") {
        // The organisation's id says how many invitations it has.
        Some(organization) if method == "GET" => {
            let count = organization
                .rsplit('/')
                .next()
                .and_then(|id| id.parse().ok());
            clickhouse_list(count.unwrap_or(0), lists)
        }
        _ => format!(
            r#"{{"status":200,"requestId":"6f2a","result":{}}}"#,
            clickhouse(7)
        )
        .into(),
    }
}

fn clickhouse_list(count: usize, lists: &Lists) -> Arc<str> {
    let mut lists = lists.lock().expect("no thread panics with the lock");
    let list = lists.entry(count).or_insert_with(|| {
        let items: Vec<String> = (0..count).map(clickhouse).collect();
        format!(
            r#"{{"status":200,"requestId":"6f2a","result":[{}]}}"#,
            items.join(",")
        )
        .into()
    });
    Arc::clone(list)
}

/// An invitation with all documented properties, and no other.
fn clickhouse(index: usize) -> String {
    format!(
        r#"{{"id":"00000000-0000-4000-8000-{index:012}","email":"person{index}@example.com","role":"developer","createdAt":"2026-03-01T10:00:00.123Z","expireAt":"2199-03-08T10:00:00.123Z","assignedRoles":[{{"roleId":"5b7b2f5e-3c0e-4d2b-9c1f-{index:012}","roleName":"Developer","roleType":"system"}}]}}"#
    )
}

/// An invitation with all documented properties, and no other.
fn workos() -> String {
    format!(
        r#"{{"object":"invitation","id":"{ID}","email":"{EMAIL}","state":"pending","accepted_at":null,"revoked_at":null,"expires_at":"2199-03-08T10:00:00.123Z","organization_id":"{WORKOS_ORGANIZATION}","role_slug":"developer","inviter_user_id":null,"accepted_user_id":null,"created_at":"2026-03-01T10:00:00.123Z","updated_at":"2026-03-01T10:00:00.123Z","token":"0123456789abcdefghijklmno","accept_invitation_url":"https://app.example.com/invite?invitation_token=0123456789abcdefghijklmno"}}"#
    )
}

fn confluent_page(page: usize) -> String {
    let mut body = String::from(
        r#"{"api_version":"iam/v2","kind":"InvitationList","metadata":{"first":"https://api.confluent.cloud/iam/v2/invitations""#,
    );
    if page + 1 < PAGES {
        let next = page + 1;
        write!(
            body,
            r#","next":"https://api.confluent.cloud/iam/v2/invitations?page_token={next}""#
        )
        .expect("text takes any text");
    }
    body.push_str(r#","total_size":1009800},"data":["#);
    for index in page * PAGE..(page + 1) * PAGE {
        if index > page * PAGE {
            body.push(',');
        }
        body.push_str(&confluent(index));
    }
    body.push_str("]}");
    body
}

fn confluent(index: usize) -> String {
    format!(
        r#"{{"api_version":"iam/v2","kind":"Invitation","id":"i-{index:06}","metadata":{{"self":"https://api.confluent.cloud/iam/v2/invitations/i-{index:06}","resource_name":"crn://confluent.cloud/organization=9bb441c4-edef-46ac-8a41-c49e44a3fd9a/invitation=i-{index:06}","created_at":"2026-03-01T10:00:00.123456Z","updated_at":"2026-03-01T10:00:00.123456Z"}},"email":"person{index}@example.com","auth_type":"AUTH_TYPE_SSO","status":"INVITE_STATUS_SENT","expires_at":"2026-03-08T10:00:00.123456Z","user":{{"id":"u-{index:06}","related":"https://api.confluent.cloud/iam/v2/users/u-{index:06}","resource_name":"crn://confluent.cloud/user=u-{index:06}"}},"creator":{{"id":"u-000001","related":"https://api.confluent.cloud/iam/v2/users/u-000001","resource_name":"crn://confluent.cloud/user=u-000001"}}}}"#
    )
}

//! One odd item of a list is that item's error, and hides none of the others.

use futures::StreamExt;
use org_invitations::{InvitationProviderExt, ListQuery};

use crate::matrix::{Cell, Finding, check};
use crate::provider::{Patience, connect};
use crate::scenarios::{ANN, BOB, CAT, Case, Expect, Path};
use crate::server::{Answer, Carried, Fault, Op, Organisation, Seed, Server, Vendor, World};

/// The items as bytes: not all of them are text.
fn odd_items() -> Vec<(&'static str, Vec<u8>)> {
    let with_extra = |value: &[u8]| {
        let mut item =
            br#"{"id":"odd-1","email":"odd@example.com","metadata":{},"extra":"#.to_vec();
        item.extend_from_slice(value);
        item.push(b'}');
        item
    };
    let deep = |levels: usize| {
        with_extra(format!("{}{}", "[".repeat(levels), "]".repeat(levels)).as_bytes())
    };
    vec![
        (
            "lone surrogate in the address",
            br#"{"id":"odd-1","email":"\ud800@example.com","metadata":{}}"#.to_vec(),
        ),
        (
            "lone surrogate in another property",
            with_extra(br#""\udfff""#),
        ),
        (
            "lone surrogate in a key",
            br#"{"id":"odd-1","email":"odd@example.com","\ud800":1,"metadata":{}}"#.to_vec(),
        ),
        ("1e400", with_extra(b"1e400")),
        ("-1e400", with_extra(b"-1e400")),
        (
            "1e400 for an id",
            br#"{"id":1e400,"email":"odd@example.com","metadata":{}}"#.to_vec(),
        ),
        (
            "a number of 400 digits",
            with_extra("9".repeat(400).as_bytes()),
        ),
        ("invalid UTF-8", with_extra(b"\"\xff\xfe\"")),
        (
            "invalid UTF-8 in the address",
            b"{\"id\":\"odd-1\",\"email\":\"\xc3\x28@example.com\",\"metadata\":{}}".to_vec(),
        ),
        ("overlong UTF-8", with_extra(b"\"\xc0\xaf\"")),
        ("200 levels", deep(200)),
        ("10 000 levels", deep(10_000)),
        ("1 000 000 levels", deep(1_000_000)),
        ("escaped NUL", with_extra(br#""\u0000""#)),
        ("raw control character", with_extra(b"\"\x01\"")),
        ("null", b"null".to_vec()),
        ("a number", b"7".to_vec()),
        ("a string", b"\"odd\"".to_vec()),
        ("an empty list", b"[]".to_vec()),
        ("an empty object", b"{}".to_vec()),
        (
            "no id",
            br#"{"email":"odd@example.com","metadata":{}}"#.to_vec(),
        ),
        (
            "an empty id",
            br#"{"id":"","email":"odd@example.com","metadata":{}}"#.to_vec(),
        ),
        (
            "an id with a slash",
            br#"{"id":"../members/1","email":"odd@example.com","metadata":{}}"#.to_vec(),
        ),
        ("no address", br#"{"id":"odd-1","metadata":{}}"#.to_vec()),
        (
            "a list for an address",
            br#"{"id":"odd-1","email":["odd@example.com"],"metadata":{}}"#.to_vec(),
        ),
        (
            "an odd time",
            with_extra(br#"1,"createdAt":"yesterday","expires_at":"tomorrow","expireAt":7"#),
        ),
        (
            "the address twice",
            br#"{"id":"odd-1","email":"odd@example.com","email":"ann@example.com","metadata":{}}"#
                .to_vec(),
        ),
    ]
}

/// The regular list with an item between the first and the second.
fn with_item(vendor: Vendor, item: Vec<u8>) -> Answer {
    let key: &[u8] = match vendor {
        Vendor::Confluent => b"\"data\":[",
        Vendor::ClickHouse => b"\"result\":[",
    };
    Answer::rewrite(move |body| {
        let start = body
            .windows(key.len())
            .position(|window| window == key)
            .expect("a list")
            + key.len();
        let mut spoilt = body[..start].to_vec();
        spoilt.extend_from_slice(&item);
        spoilt.push(b',');
        spoilt.extend_from_slice(&body[start..]);
        spoilt
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_item_hides_no_other() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for (name, item) in odd_items() {
            let label = format!("{:10} | list             | {name}", vendor.name());
            cells.push(Cell::new(label, list_with(vendor, item)));
        }
    }
    check("manners, odd items", cells).await;
}

async fn list_with(vendor: Vendor, item: Vec<u8>) -> Finding {
    let seeds = [ANN, BOB, CAT].map(Seed::sent).to_vec();
    let fault = Fault::new(Op::List, Carried::No, with_item(vendor, item));
    let server = Server::start(
        Organisation::new(vendor, World::default(), seeds),
        vec![fault],
    )
    .await;
    let provider = connect(&server, Patience::default());
    let rows: Vec<_> = provider.list(ListQuery::new()).collect().await;
    let mut wrong = Vec::new();
    for email in [ANN, BOB, CAT] {
        let is_hers = |row: &&Result<_, _>| matches!(row, Ok(invitation) if { let invitation: &org_invitations::Invitation = invitation; invitation.email == email && !invitation.id.as_str().starts_with("odd") });
        if rows.iter().filter(is_hers).count() != 1 {
            wrong.push(format!("hides {email}"));
        }
    }
    if rows.len() != 4 && wrong.is_empty() {
        wrong.push(format!("{} items for 4", rows.len()));
    }
    let errors: Vec<String> = rows
        .iter()
        .filter_map(|row| row.as_ref().err())
        .map(|error| format!("{:?}", error.kind()))
        .collect();
    Finding {
        reported: format!("{} rows, errors {errors:?}", rows.len()),
        truth: "4 items, 3 good".to_owned(),
        wrong,
    }
}

/// The list in which a lost create is looked for has an odd item too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_item_hides_no_lost_create() {
    let mut cells: Vec<Cell> = Vec::new();
    for vendor in Vendor::BOTH {
        for (name, item) in odd_items() {
            for path in [Path::Create, Path::GetOrCreate] {
                let faults = vec![
                    Fault::new(Op::Create, Carried::Yes, Answer::Reset).about(ANN),
                    Fault::new(Op::List, Carried::No, with_item(vendor, item.clone())),
                ];
                // An item that names Ann and cannot be read may leave it open.
                let expect = if name == "the address twice" {
                    Expect::Truth
                } else {
                    Expect::Success
                };
                let case = Case::new(
                    vendor,
                    path,
                    format!("reset after commit, list with {name}"),
                );
                cells.push(case.faults(faults).expect(expect).cell());
            }
        }
    }
    check("manners, odd items of lookups", cells).await;
}

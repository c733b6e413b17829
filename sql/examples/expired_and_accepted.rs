//! Lists people whose invitation expired on one vendor and was accepted on the other:
//! `cargo run -p org-invitations-sql --example expired_and_accepted`.

use org_invitations_sql::sql;

#[allow(dead_code)]
mod common;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let demo = common::demo().await?;
    let statement = "SELECT e.email, e.provider AS expired_on, a.provider AS accepted_on
                     FROM invitations e
                     JOIN invitations a ON lower(a.email) = lower(e.email) AND a.provider <> e.provider
                     WHERE e.status = 'expired' AND a.status = 'accepted'";
    let people = sql(&demo.context, statement).await?;
    people.clone().show().await?;
    assert_eq!(people.count().await?, 1);
    Ok(())
}

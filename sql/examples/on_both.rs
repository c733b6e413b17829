//! Lists people who are invited on both vendors: `cargo run -p org-invitations-sql --example on_both`.

use org_invitations_sql::sql;

#[allow(dead_code)]
mod common;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let demo = common::demo().await?;
    let statement = "SELECT k.email, k.status AS on_confluent, c.status AS on_clickhouse
                     FROM confluent.iam.invitations k
                     JOIN clickhouse.members.invitations c ON lower(c.email) = lower(k.email)
                     ORDER BY k.email";
    let both = sql(&demo.context, statement).await?;
    both.clone().show().await?;
    assert_eq!(both.count().await?, 2);
    Ok(())
}

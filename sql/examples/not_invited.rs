//! Lists employees who are not invited anywhere: `cargo run -p org-invitations-sql --example not_invited`.

use org_invitations_sql::sql;

#[allow(dead_code)]
mod common;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let demo = common::demo().await?;
    let roster = demo.roster()?;
    let statement = format!(
        "SELECT email, team FROM '{}' AS hr
         WHERE NOT EXISTS (SELECT 1 FROM invitations i WHERE lower(i.email) = lower(hr.email))
         ORDER BY email",
        roster.display()
    );
    let missing = sql(&demo.context, &statement).await?;
    missing.clone().show().await?;
    assert_eq!(missing.count().await?, 2);
    Ok(())
}

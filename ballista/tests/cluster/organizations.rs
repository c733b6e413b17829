//! The organisations, each a sandbox of its own, and the file of their credentials.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use datafusion::prelude::SessionContext;
use org_invitations::{Confluent, OrganizationProvider};
use org_invitations_sandbox::{Fault, Faults, Rule, Sandbox};
use serde_json::{Map, json};
use tempfile::TempDir;

/// How many organisations there are. The `i`-th has the profile `p-i`, and one to five members.
const COUNT: usize = 200;
/// The members of any organisation whose addresses are in the file: `member1` and `member3`.
const IN_ROSTER: [usize; 2] = [1, 3];

pub struct Organizations {
    sandboxes: Vec<Sandbox>,
    folder: TempDir,
    profiles: PathBuf,
}

fn members(index: usize) -> usize {
    1 + index % 5
}

impl Organizations {
    pub async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let (mut sandboxes, mut configs) = (Vec::new(), Map::new());
        for index in 0..COUNT {
            let sandbox = Sandbox::builder()
                .seed(2)
                .seed_members(members(index) as u64);
            let sandbox = sandbox.start().await.unwrap();
            let key = &sandbox.credentials().confluent;
            let config = json!({
                "provider": "confluent",
                "api_key": key.api_key,
                "api_secret": key.api_secret,
                "base_url": sandbox.url(),
            });
            configs.insert(format!("p-{index:03}"), config);
            sandboxes.push(sandbox);
        }
        let profiles = folder.path().join("profiles.json");
        fs::write(&profiles, serde_json::to_vec(&configs).unwrap()).unwrap();
        Self {
            sandboxes,
            folder,
            profiles,
        }
    }

    pub fn count(&self) -> usize {
        COUNT
    }

    /// The file of the credentials, which each executor gets.
    pub fn profiles(&self) -> &Path {
        &self.profiles
    }

    pub fn provider(&self, index: usize) -> Arc<dyn OrganizationProvider> {
        let sandbox = &self.sandboxes[index];
        let key = &sandbox.credentials().confluent;
        let builder = Confluent::builder().api_key(&key.api_key, key.api_secret.as_str());
        Arc::new(builder.base_url(sandbox.url()).build().unwrap())
    }

    /// Writes a Parquet file of addresses and teams, and returns its name.
    pub async fn write_roster(
        &self,
        session: &SessionContext,
    ) -> datafusion::error::Result<String> {
        let path = self.folder.path().join("roster.parquet");
        let path = path.display().to_string();
        let known =
            IN_ROSTER.map(|number| format!("('member{number}@seeded.example', 'team {number}')"));
        let rows = format!("{}, ('nobody@example.com', 'none')", known.join(", "));
        let copy = format!("COPY (SELECT * FROM (VALUES {rows}) AS t (email, team)) TO '{path}'");
        session.sql(&copy).await?.collect().await?;
        Ok(path)
    }

    /// How many members have addresses in the file.
    pub fn in_roster(&self) -> usize {
        let in_one = |index| {
            IN_ROSTER
                .iter()
                .filter(|number| **number <= members(index))
                .count()
        };
        (0..COUNT).map(in_one).sum()
    }

    /// Makes every answer take about a third of a second.
    pub fn answer_slowly(&self) {
        for sandbox in &self.sandboxes {
            let slow = Rule::new(Fault::slow_body(200, 50)).always();
            sandbox.set_faults(Faults::script([slow]));
        }
    }

    pub fn answer_at_once(&self) {
        for sandbox in &self.sandboxes {
            sandbox.set_faults(Faults::default());
        }
    }

    /// The number of requests to each.
    pub fn requests(&self) -> Vec<usize> {
        let ledgers = self.sandboxes.iter().map(Sandbox::ledger);
        ledgers.map(|ledger| ledger.requests.len()).collect()
    }

    /// How many were asked something since.
    pub fn asked(&self, before: &[usize]) -> usize {
        let requests = self.requests();
        let pairs = requests.iter().zip(before);
        pairs.filter(|(now, before)| now > before).count()
    }

    /// The number of changes in all of them.
    pub fn changes(&self) -> usize {
        let ledgers = self.sandboxes.iter().map(Sandbox::ledger);
        ledgers.map(|ledger| ledger.commits.len()).sum()
    }
}

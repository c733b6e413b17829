//! Runs the sandbox in a process of its own, so that its resources are not counted.

use std::{
    env,
    error::Error,
    io::{self, BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
};

use org_invitations::{ClickHouseBuilder, ConfluentBuilder};
use org_invitations_sandbox::{Config, Sandbox};
use serde::Deserialize;

/// Prints the address and the keys, and serves until the process is killed.
pub async fn serve(config: &str) -> Result<(), Box<dyn Error>> {
    let config: Config = serde_json::from_str(config)?;
    let sandbox = Sandbox::builder().config(config).start().await?;
    println!("{}", serde_json::to_string(sandbox.credentials())?);
    io::stdout().flush()?;
    sandbox.serve_until(std::future::pending()).await?;
    Ok(())
}

/// The address of a sandbox, and a key for each API.
#[derive(Debug, Deserialize)]
pub struct Access {
    pub url: String,
    pub confluent: Key,
    pub clickhouse: Key,
}

#[derive(Debug, Deserialize)]
pub struct Key {
    pub api_key: String,
    pub api_secret: String,
    #[serde(default)]
    pub organization_id: String,
}

impl Access {
    pub fn read(text: &str) -> Result<Self, Box<dyn Error>> {
        Ok(serde_json::from_str(text)?)
    }

    pub fn confluent(&self) -> ConfluentBuilder {
        let key = &self.confluent;
        let builder = org_invitations::Confluent::builder();
        let builder = builder.api_key(&key.api_key, key.api_secret.as_str());
        builder.base_url(self.url.as_str())
    }

    pub fn clickhouse(&self) -> ClickHouseBuilder {
        let key = &self.clickhouse;
        let builder = org_invitations::ClickHouse::builder(&key.organization_id);
        let builder = builder.api_key(&key.api_key, key.api_secret.as_str());
        builder.base_url(self.url.as_str())
    }
}

/// A running sandbox, which ends when this value is dropped.
pub struct SandboxProcess {
    child: Child,
    /// The line with the address and the keys.
    pub access: String,
}

impl SandboxProcess {
    /// Starts a sandbox with a configuration in JSON.
    pub fn start(config: &str) -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new(env::current_exe()?)
            .args(["sandbox", config])
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take();
        let mut process = Self {
            child,
            access: String::new(),
        };
        let output = output.ok_or("the sandbox has no output")?;
        BufReader::new(output).read_line(&mut process.access)?;
        if process.access.is_empty() {
            return Err("the sandbox did not start".into());
        }
        Ok(process)
    }
}

impl Drop for SandboxProcess {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

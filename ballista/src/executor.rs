//! An executor: it reads the organisations that its own configuration names.

use std::{error::Error, path::PathBuf, sync::Arc};

use ballista_core::registry::BallistaFunctionRegistry;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use clap::Args;

use crate::Profiles;

/// How an executor runs.
#[derive(Args, Clone, Debug)]
pub struct ExecutorOptions {
    /// The file of the profiles that this executor has credentials for.
    #[arg(long)]
    pub profiles: PathBuf,
    /// The port of the scheduler on loopback.
    #[arg(long, default_value_t = 50050)]
    pub scheduler_port: u16,
    /// The port on loopback that others fetch rows from.
    #[arg(long, default_value_t = 50051)]
    pub port: u16,
    /// The port on loopback that the scheduler gives tasks to.
    #[arg(long, default_value_t = 50052)]
    pub grpc_port: u16,
    /// How many tasks run at once. A task that reads an organisation mostly waits.
    #[arg(long, default_value_t = 4)]
    pub tasks: usize,
    /// A folder for rows between two stages of a statement.
    #[arg(long)]
    pub work_dir: PathBuf,
}

/// Runs an executor until it is killed.
///
/// # Errors
///
/// When the profiles cannot be read, when a port is in use, and without a scheduler.
pub async fn run_executor(options: ExecutorOptions) -> Result<(), Box<dyn Error + Send + Sync>> {
    let profiles = Profiles::read(&options.profiles)?;
    let codec = Arc::new(crate::codec().organizations(Arc::new(profiles)));
    let session = org_invitations_sql::session();
    let work_dir = options.work_dir.to_str().ok_or("the folder is not UTF-8")?;
    let config = ExecutorProcessConfig {
        port: options.port,
        grpc_port: options.grpc_port,
        external_host: Some("127.0.0.1".to_owned()),
        scheduler_host: "127.0.0.1".to_owned(),
        scheduler_port: options.scheduler_port,
        scheduler_connect_timeout_seconds: 30,
        vcores: options.tasks,
        work_dir: Some(work_dir.to_owned()),
        executor_heartbeat_interval_seconds: 1,
        override_function_registry: Some(Arc::new(BallistaFunctionRegistry::from(
            &session.state(),
        ))),
        override_logical_codec: Some(codec.clone()),
        override_physical_codec: Some(codec),
        ..ExecutorProcessConfig::default()
    };
    Ok(start_executor_process(Arc::new(config)).await?)
}

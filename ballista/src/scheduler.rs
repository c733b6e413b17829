//! The scheduler: it plans statements, and gives the executors a task for each organisation.

use std::{error::Error, net::SocketAddr, sync::Arc};

use ballista_core::utils::default_session_builder;
use ballista_scheduler::{
    cluster::BallistaCluster, config::SchedulerConfig, scheduler_process::start_server,
};
use clap::Args;
use datafusion::execution::FunctionRegistry;

/// How a scheduler runs. It has no credentials.
#[derive(Args, Clone, Debug)]
pub struct SchedulerOptions {
    /// The port on loopback that clients and executors connect to.
    #[arg(long, default_value_t = 50050)]
    pub port: u16,
    /// After how many seconds without a sign of life an executor's tasks are given to others.
    #[arg(long, default_value_t = 10)]
    pub executor_timeout: u64,
}

/// Runs a scheduler until it is killed.
///
/// # Errors
///
/// When the port is in use.
pub async fn run_scheduler(options: SchedulerOptions) -> Result<(), Box<dyn Error + Send + Sync>> {
    let codec = Arc::new(crate::codec());
    let config = SchedulerConfig {
        bind_port: options.port,
        external_host: "127.0.0.1".to_owned(),
        executor_timeout_seconds: options.executor_timeout,
        expire_dead_executor_interval_seconds: 1,
        override_logical_codec: Some(codec.clone()),
        override_physical_codec: Some(codec),
        override_session_builder: Some(Arc::new(|config| {
            let mut state = default_session_builder(config)?;
            for function in org_invitations_sql::session()
                .state()
                .scalar_functions()
                .values()
            {
                state.register_udf(Arc::clone(function))?;
            }
            Ok(state)
        })),
        ..SchedulerConfig::default()
    };
    let cluster = BallistaCluster::new_from_config(&config).await?;
    let address = SocketAddr::from(([127, 0, 0, 1], options.port));
    Ok(start_server(cluster, address, Arc::new(config)).await?)
}

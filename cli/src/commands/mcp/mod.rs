//! `mcp`: a server of the Model Context Protocol on standard input and output.
//!
//! A tool runs a command, with its checks and limits, and answers with its records and messages.
//!
//! | | |
//! |---|---|
//! | `input` | the arguments of each tool, and the command line that they become |
//! | `tools` | the tools: names, descriptions, schemas |
//! | `answer` | what a tool answers |
//! | `call` | carrying out one call |
//! | `server` | the protocol |

mod answer;
mod call;
mod input;
mod server;
mod tools;

use std::time::Duration;

use clap::Args;
use futures::{FutureExt, StreamExt, stream::FuturesUnordered};
use rmcp::{ServiceExt, service::ServerInitializeError};
use tokio::sync::{mpsc, watch};

use self::{call::Runner, server::Server};
use crate::{
    apply::STOPPING, bulk::RemovalOptions, cli::GlobalOptions, failure::Failure,
    interrupt::Interrupt, output::escape_control, provider::ProviderContext,
};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  org-invitations -p clickhouse mcp
  org-invitations --profile kafka mcp --allow-writes --audit-log audit.jsonl
  org-invitations --profile kafka mcp --allow-writes --max-deletes 3 --keep ada@example.com

As an entry of a client's configuration:
  { \"mcpServers\": { \"invitations\": {
      \"command\": \"org-invitations\", \"args\": [\"--profile\", \"kafka\", \"mcp\"] } } }

The server offers one organisation to a program that speaks the Model Context
Protocol, such as an assistant. It reads: list_invitations, who, list_members,
list_roles, and plan, which shows what applying a list of people would change.

With --allow-writes it has create, renew, apply and remove too. Each is a dry run
unless the call says `dry_run: false`, and has the checks of the command with its
name. The limits are those of this command line; a call can only make them
stricter: --max-deletes for each call, --keep and --min-admins. On Confluent a call
that removes members has to accept that everything that they own is deleted.
`apply` keeps no journal here; --audit-log tells what was changed.

Standard input and output carry the protocol; messages go to standard error too.
The server ends with its input or with Ctrl-C, after the change in progress.")]
pub(crate) struct McpArgs {
    /// Offer the tools that change the organisation: create, renew, apply and remove.
    #[arg(long)]
    pub allow_writes: bool,
    /// Never remove this person, such as the owner of the key in use; may be repeated.
    #[arg(long, value_name = "EMAIL|ID", requires = "allow_writes")]
    pub keep: Vec<String>,
    /// How many administrators have to remain among the members.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub min_admins: usize,
    #[command(flatten)]
    pub removals: RemovalOptions,
}

/// Serves until the input ends or Ctrl-C.
pub(crate) async fn run(
    global: &GlobalOptions,
    provider: ProviderContext,
    args: McpArgs,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    let (calls, mut queue) = mpsc::unbounded_channel();
    let name = escape_control(&provider.name()).into_owned();
    let server = Server::new(&name, args.allow_writes, calls);
    let starting = server.serve(rmcp::transport::stdio());
    eprintln!(
        "serving {name} by the Model Context Protocol on standard input and output, {}; Ctrl-C ends",
        match args.allow_writes {
            true => "with changes",
            false => "without changes",
        }
    );
    let service = tokio::select! {
        started = starting => match started {
            Ok(service) => service,
            // The input ended.
            Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
            Err(error) => return Err(failed(&error)),
        },
        () = interrupt.signalled(1) => return Ok(()),
    };
    let end = service.cancellation_token();
    let (stop, stopped) = watch::channel(0);
    let runner = Runner::new(global, provider, args, stopped);
    let mut running = FuturesUnordered::new();
    let mut served = std::pin::pin!(service.waiting().fuse());
    loop {
        tokio::select! {
            Some(call) = queue.recv() => running.push(runner.run(call)),
            Some(()) = running.next() => {}
            outcome = &mut served => {
                // Nobody is there to read an answer.
                stop.send_replace(1);
                finish(&mut running, &stop, interrupt).await?;
                return match outcome {
                    Ok(_) => Ok(()),
                    Err(error) => Err(failed(&error)),
                };
            }
            () = interrupt.signalled(1) => break,
        }
    }
    stop.send_replace(1);
    // The calls in progress stop after their change, and are answered.
    let finished = finish(&mut running, &stop, interrupt).await;
    // The protocol does not tell when it has written an answer.
    tokio::select! {
        () = tokio::time::sleep(TIME_TO_ANSWER) => {}
        _ = &mut served => {}
    }
    end.cancel();
    let _ = served.await;
    finished
}

/// How long the protocol has to write an answer before it ends.
const TIME_TO_ANSWER: Duration = Duration::from_millis(300);

/// Waits for the calls in progress. The second signal forces them, so that each says what it leaves undone; the third one
/// abandons them.
///
/// # Errors
///
/// There was a second signal.
async fn finish(
    running: &mut FuturesUnordered<impl Future<Output = ()>>,
    stop: &watch::Sender<u32>,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    if running.is_empty() {
        return Ok(());
    }
    if interrupt.happened() {
        eprintln!("{STOPPING}");
    }
    tokio::select! {
        () = async { while running.next().await.is_some() {} } => return Ok(()),
        () = interrupt.signalled(2) => {}
    }
    stop.send_replace(2);
    let left = tokio::select! {
        () = async { while running.next().await.is_some() {} } => "",
        () = interrupt.signalled(3) => {
            "a call was abandoned: check with `list_invitations` what it has changed"
        }
    };
    Err(Failure::Interrupted(left.to_owned()))
}

fn failed(error: &dyn std::fmt::Display) -> Failure {
    let why = escape_control(&error.to_string()).into_owned();
    Failure::Other(format!(
        "the server of the Model Context Protocol failed: {why}"
    ))
}

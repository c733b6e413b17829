//! Carrying out one call: the command of the tool, with its output and messages captured.

use std::convert::Infallible;

use futures::future::BoxFuture;
use org_invitations::RemovalLimit;
use rmcp::model::CallToolResult;
use tokio::sync::{Mutex, oneshot, watch};

use super::{
    McpArgs,
    answer::{Printed, refusal},
    input::Words,
    tools::ToolCall,
};
use crate::{
    audit::AuditLog,
    cli::GlobalOptions,
    commands::{
        apply::{self, ApplyArgs},
        create::{self, CreateArgs},
        list::{self, ListArgs},
        members,
        plan::{self, PlanArgs, RosterOptions},
        remove::{self, RemoveArgs},
        renew::{self, RenewArgs},
        roles::{self, RolesCommand},
        who::{self, WhoArgs},
    },
    failure::{Exit, Failure},
    interrupt::Interrupt,
    output::Output,
    provider::ProviderContext,
    providers::Providers,
};

/// A call that waits for its answer.
pub(super) struct Call {
    pub tool: ToolCall,
    /// Resolves once the client has cancelled the call.
    pub cancelled: BoxFuture<'static, ()>,
    pub answer: oneshot::Sender<CallToolResult>,
}

/// Carries out calls. What reads runs at once, what changes something one after another.
pub(super) struct Runner {
    provider: ProviderContext,
    log: AuditLog,
    args: McpArgs,
    /// How many signals ask the server to end.
    stopped: watch::Receiver<u32>,
    writes: Mutex<()>,
}

impl Runner {
    pub fn new(
        global: &GlobalOptions,
        provider: ProviderContext,
        args: McpArgs,
        stopped: watch::Receiver<u32>,
    ) -> Self {
        Self {
            provider,
            log: global.audit.clone(),
            args,
            stopped,
            writes: Mutex::default(),
        }
    }

    /// Carries out a call and answers it.
    pub async fn run(&self, call: Call) {
        let (dry_run, limit) = (call.tool.dry_run(), call.tool.limit());
        let printed = Printed::default();
        let (interrupt, signal) = Interrupt::manual();
        let command = async {
            let _turn = match dry_run {
                Some(false) => Some(self.writes.lock().await),
                _ => None,
            };
            if interrupt.happened() {
                return Ok(Err(Failure::Interrupted("nothing was sent".to_owned())));
            }
            let mut out = printed.output();
            let outcome = self.command(&call.tool, &interrupt, &mut out).await;
            let flushed = std::io::Write::flush(&mut out);
            let logged = match self.log.report_unwritten() {
                true => Err(Failure::AlreadyReported(Exit::Failed)),
                false => Ok(()),
            };
            let outcome = outcome.map(|outcome| outcome.and(logged));
            match (outcome, flushed) {
                (Ok(outcome), Ok(())) => Ok(outcome),
                (Ok(outcome), Err(error)) => Ok(outcome.and(Err(error.into()))),
                (Err(why), _) => Err(why),
            }
        };
        let mut stopped = self.stopped.clone();
        let stop = async {
            tokio::select! {
                () = call.cancelled => {}
                _ = stopped.wait_for(|signals| *signals > 0) => {}
            }
            signal.send_replace(1);
            // Only who runs the server forces a command.
            if stopped.wait_for(|signals| *signals > 1).await.is_ok() {
                signal.send_replace(2);
            }
            std::future::pending::<Infallible>().await
        };
        let captured = printed.messages.capture(command);
        let outcome = tokio::select! {
            outcome = captured => outcome,
            never = stop => match never {},
        };
        let answer = match outcome {
            Ok(outcome) => printed.answer(outcome, dry_run, limit),
            Err(why) => refusal(format!("the arguments of `{}`: {why}", call.tool.name())),
        };
        // A client that has gone needs no answer.
        let _ = call.answer.send(answer);
    }

    /// Runs the command of a tool. The outer error is about the arguments.
    async fn command(
        &self,
        tool: &ToolCall,
        interrupt: &Interrupt,
        out: &mut Output,
    ) -> Result<Result<(), Failure>, String> {
        let command = format!("mcp {}", tool.name());
        let provider = self.provider.clone().audited(&self.log.named(&command));
        let providers = || Providers::of(provider.clone());
        Ok(match tool {
            ToolCall::ListInvitations(call) => {
                let args: ListArgs = call.words().parse("list")?;
                list::run(providers(), args, interrupt, out).await
            }
            ToolCall::Who(call) => {
                let args: WhoArgs = call.words().parse("who")?;
                who::run(providers(), &args, interrupt, out).await
            }
            ToolCall::ListMembers(call) => {
                let args: members::ListArgs = call.words().parse("list")?;
                members::list(providers(), &args, interrupt, out).await
            }
            ToolCall::ListRoles => {
                let list = RolesCommand::List(Words::new().parse("list")?);
                roles::run(&provider, &list, interrupt, out).await
            }
            ToolCall::Plan(call) => {
                let mut args: PlanArgs = call.words().parse("plan")?;
                self.restrict_roster(&mut args.roster, call)?;
                plan::run(providers(), args, interrupt, out).await
            }
            ToolCall::Create(call) => {
                let args: CreateArgs = call.words().parse("create")?;
                create::run(&provider, args, interrupt, out).await
            }
            ToolCall::Renew(call) => {
                if call.invitations.iter().any(|word| word == "-") {
                    return Err("`-` is no invitation".to_owned());
                }
                let mut args: RenewArgs = call.words().parse("renew")?;
                args.removals.max_deletes = Some(self.limit(call.max_deletes));
                match renew::check(&args) {
                    Ok(()) => renew::run(&provider, args, interrupt, out).await,
                    refused => refused,
                }
            }
            ToolCall::Apply(call) => {
                let mut args: ApplyArgs = call.words().parse("apply")?;
                self.restrict_roster(&mut args.roster, &call.roster)?;
                match apply::check(&args) {
                    Ok(()) => apply::run(&provider, args, interrupt, out).await,
                    refused => refused,
                }
            }
            ToolCall::Remove(call) => {
                let mut args: RemoveArgs = call.words().parse("remove")?;
                let options = &mut args.options;
                options.keep = self.keep(&call.keep);
                options.min_admins = self.min_admins(call.min_admins);
                options.removals.max_deletes = Some(self.limit(call.max_deletes));
                match remove::check(&args) {
                    Ok(()) => remove::run(&provider, args, interrupt, out).await,
                    refused => refused,
                }
            }
        })
    }

    /// Gives a roster its people, and the limits of the server and the call.
    fn restrict_roster(
        &self,
        options: &mut RosterOptions,
        call: &super::input::Roster,
    ) -> Result<(), String> {
        options.inline = Some(call.text()?);
        options.prune.keep = self.keep(&call.keep);
        options.prune.min_admins = self.min_admins(call.min_admins);
        options.removals.max_deletes = Some(self.limit(call.max_deletes));
        Ok(())
    }

    fn keep(&self, also: &[String]) -> Vec<String> {
        self.args.keep.iter().chain(also).cloned().collect()
    }

    fn min_admins(&self, asked: Option<usize>) -> usize {
        self.args.min_admins.max(asked.unwrap_or(0))
    }

    fn limit(&self, asked: Option<usize>) -> RemovalLimit {
        let limit = self.args.removals.limit();
        match asked {
            Some(asked) => limit.at_most(asked),
            None => limit,
        }
    }
}

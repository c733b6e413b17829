//! Measures what options cost: single calls with one option of the library each, in memory, and by the provider kit.

use std::{error::Error, fmt::Write as _, hint::black_box, time::Duration};

use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use org_invitations::{
    CallOptions, Interceptor, InvitationProvider, Metrics, NewInvitation, RetryBudget,
    memory::InMemory,
};

use crate::{
    calls::single,
    canned_server::{EMAIL, ID},
    runs::{self, ServerProcess},
    workload::{Measurement, calls, clickhouse, single_calls},
};

/// One row of the table.
struct Row {
    title: &'static str,
    candidate: &'static str,
    /// What is compared with as "by hand".
    by_hand: &'static str,
}

const fn row(title: &'static str, candidate: &'static str) -> Row {
    Row {
        title,
        candidate,
        by_hand: "by-hand",
    }
}

const fn workos(title: &'static str, candidate: &'static str) -> Row {
    Row {
        title,
        candidate,
        by_hand: "workos-by-hand",
    }
}

/// The candidate that has no option.
const PLAIN: &str = "plain";

const GET: [Row; 11] = [
    row("by hand", "by-hand"),
    row("the library, nothing set", PLAIN),
    row("the same, through `dyn`", "library"),
    row("an `Interceptor` that does nothing", "interceptor"),
    row("`Metrics`, which nothing records", "metrics"),
    row("`Metrics`, recorded in memory", "metrics-recorded"),
    row("a `RetryBudget`", "retry-budget"),
    row("`CallOptions` with a deadline", "deadline"),
    row("`InMemory`, without HTTP", "memory"),
    workos("WorkOS by hand", "workos-by-hand"),
    workos("WorkOS by the provider kit", "workos"),
];

const CREATE: [Row; 4] = [
    row("by hand", "by-hand"),
    row("the library, nothing set", PLAIN),
    workos("WorkOS by hand", "workos-by-hand"),
    workos("WorkOS by the provider kit", "workos"),
];

/// Measures all rows, and returns the table.
pub fn measure(server: &ServerProcess, rounds: usize) -> runs::Result<String> {
    let mut text = String::from(
        "| what an option costs, per call | with | CPU µs, median (least–most) | × library | × by hand \
         | instructions | × library | × by hand |\n|---|---|---|---|---|---|---|---|\n",
    );
    for (call, rows) in [("get", &GET[..]), ("create", &CREATE)] {
        let candidates: Vec<&str> = rows.iter().map(|row| row.candidate).collect();
        let measured = server.measure(&single(call), &candidates, rounds)?;
        let of = |candidate: &str| {
            let mut all = candidates.iter().zip(&measured);
            let found = all.find_map(|(name, measured)| (*name == candidate).then_some(measured));
            found.ok_or_else(|| format!("{call} is not measured by {candidate}"))
        };
        let library = of(PLAIN)?;
        for (row, measured) in rows.iter().zip(&measured) {
            let by_hand = of(row.by_hand)?;
            writeln!(
                text,
                "| `{call}` | {} | {:.1} | {} | {} | {} | {} | {} |",
                row.title,
                measured.microseconds(),
                measured.time_ratio(library),
                measured.time_ratio(by_hand),
                measured.instructions(),
                measured.instruction_ratio(library),
                measured.instruction_ratio(by_hand),
            )?;
        }
        eprintln!("calls: what options of a {call} cost");
    }
    Ok(text)
}

/// An interceptor with the methods that every one has.
struct Idle;

impl Interceptor for Idle {}

/// Makes a call with an option.
pub async fn run(
    option: &str,
    case: &str,
    times: usize,
    base: &str,
) -> Result<Measurement, Box<dyn Error>> {
    let builder = clickhouse(times, base);
    match option {
        PLAIN => single_calls(&builder.build()?, case, ID, times).await,
        "interceptor" => single_calls(&builder.interceptor(Idle).build()?, case, ID, times).await,
        "metrics" => {
            let provider = builder.interceptor(Metrics::new()).build()?;
            single_calls(&provider, case, ID, times).await
        }
        "metrics-recorded" => {
            // It reads what is recorded after a minute, when the run is over.
            let reader = PeriodicReader::builder(InMemoryMetricExporter::default()).build();
            let meters = SdkMeterProvider::builder().with_reader(reader).build();
            let metrics = Metrics::with_meter(&meters.meter("bench"));
            let provider = builder.interceptor(metrics).build()?;
            single_calls(&provider, case, ID, times).await
        }
        "retry-budget" => {
            let provider = builder.retry_budget(RetryBudget::default()).build()?;
            single_calls(&provider, case, ID, times).await
        }
        "deadline" if case == "get" => {
            let (provider, id) = (builder.build()?, ID.parse()?);
            Ok(calls!(times, {
                let options = CallOptions::new().deadline(Duration::from_secs(60));
                black_box(options.scope(provider.get(&id)).await?)
            }))
        }
        "memory" => {
            let organisation = InMemory::builder().invitation(NewInvitation::new(EMAIL));
            single_calls(&organisation.build()?, case, "i-1", times).await
        }
        _ => Err(format!("unknown candidate {option} of {case}").into()),
    }
}

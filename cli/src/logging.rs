//! `-v` and `-vv`: the log of the library on stderr.

use std::io::{self, IsTerminal};

use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::output::ColorChoice;

/// Logs the operations and attempts of the library; at level 2, the HTTP layers as well. Logs contain no secrets.
pub(crate) fn start(verbose: u8, colors: ColorChoice) {
    use tracing::Level;
    let targets = match verbose {
        0 => return,
        1 => Targets::new().with_target("org_invitations", Level::DEBUG),
        _ => Targets::new()
            .with_target("org_invitations", Level::TRACE)
            .with_target("reqwest", Level::DEBUG)
            .with_target("hyper_util", Level::DEBUG)
            .with_target("rustls", Level::DEBUG),
    };
    let layer = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(colors.is_enabled(io::stderr().is_terminal()))
        .with_target(verbose > 1);
    tracing_subscriber::registry()
        .with(targets)
        .with(layer)
        .init();
}

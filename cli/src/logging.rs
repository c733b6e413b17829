//! `-v` and `-vv`: what the library does, on stderr.

use std::io::{self, IsTerminal};

use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::output::ColorChoice;

/// Shows the library's calls and attempts; with 2, what is below them too. Neither has a secret in it.
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
        .with_ansi(colors.on(io::stderr().is_terminal()))
        .with_target(verbose > 1);
    tracing_subscriber::registry()
        .with(targets)
        .with(layer)
        .init();
}

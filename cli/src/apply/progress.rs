//! The progress of a run: a bar on a terminal, a line every few seconds elsewhere.

use std::{
    fmt,
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use indicatif::{HumanCount, ProgressBar, ProgressState, ProgressStyle};

use crate::{messages, provider::RateWatch};

/// The interval between two lines where stderr is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Shows the progress of a run on stderr.
pub(super) struct Progress {
    bar: ProgressBar,
    total: u64,
    done: u64,
    started: Instant,
    /// When the latest line was due, where there is no bar.
    last_line: Option<Instant>,
}

impl Progress {
    pub fn start(total: usize) -> Self {
        let total = total as u64;
        let is_terminal = io::stderr().is_terminal() && !messages::are_captured();
        let bar = if is_terminal {
            ProgressBar::new(total)
        } else {
            ProgressBar::hidden()
        };
        let template = "{bar:30} {pos}/{len}  {rate}, {eta} left  {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            let rate = |state: &ProgressState, out: &mut dyn fmt::Write| {
                // A failure to format is only a gap in the display.
                let _ = out.write_str(&format_rate(state.per_sec()));
            };
            bar.set_style(style.with_key("rate", rate).progress_chars("=> "));
        }
        let now = Instant::now();
        Self {
            bar,
            total,
            done: 0,
            started: now,
            last_line: (!is_terminal).then_some(now),
        }
    }

    /// The bar, for printing above it.
    pub fn bar(&self) -> ProgressBar {
        self.bar.clone()
    }

    /// Counts a finished step.
    pub fn increment(&mut self) {
        self.done += 1;
        self.bar.inc(1);
    }

    /// Updates the display. The run calls it a few times a second.
    pub fn tick(&mut self, rate: &RateWatch) {
        let waiting = rate.remaining_wait();
        self.bar.set_message(match waiting {
            Some(left) => format!("waiting {} s for the rate limit", left.as_secs() + 1),
            None => String::new(),
        });
        self.bar.tick();
        if let Some(line) = self
            .last_line
            .filter(|line| line.elapsed() >= LINE_INTERVAL)
        {
            self.last_line = Some(line + LINE_INTERVAL);
            let rate = self.done as f64 / self.started.elapsed().as_secs_f64();
            let remaining = match self.done {
                0 => String::new(),
                _ => format!(
                    ", about {:.0} s left",
                    (self.total - self.done) as f64 / rate
                ),
            };
            let why = waiting.map_or("", |_| ", waiting for the rate limit");
            eprintln!(
                "{} of {}, {}{remaining}{why}",
                self.done,
                self.total,
                format_rate(rate)
            );
        }
    }

    /// Prints a line above the bar.
    pub fn println(&self, line: &str) {
        self.bar.suspend(|| eprintln!("{line}"));
    }

    pub fn finish(self) {
        self.bar.finish_and_clear();
    }
}

/// A rate, rounded.
fn format_rate(per_second: f64) -> String {
    match per_second {
        slow if slow < 9.95 => format!("{slow:.1}/s"),
        fast => format!("{}/s", HumanCount(fast.round() as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::format_rate;

    #[test]
    fn rates_are_rounded() {
        for (rate, shown) in [(0.26, "0.3/s"), (9.96, "10/s"), (1264.734, "1,265/s")] {
            assert_eq!(format_rate(rate), shown);
        }
    }
}

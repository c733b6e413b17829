//! How far a run has come: a bar on a terminal, a line now and then elsewhere.

use std::{
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::provider::RateWatch;

/// How often a line is written where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// Tells on stderr how far a run has come.
pub(super) struct Progress {
    bar: ProgressBar,
    total: u64,
    done: u64,
    started: Instant,
    /// When the latest line was written, where there is no bar.
    line: Option<Instant>,
}

impl Progress {
    pub fn start(total: usize) -> Self {
        let total = total as u64;
        let is_terminal = io::stderr().is_terminal();
        let bar = if is_terminal {
            ProgressBar::new(total)
        } else {
            ProgressBar::hidden()
        };
        let template = "{bar:30} {pos}/{len}  {per_sec:.1}, {eta} left  {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        let now = Instant::now();
        Self {
            bar,
            total,
            done: 0,
            started: now,
            line: (!is_terminal).then_some(now),
        }
    }

    /// What others say is to go above this.
    pub fn bar(&self) -> ProgressBar {
        self.bar.clone()
    }

    /// One more is done.
    pub fn done(&mut self) {
        self.done += 1;
        self.bar.inc(1);
    }

    /// To be called a few times a second.
    pub fn tick(&mut self, rate: &RateWatch) {
        let waiting = rate.remaining_wait();
        self.bar.set_message(match waiting {
            Some(left) => format!("waiting {} s for the rate limit", left.as_secs() + 1),
            None => String::new(),
        });
        self.bar.tick();
        if let Some(line) = self.line.filter(|line| line.elapsed() >= BETWEEN_LINES) {
            self.line = Some(line + BETWEEN_LINES);
            let rate = self.done as f64 / self.started.elapsed().as_secs_f64();
            let left = match self.done {
                0 => String::new(),
                _ => format!(
                    ", about {:.0} s left",
                    (self.total - self.done) as f64 / rate
                ),
            };
            let why = waiting.map_or("", |_| ", waiting for the rate limit");
            eprintln!(
                "{} of {}, {rate:.1} a second{left}{why}",
                self.done, self.total
            );
        }
    }

    /// Writes a line above the bar.
    pub fn println(&self, line: &str) {
        self.bar.suspend(|| eprintln!("{line}"));
    }

    pub fn finish(self) {
        self.bar.finish_and_clear();
    }
}

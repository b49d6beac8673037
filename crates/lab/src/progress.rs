use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// How often a plain line is written where there is no terminal.
const EVERY: Duration = Duration::from_secs(10);

/// Progress of long work on stderr: a bar on a terminal, a plain line every ten seconds otherwise,
/// both with rate and time left.
pub struct Progress {
    bar: ProgressBar,
    label: String,
    total: u64,
    done: u64,
    start: Instant,
    /// When the last plain line was written; `None` on a terminal or when silent.
    spoken: Option<Instant>,
}

impl Progress {
    /// Progress of `total` steps called `label`.
    pub fn new(label: &str, total: usize) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total as u64), target).with_message(label.to_owned());
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}  {per_sec}  {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let now = Instant::now();
        let spoken = (!terminal).then_some(now);
        Progress { bar, label: label.to_owned(), total: total as u64, done: 0, start: now, spoken }
    }

    /// Progress that says nothing.
    pub fn silent() -> Self {
        let bar = ProgressBar::hidden();
        Progress { bar, label: String::new(), total: 0, done: 0, start: Instant::now(), spoken: None }
    }

    /// `steps` more are done.
    pub fn advance(&mut self, steps: usize) {
        self.done += steps as u64;
        self.bar.inc(steps as u64);
        if self.spoken.is_some_and(|last| last.elapsed() >= EVERY) {
            self.spoken = Some(Instant::now());
            eprintln!("{}", self.line());
        }
    }

    /// `caching features: 1200/12611, 13.1 a second, 14 min 31 s left`
    fn line(&self) -> String {
        let rate = self.done as f64 / self.start.elapsed().as_secs_f64().max(1e-9);
        let left = (self.total.saturating_sub(self.done) as f64 / rate.max(1e-9)) as u64;
        let left = match (left / 3600, left / 60 % 60, left % 60) {
            (0, 0, s) => format!("{s} s"),
            (0, m, s) => format!("{m} min {s} s"),
            (h, m, _) => format!("{h} h {m} min"),
        };
        format!("{}: {}/{}, {rate:.1} a second, {left} left", self.label, self.done, self.total)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        if self.spoken.is_some() && self.start.elapsed() >= EVERY {
            eprintln!("{}", self.line());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_line_names_done_total_and_time_left() {
        let mut progress = Progress::silent();
        (progress.label, progress.total) = ("caching".into(), 400);
        progress.start = Instant::now() - Duration::from_secs(10);
        progress.advance(100);
        let line = progress.line();
        assert!(line.starts_with("caching: 100/400, 10.0 a second, ") && line.ends_with(" s left"), "{line}");
    }
}

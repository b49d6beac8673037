use indicatif::{ProgressBar, ProgressStyle};
use std::fmt::Display;
use std::io::{self, IsTerminal, StdoutLock, Write};

/// The only way to the terminal: stdout is the result, stderr the story.
pub(crate) struct Printer {
    quiet: bool,
    progress: bool,
}

impl Printer {
    /// A printer; `quiet` keeps the story to warnings and errors.
    pub(crate) fn new(quiet: bool) -> Self {
        Printer { quiet, progress: io::stderr().is_terminal() }
    }

    /// Whether progress bars make sense: a person watches and did not ask for quiet.
    pub(crate) fn shows_progress(&self) -> bool {
        self.progress && !self.quiet
    }

    /// A progress bar with rate and time left, for a person who waits for more than one thing; silent otherwise.
    pub(crate) fn progress(&self, things: usize) -> ProgressBar {
        if !self.shows_progress() || things < 2 {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  {per_sec}  {eta} left")
            .expect("the template is well formed");
        ProgressBar::new(things as u64).with_style(style)
    }

    /// One line of the story on stderr.
    pub(crate) fn note(&self, line: impl Display) {
        if !self.quiet {
            eprintln!("{line}");
        }
    }

    /// Something that did not stop the command.
    pub(crate) fn warning(&self, line: impl Display) {
        eprintln!("warning: {line}");
    }

    /// Something that stopped the command or one item of it, with its whole chain of causes.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        eprintln!("error: {error:#}");
    }

    /// Where the result goes, to be written piece by piece.
    pub(crate) fn results(&self) -> StdoutLock<'static> {
        io::stdout().lock()
    }

    /// Writes to the result on stdout. A reader that went away (`boneage ... | head`) is no error.
    pub(crate) fn result(&self, text: impl Display) -> io::Result<()> {
        let mut out = self.results();
        match write!(out, "{text}").and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
}

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// Looks, 50 ms apart, for the end of a contestant that was told to end.
const PATIENCE: usize = 100;

/// A child process that works when asked; see `xtask/bench/protocol.py` for what is said.
///
/// It is stopped (SIGSTOP) whenever it is not asked.
pub(crate) struct Contestant {
    /// As in the tables.
    pub(crate) name: String,
    child: Child,
    /// None once it is told to end.
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// Set once it failed: it is not asked that work again.
    refused: Vec<String>,
}

impl Contestant {
    /// Starts the child; it prepares nothing before it is asked.
    pub(crate) fn start(name: &str, command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{name} could not be started: {command:?}"))?;
        let (Some(questions), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("{name} has no pipes")
        };
        let contestant = Contestant {
            name: name.to_owned(),
            child,
            questions: Some(questions),
            answers: BufReader::new(answers),
            refused: Vec::new(),
        };
        contestant.signal(libc::SIGSTOP);
        Ok(contestant)
    }

    /// Our side, or a peer's script, with the number of its threads in every variable that a library reads.
    pub(crate) fn command(program: &Path, threads: usize) -> Command {
        let mut command = Command::new(program);
        for variable in [
            "RAYON_NUM_THREADS",
            "OMP_NUM_THREADS",
            "MKL_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "TF_NUM_INTRAOP_THREADS",
            "BENCH_THREADS",
        ] {
            command.env(variable, threads.to_string());
        }
        command
    }

    /// Says a line and returns the answer's text.
    pub(crate) fn ask(&mut self, line: &str) -> Result<String> {
        self.signal(libc::SIGCONT);
        let answer = self.converse(line);
        self.signal(libc::SIGSTOP);
        answer.with_context(|| format!("{}: {line}", self.name))
    }

    fn converse(&mut self, line: &str) -> Result<String> {
        let questions = self.questions.as_mut().context("it was told to end")?;
        writeln!(questions, "{line}")?;
        questions.flush()?;
        let mut answer = String::new();
        if self.answers.read_line(&mut answer)? == 0 {
            bail!("ended without an answer");
        }
        let answer = answer.trim_end();
        match answer.split_once(' ').unwrap_or((answer, "")) {
            ("ok", text) => Ok(text.to_owned()),
            ("error", text) => bail!("{text}"),
            _ => bail!("answered {answer:?}"),
        }
    }

    /// Does a work once and returns the milliseconds; none where it cannot, which is told once.
    pub(crate) fn time(&mut self, work: &str) -> Option<f64> {
        if self.refused.iter().any(|refused| refused == work) {
            return None;
        }
        let answer = self.ask(&format!("run {work}"));
        match answer.and_then(|text| text.parse::<f64>().with_context(|| text.clone())) {
            Ok(time) => Some(time),
            Err(error) => {
                eprintln!("{error:#}");
                self.refused.push(work.to_owned());
                None
            }
        }
    }

    /// The result of a work, by way of `file`.
    pub(crate) fn result(&mut self, work: &str, file: &Path) -> Result<Vec<f32>> {
        self.ask(&format!("check {work} {}", file.display()))?;
        let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
        let (quads, _) = bytes.as_chunks::<4>();
        Ok(quads.iter().map(|&quad| f32::from_le_bytes(quad)).collect())
    }

    fn signal(&self, signal: libc::c_int) {
        if let Ok(process) = libc::pid_t::try_from(self.child.id()) {
            // SAFETY: a signal to a child that has not been waited for: the number cannot be another's.
            unsafe { libc::kill(process, signal) };
        }
    }
}

impl Drop for Contestant {
    fn drop(&mut self) {
        // No more questions: it ends by itself, and its own children with it.
        drop(self.questions.take());
        self.signal(libc::SIGCONT);
        for _ in 0..PATIENCE {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

use anyhow::{Context, Result, ensure};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What a whole process took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    /// From before it was started until it had ended.
    pub(crate) milliseconds: f64,
    /// The most memory that it held at a time, in megabytes of 1,000,000 bytes.
    pub(crate) megabytes: f64,
}

/// Runs a command to its end.
///
/// # Errors
/// When it cannot be started or fails.
pub(crate) fn take(command: &mut Command) -> Result<Taken> {
    let start = Instant::now();
    let child = command.stdout(Stdio::null()).spawn().with_context(|| format!("{command:?}"))?;
    let process = libc::pid_t::try_from(child.id()).context("a process number")?;
    let mut status = 0;
    // SAFETY: all zeros is a valid `rusage`, plain numbers.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the child is ours and not waited for elsewhere; both pointers are to locals.
    let ended = unsafe { libc::wait4(process, &raw mut status, 0, &raw mut usage) };
    let milliseconds = start.elapsed().as_secs_f64() * 1e3;
    ensure!(ended == process, "{command:?} could not be waited for");
    // The command may refuse the image (1), which takes as long; anything above is a failure.
    ensure!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) <= 1, "{command:?} failed, status {status}");
    Ok(Taken { milliseconds, megabytes: usage.ru_maxrss as f64 * 1024.0 / 1e6 })
}

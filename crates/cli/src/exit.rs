use std::fmt;
use std::process::ExitCode;

/// How a command ended; the highest of a batch wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Everything was done.
    Done = 0,
    /// The answer is no: an image was refused, a check failed.
    No = 1,
    /// Something that was given could not be used: a file, an option, a table.
    Input = 2,
    /// The fault is ours.
    Fault = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Marks an error as ours, so that it leaves with code 3. Errors without the mark are the user's input.
///
/// `result.context(OurFault("read the embedded model"))`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OurFault(pub(crate) &'static str);

impl fmt::Display for OurFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not {}; hint: this is a fault of boneage, please report it", self.0)
    }
}

/// The exit that an error of a whole command deserves.
pub(crate) fn exit_of(error: &anyhow::Error) -> Exit {
    if error.downcast_ref::<OurFault>().is_some() { Exit::Fault } else { Exit::Input }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context, anyhow};

    #[test]
    fn the_highest_wins_and_only_marked_errors_are_ours() {
        assert_eq!(Exit::No.max(Exit::Input), Exit::Input);
        assert_eq!(exit_of(&anyhow!("no such file")), Exit::Input);
        let ours = Err::<(), _>(anyhow!("weights differ")).context(OurFault("read the embedded model"));
        assert_eq!(exit_of(&ours.unwrap_err().context("predict")), Exit::Fault);
    }
}

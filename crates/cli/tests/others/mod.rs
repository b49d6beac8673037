//! Programs of others that tests ask.

use std::process::Command;

/// The Python of the tests that ask programs of others, if it has their module; if not, says that the test is skipped.
pub(crate) fn python_with(module: &str) -> Option<Command> {
    let python = std::env::var("BONEAGE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let looked = Command::new(&python).args(["-c", &format!("import {module}")]).output();
    if looked.is_ok_and(|ran| ran.status.success()) {
        return Some(Command::new(python));
    }
    eprintln!("skipped: {python} has no {module}; hint: set BONEAGE_PYTHON to one that has");
    None
}

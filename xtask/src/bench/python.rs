use super::contestant::Contestant;
use super::root;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The first interpreter that can import all of `modules`.
pub(crate) fn with(pythons: &[PathBuf], modules: &[&str]) -> Option<PathBuf> {
    let imports = format!(
        "import importlib.util as u, sys; sys.exit(any(u.find_spec(m) is None for m in {modules:?}))"
    );
    let can = |python: &&PathBuf| {
        let status = Command::new(python).args(["-c", &imports]).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    pythons.iter().find(can).cloned()
}

/// The command of one of the scripts in `xtask/bench`.
pub(crate) fn script(python: &Path, name: &str, arguments: &[&str], threads: usize) -> Command {
    let mut command = Contestant::command(python, threads);
    command.arg(root().join("xtask/bench").join(name)).args(arguments);
    // TensorFlow and others tell at length what they could do on other machines.
    command.env("TF_CPP_MIN_LOG_LEVEL", "2").env("CUDA_VISIBLE_DEVICES", "");
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

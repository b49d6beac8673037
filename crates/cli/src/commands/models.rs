use crate::exit::Exit;
use crate::printer::Printer;

/// List the models inside this binary.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Prints one line a model.
pub(crate) fn run(_args: Args, _printer: &Printer) -> anyhow::Result<Exit> {
    Ok(Exit::Done)
}

use crate::exit::Exit;
use crate::kept::keep;
use crate::labelled::LabelledArgs;
use crate::models::{self, Images, ModelArgs};
use crate::printer::Printer;
use anyhow::{Context, anyhow, bail};
use boneage_lab::{Change, Radiograph, stress};
use std::path::PathBuf;

/// Tell how far readings move when films are turned, exposed, worn or covered otherwise.
///
/// None of the changes alters the age of the child, so the reading should stay: for each the median and the
/// 95th percentile of its shift, what the mean absolute error rises by with its 95 % interval, and what is
/// refused and flagged. No changed film is kept.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  boneage stress --images films --labels ages.csv --out stress")]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    labelled: LabelledArgs,
    /// Only this change, as the table calls it; may be given more than once
    #[arg(long, value_name = "CHANGE")]
    only: Vec<String>,
    /// Also write stress.md and stress.json into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace files that are there already
    #[arg(long, requires = "out")]
    force: bool,
}

/// Reads every film with every change and prints the table.
pub(crate) fn run(args: Args, printer: &Printer) -> anyhow::Result<Exit> {
    let files = args.out.as_ref().map(|folder| ["stress.md", "stress.json"].map(|name| folder.join(name)));
    keep(files.iter().flatten(), args.force)?;
    let changes = changes(&args.only)?;
    let films = args.labelled.read()?;
    let films: Vec<&Radiograph> = films.iter().collect();
    let table = stress(&models::predictor(&args.model, Images::Many)?, &films, &changes)
        .context("no labelled film could be read; hint: do --images, --labels and --ids use the same ids?")?;
    table.unreadable.iter().for_each(|reason| printer.error(&anyhow!("{reason}")));
    let text = table.to_markdown();
    if let (Some(folder), Some([markdown, json])) = (&args.out, &files) {
        std::fs::create_dir_all(folder).with_context(|| format!("folder {}", folder.display()))?;
        std::fs::write(markdown, &text).with_context(|| markdown.display().to_string())?;
        std::fs::write(json, serde_json::to_vec_pretty(&table)?)
            .with_context(|| json.display().to_string())?;
    }
    printer.result(text)?;
    Ok(if table.unreadable.is_empty() { Exit::Done } else { Exit::Input })
}

fn changes(only: &[String]) -> anyhow::Result<Vec<Change>> {
    let all = Change::all();
    if let Some(unknown) = only.iter().find(|name| !all.iter().any(|change| change.name == name.as_str())) {
        let known: Vec<&str> = all.iter().map(|change| change.name).collect();
        bail!("no change is called {unknown:?}; hint: one of {}", known.join(", "));
    }
    let asked = |change: &Change| only.is_empty() || only.iter().any(|name| name == change.name);
    Ok(all.into_iter().filter(asked).collect())
}
